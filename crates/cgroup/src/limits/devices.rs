//! `devices`: config-linux.md, "Allowed Device list"; the kernel's cgroup-v1/devices.rst.
//!
//! The specification goes through the rules in order, and the last that matches wins. Version 1 knows a default and a list
//! of exceptions to it; a rule that agrees with the default can only take exceptions away. So the rules are first played
//! through here, and what comes out is written. What that list cannot say is refused, never rounded. Version 2 has a
//! [program](super::device_program) in its place.

use super::device_rule::{ALL, Access, MKNOD, READ, Rule, WRITE, shown};
use super::setting::{Setting, Settings};
use crate::error::Error;
use insula_oci::resources::{DeviceRule, DeviceRuleKind};
use std::collections::BTreeMap;

/// `c` or `b`, major and minor; `None` is every number.
type Key = (char, Option<u32>, Option<u32>);

/// A default, and the exceptions to it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Table {
    allow: bool,
    exceptions: BTreeMap<Key, Access>,
}

/// The writes.
pub fn settings(rules: &[DeviceRule]) -> Settings {
    let (table, from_scratch) = play(rules)?;
    let mut settings = Vec::new();
    let (reset, except) =
        if table.allow { ("devices.allow", "devices.deny") } else { ("devices.deny", "devices.allow") };
    if from_scratch {
        settings.push(Setting::new("devices", reset, "a"));
    }
    for (key, access) in &table.exceptions {
        settings.push(Setting::new("devices", except, line(*key, *access)));
    }
    Ok(settings)
}

/// Goes through the rules. Without one on all devices in front, the group's own default, which allows, is what they change;
/// the second value says whether there was one.
fn play(rules: &[DeviceRule]) -> Result<(Table, bool), Error> {
    let mut table = Table { allow: true, ..Table::default() };
    let mut from_scratch = false;
    for rule in rules {
        let Rule { allow, kind, major, minor, access } = Rule::read(rule)?;
        let kinds = match kind {
            DeviceRuleKind::Char => &['c'][..],
            DeviceRuleKind::Block => &['b'],
            DeviceRuleKind::All => &['b', 'c'],
        };
        if kind == DeviceRuleKind::All && (major, minor, access) == (None, None, ALL) {
            table = Table { allow, ..Table::default() };
            from_scratch = true;
            continue;
        }
        for kind in kinds {
            if allow == table.allow {
                table.take_away((*kind, major, minor), access, rule)?;
            } else {
                *table.exceptions.entry((*kind, major, minor)).or_insert(0) |= access;
            }
        }
    }
    Ok((table, from_scratch))
}

impl Table {
    /// Takes from the exceptions what the rule gives back to the default. An exception that is wider than the rule would
    /// have to be split, and version 1 has no way to write the rest of it.
    fn take_away(&mut self, rule: Key, access: Access, whole: &DeviceRule) -> Result<(), Error> {
        let covers = |wide: Option<u32>, narrow: Option<u32>| wide.is_none() || wide == narrow;
        for (exception, held) in &mut self.exceptions {
            let same_kind = exception.0 == rule.0;
            if same_kind && covers(rule.1, exception.1) && covers(rule.2, exception.2) {
                *held &= !access;
            } else if same_kind
                && *held & access != 0
                && (covers(exception.1, rule.1) || covers(rule.1, exception.1))
                && (covers(exception.2, rule.2) || covers(rule.2, exception.2))
            {
                let reason = "takes back a part of a wider rule before it, which version 1 cannot write";
                return Err(Error::invalid("devices", shown(whole), reason));
            }
        }
        self.exceptions.retain(|_, held| *held != 0);
        Ok(())
    }
}

/// `c 1:3 rwm`, as the control file takes it.
fn line((kind, major, minor): Key, access: Access) -> String {
    let number = |number: Option<u32>| number.map_or_else(|| "*".to_owned(), |number| number.to_string());
    let letters: String = ['r', 'w', 'm']
        .iter()
        .zip([READ, WRITE, MKNOD])
        .filter(|(_, bit)| access & bit != 0)
        .map(|(l, _)| l)
        .collect();
    format!("{kind} {}:{} {letters}", number(major), number(minor))
}

#[cfg(test)]
mod tests {
    use super::super::device_rule::tests::rule;
    use super::*;

    fn written(rules: &[&str]) -> Result<Vec<String>, Error> {
        let rules: Vec<_> = rules.iter().map(|text| rule(text)).collect();
        let settings = settings(&rules)?;
        Ok(settings
            .into_iter()
            .map(|s| format!("{} {}", s.file.trim_start_matches("devices."), s.value))
            .collect())
    }

    #[test]
    fn rules_become_a_default_and_exceptions() {
        let table: &[(&[&str], &[&str])] = &[
            (&["-a"], &["deny a"]),
            (&["-a", "+c 1:3 rwm"], &["deny a", "allow c 1:3 rwm"]),
            (&["-a", "+c 1:3 r", "+c 1:3 w"], &["deny a", "allow c 1:3 rw"]),
            (&["-a", "+c 1:3 rwm", "-c 1:3 w"], &["deny a", "allow c 1:3 rm"]),
            (&["-a", "+c 1:3 rwm", "-c *:* rwm"], &["deny a"]),
            (&["-a", "+c *:* m", "+b *:* m"], &["deny a", "allow b *:* m", "allow c *:* m"]),
            (&["-a", "+c 1:3 rwm", "+a"], &["allow a"]),
            (&["-c 1:3 rwm"], &["deny c 1:3 rwm"]),
            (&["+a", "-b 8:* w"], &["allow a", "deny b 8:* w"]),
            (&["-a", "+a *:* m"], &["deny a", "allow b *:* m", "allow c *:* m"]),
            (&["-a", "+c 5:* r", "-c 1:* r"], &["deny a", "allow c 5:* r"]),
        ];
        for (rules, lines) in table {
            assert_eq!(written(rules).unwrap(), *lines, "{rules:?}");
        }
    }

    #[test]
    fn what_version_1_cannot_say_is_refused() {
        for rules in [
            &["-a", "+c 1:* rwm", "-c 1:3 w"][..],
            &["-a", "+c *:3 rwm", "-c 1:* w"],
            &["-a", "+c 1:3 x"],
            &["-a", "+c -2:3 r"],
        ] {
            assert!(written(rules).is_err(), "{rules:?}");
        }
        assert!(written(&["-a", "+c 1:* r", "-c 1:3 w"]).is_ok(), "nothing is taken back");
    }
}
