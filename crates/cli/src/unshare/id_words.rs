//! Ids as unshare(1) takes them: numbers, names, and ranges.

use crate::accounts::{group_lines, passwd};
use crate::face::number::{id, number};
use insula_launch::host::ids::{granted, user_name};
use insula_namespaces::error::Error;
use insula_namespaces::unshare::IdRange;
use rustix::io::Errno;

/// Which of the two kinds of id, and where they are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    User,
    Group,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::User => "user",
            Kind::Group => "group",
        }
    }

    fn accounts(self) -> &'static str {
        match self {
            Kind::User => "/etc/passwd",
            Kind::Group => "/etc/group",
        }
    }

    fn subordinate(self) -> &'static str {
        match self {
            Kind::User => insula_launch::host::ids::SUBUID,
            Kind::Group => insula_launch::host::ids::SUBGID,
        }
    }

    fn map(self) -> &'static str {
        match self {
            Kind::User => "/proc/self/uid_map",
            Kind::Group => "/proc/self/gid_map",
        }
    }
}

/// A name or a number.
pub fn by_name(flag: &str, kind: Kind, text: &str) -> Result<u32, Error> {
    let what = format!("{flag} {text}");
    if number(text).is_some() {
        return id(text).ok_or_else(|| refused(what, "ids are 0 to 4294967294", None));
    }
    let accounts = std::fs::read_to_string(kind.accounts()).unwrap_or_default();
    let found = match kind {
        Kind::User => passwd(&accounts).find(|line| line.name == text).map(|line| line.uid),
        Kind::Group => group_lines(&accounts).find(|line| line.name == text).map(|line| line.gid),
    };
    found.ok_or_else(|| {
        let reason = format!("there is no such {} in {}", kind.word(), kind.accounts());
        refused(what, &reason, Some("insula reads this file alone, no directory service: give the number"))
    })
}

/// What `--map-users` and `--map-groups` take, for the user `uid`.
pub fn ranges(flag: &str, kind: Kind, text: &str, uid: u32) -> Result<Vec<IdRange>, Error> {
    match text {
        "auto" => subordinate(flag, kind, uid, false).map(|range| vec![range]),
        "subids" => subordinate(flag, kind, uid, true).map(|range| vec![range]),
        "all" => all(kind),
        _ => range(text).map(|range| vec![range]).ok_or_else(|| {
            refused(
                format!("{flag} {text}"),
                "this is no range of ids",
                Some("write INNER:OUTER:COUNT, as 0:100000:65536, or `auto`, `subids`, `all`"),
            )
        }),
    }
}

/// `inner:outer:count`; or `outer,inner,count`, as before util-linux 2.39.
fn range(text: &str) -> Option<IdRange> {
    let three = |separator| {
        let mut parts = text.split(separator).map(|part| number(part).and_then(|n| u32::try_from(n).ok()));
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(Some(one)), Some(Some(two)), Some(Some(three)), None) => Some((one, two, three)),
            _ => None,
        }
    };
    let (inner, outer, count) =
        three(':').or_else(|| three(',').map(|(outer, inner, count)| (inner, outer, count)))?;
    Some(IdRange { inside: Some(inner), outside: outer, count })
}

/// The first range that is granted to the user, mapped from 0 on or to itself.
pub fn subordinate(flag: &str, kind: Kind, uid: u32, itself: bool) -> Result<IdRange, Error> {
    let file = kind.subordinate();
    let name = user_name(uid);
    let granted = granted(file, uid, name.as_deref()).map_err(|error| {
        Error::File("read", file.to_owned(), Errno::from_io_error(&error).unwrap_or(Errno::IO))
    })?;
    let first = granted.first().ok_or_else(|| {
        let who = name.clone().unwrap_or_else(|| uid.to_string());
        let cure = format!(
            "root adds one: `usermod --add-sub{}s 100000-165535 {who}`",
            &kind.word()[..1].replace('u', "uid").replace('g', "gid")
        );
        refused(flag.to_owned(), &format!("no line of {file} is for `{who}`"), Some(&cure))
    })?;
    Ok(IdRange { inside: itself.then_some(first.first), outside: first.first, count: first.count })
}

/// Every id that our own user namespace has, mapped to itself.
fn all(kind: Kind) -> Result<Vec<IdRange>, Error> {
    let text = std::fs::read_to_string(kind.map()).map_err(|error| {
        Error::File("read", kind.map().to_owned(), Errno::from_io_error(&error).unwrap_or(Errno::IO))
    })?;
    Ok(passed_through(&text))
}

/// Lines of uid_map or gid_map: the first id here, that of the namespace above, how many.
fn passed_through(text: &str) -> Vec<IdRange> {
    let line = |line: &str| {
        let mut fields = line.split_whitespace();
        let first = fields.next()?.parse().ok()?;
        Some(IdRange { inside: Some(first), outside: first, count: fields.nth(1)?.parse().ok()? })
    };
    text.lines().filter_map(line).collect()
}

/// `UID:GID`.
pub fn owner(text: &str) -> Result<(u32, u32), Error> {
    let both = text.split_once(':').and_then(|(uid, gid)| Some((id(uid)?, id(gid)?)));
    both.ok_or_else(|| {
        refused(format!("--owner {text}"), "these are no two ids", Some("write UID:GID, as 1000:1000"))
    })
}

fn refused(what: String, reason: &str, hint: Option<&str>) -> Error {
    Error::Asked { what, reason: reason.to_owned(), hint: hint.map(str::to_owned) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_in_both_orders() {
        let read = |text| range(text).map(|range| (range.inside, range.outside, range.count));
        assert_eq!(read("0:100000:65536"), Some((Some(0), 100_000, 65_536)));
        assert_eq!(read("100000,0,65536"), Some((Some(0), 100_000, 65_536)));
        for wrong in
            ["", "0", "0:1", "0:1:2:3", "0:1,2", "a:1:2", "0:1:2x", "0::2", "0:1:4294967296", "-1:0:1"]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_kernel_map_is_passed_through_by_its_inner_ids() {
        let text = "         0     100000      65536\n     70000     300000         10\n";
        let range = |first, count| IdRange { inside: Some(first), outside: first, count };
        assert_eq!(passed_through(text), [range(0, 65_536), range(70_000, 10)]);
    }

    #[test]
    fn an_owner_is_two_ids() {
        assert_eq!(owner("1000:100").ok(), Some((1000, 100)));
        for wrong in ["", "1000", ":", "1000:", "a:b", "1:2:3", "4294967295:0"] {
            assert!(owner(wrong).is_err(), "{wrong}");
        }
    }
}
