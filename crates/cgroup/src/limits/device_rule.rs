//! A rule on devices, read and checked: what both versions are made from.

use crate::error::Error;
use insula_oci::resources::{DeviceRule, DeviceRuleKind};

/// A set of accesses.
pub type Access = u8;
/// To read.
pub const READ: Access = 0b001;
/// To write.
pub const WRITE: Access = 0b010;
/// To make its node.
pub const MKNOD: Access = 0b100;
/// All three.
pub const ALL: Access = 0b111;

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Whether what matches is allowed.
    pub allow: bool,
    /// Which kind.
    pub kind: DeviceRuleKind,
    /// The major number; `None` is all.
    pub major: Option<u32>,
    /// The minor number; `None` is all.
    pub minor: Option<u32>,
    /// What it is about.
    pub access: Access,
}

impl Rule {
    /// Reads one of config.json.
    pub fn read(rule: &DeviceRule) -> Result<Self, Error> {
        Ok(Self {
            allow: rule.allow,
            kind: rule.kind.unwrap_or(DeviceRuleKind::All),
            major: number(rule, rule.major)?,
            minor: number(rule, rule.minor)?,
            access: bits(rule)?,
        })
    }
}

/// `access` as bits; absent is all of it.
fn bits(rule: &DeviceRule) -> Result<Access, Error> {
    let Some(text) = rule.access.as_deref() else { return Ok(ALL) };
    text.chars().try_fold(0, |bits, letter| match letter {
        'r' => Ok(bits | READ),
        'w' => Ok(bits | WRITE),
        'm' => Ok(bits | MKNOD),
        _ => Err(Error::invalid("devices.access", text, "has letters other than r, w and m")),
    })
}

/// A device's number; absent and -1 are all.
fn number(rule: &DeviceRule, value: Option<i64>) -> Result<Option<u32>, Error> {
    match value {
        None | Some(-1) => Ok(None),
        Some(value) => match u32::try_from(value) {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(Error::invalid("devices", shown(rule), "has a number that no device has")),
        },
    }
}

/// A rule in the words of version 1's control file, for messages.
pub fn shown(rule: &DeviceRule) -> String {
    let number = |number: Option<i64>| match number {
        None | Some(-1) => "*".to_owned(),
        Some(number) => number.to_string(),
    };
    let kind = match rule.kind.unwrap_or(DeviceRuleKind::All) {
        DeviceRuleKind::All => 'a',
        DeviceRuleKind::Char => 'c',
        DeviceRuleKind::Block => 'b',
    };
    let verb = if rule.allow { "allow" } else { "deny" };
    let access = rule.access.as_deref().unwrap_or("rwm");
    format!("{verb} {kind} {}:{} {access}", number(rule.major), number(rule.minor))
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// `+c 1:3 rwm`, `-a`.
    pub fn rule(text: &str) -> DeviceRule {
        let (sign, rest) = text.split_at(1);
        let mut words = rest.split(' ');
        let kind = match words.next() {
            Some("c") => DeviceRuleKind::Char,
            Some("b") => DeviceRuleKind::Block,
            _ => DeviceRuleKind::All,
        };
        let numbers: Vec<Option<i64>> =
            words.next().map_or(vec![None, None], |n| n.split(':').map(|n| n.parse().ok()).collect());
        DeviceRule {
            allow: sign == "+",
            kind: Some(kind),
            major: numbers[0],
            minor: numbers[1],
            access: words.next().map(str::to_owned),
        }
    }

    #[test]
    fn rules_are_read_and_shown() {
        for (text, shown_as) in
            [("+c 1:3 rw", "allow c 1:3 rw"), ("-a", "deny a *:* rwm"), ("-b 8:* m", "deny b 8:* m")]
        {
            assert!(Rule::read(&rule(text)).is_ok());
            assert_eq!(shown(&rule(text)), shown_as);
        }
        for text in ["+c 1:3 x", "+c -2:3 r", "+b 4294967296:0 r"] {
            assert!(Rule::read(&rule(text)).is_err(), "{text}");
        }
    }
}
