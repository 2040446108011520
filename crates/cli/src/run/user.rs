//! `-u USER[:GROUP]` and `--group-add`: names or numbers, looked up in the root's passwd(5) and group(5).
//!
//! The files may be the attacker's. A number is never looked up as a name, lines that make no sense are passed over, and
//! the ids 2^32-1 (which means "none" to setuid(2) and chown(2)) and above are refused.

use crate::accounts::{group_lines, number, passwd};
use crate::value::reason::Reason;

/// What can be written for a user.
pub const FORM: &str = "USER[:GROUP], names or numbers, as 1000:1000";

/// What can be written for a group.
pub const GROUP_FORM: &str = "a group, its name or number";

/// How many supplementary groups the kernel takes (`NGROUPS_MAX`, getgroups(2)).
const MAX_GROUPS: usize = 65_536;

/// The text of the root's `/etc/passwd` and `/etc/group`, read by the caller within bounds; empty where there is none.
#[derive(Debug, Clone, Copy, Default)]
pub struct Accounts<'a> {
    /// passwd(5).
    pub passwd: &'a str,
    /// group(5).
    pub group: &'a str,
}

/// A user or group as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Id {
    /// A number.
    Number(u32),
    /// A name.
    Name(String),
}

/// What `-u` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The user.
    pub user: Id,
    /// The group, if it was written.
    pub group: Option<Id>,
}

/// Who the program is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The user id.
    pub uid: u32,
    /// The group id.
    pub gid: u32,
    /// The supplementary groups, each once, ascending.
    pub groups: Vec<u32>,
    /// The home directory; `/` where passwd knows none.
    pub home: String,
}

/// Reads `USER[:GROUP]`.
pub fn parse(text: &str) -> Result<User, Reason> {
    match text.split_once(':') {
        Some((user, group)) => Ok(User { user: id(user)?, group: Some(id(group)?) }),
        None => Ok(User { user: id(text)?, group: None }),
    }
}

/// Reads one name or number.
pub fn id(text: &str) -> Result<Id, Reason> {
    if text.is_empty() {
        return Err(Reason::new("a name or number is missing"));
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return number(text)
            .map(Id::Number)
            .ok_or_else(|| Reason::of(text, "is no id: ids end at 4294967294"));
    }
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '$' | '@');
    if text.starts_with('-') || !text.chars().all(fits) {
        return Err(Reason::of(text, "is neither a name nor a number"));
    }
    Ok(Id::Name(text.to_owned()))
}

/// Looks up a user and the groups that come with it. A number that passwd does not know has group 0; with a group
/// written there are no supplementary groups, without one those that group(5) lists the user in.
pub fn identify(user: &User, accounts: Accounts<'_>) -> Result<Identity, Reason> {
    let entry = passwd(accounts.passwd).find(|entry| match &user.user {
        Id::Number(uid) => entry.uid == *uid,
        Id::Name(name) => entry.name == name,
    });
    let uid = match (&user.user, &entry) {
        (Id::Number(uid), _) => *uid,
        (Id::Name(_), Some(entry)) => entry.uid,
        (Id::Name(name), None) => return Err(Reason::of(name, "is no user in the root's /etc/passwd")),
    };
    let (gid, groups) = match (&user.group, &entry) {
        (Some(group), _) => (group_id(group, accounts)?, Vec::new()),
        (None, Some(entry)) => (entry.gid, memberships(entry.name, accounts.group)),
        (None, None) => (0, Vec::new()),
    };
    let home = entry.map(|entry| entry.home).filter(|home| home.starts_with('/')).unwrap_or("/");
    Ok(Identity { uid, gid, groups, home: home.to_owned() })
}

/// Looks up a group.
pub fn group_id(group: &Id, accounts: Accounts<'_>) -> Result<u32, Reason> {
    match group {
        Id::Number(gid) => Ok(*gid),
        Id::Name(name) => group_lines(accounts.group)
            .find(|line| line.name == name)
            .map(|line| line.gid)
            .ok_or_else(|| Reason::of(name, "is no group in the root's /etc/group")),
    }
}

/// The groups that list a user.
fn memberships(name: &str, text: &str) -> Vec<u32> {
    let listed = group_lines(text).filter(|line| line.members.split(',').any(|member| member == name));
    let mut groups: Vec<u32> = listed.map(|line| line.gid).take(MAX_GROUPS).collect();
    groups.sort_unstable();
    groups.dedup();
    groups
}

#[cfg(test)]
mod tests {
    use super::{Accounts, Id, identify, parse};

    const ACCOUNTS: Accounts<'_> = Accounts {
        passwd: "root:x:0:0:root:/root:/bin/sh\nnonsense\nbad:x:-1:0::/:\nmax:x:4294967295:0::/:\n\
                 1001:x:7:7::/trap:\nada:x:1000:100:Ada:/home/ada:/bin/sh\nbob:x:1001:1001\n",
        group: "root:x:0:\nwheel:x:10:root,ada\nvideo:x:44:ada\nbroken:x:y:ada\nmine:x:9:ada,ada\n",
    };

    #[test]
    fn words() {
        let table = [
            ("0", true),
            ("1000:100", true),
            ("ada", true),
            ("ada:video", true),
            ("4294967294", true),
            ("4294967295", false),
            ("4294967296", false),
            ("99999999999999999999", false),
            ("", false),
            (":", false),
            ("ada:", false),
            (":video", false),
            ("-1", false),
            ("+1", false),
            ("a b", false),
            ("a:b:c", false),
            ("a\nb", false),
        ];
        for (text, valid) in table {
            assert_eq!(parse(text).is_ok(), valid, "{text}");
        }
        assert_eq!(parse("007").map(|user| user.user), Ok(Id::Number(7)));
    }

    /// Uid, gid, supplementary groups and home.
    type Found<'a> = (u32, u32, &'a [u32], &'a str);

    #[test]
    fn look_ups() {
        let table: [(&str, Option<Found<'_>>); 10] = [
            ("root", Some((0, 0, &[10], "/root"))),
            ("0", Some((0, 0, &[10], "/root"))),
            ("ada", Some((1000, 100, &[9, 10, 44], "/home/ada"))),
            ("ada:video", Some((1000, 44, &[], "/home/ada"))),
            ("1000:7", Some((1000, 7, &[], "/home/ada"))),
            // A user named `1001` is a trap: numbers are numbers.
            ("1001", Some((1001, 1001, &[], "/"))),
            ("4242", Some((4242, 0, &[], "/"))),
            ("max", None),
            ("nobody", None),
            ("ada:broken", None),
        ];
        for (text, expected) in table {
            let user = parse(text).expect("the words are valid");
            let found = identify(&user, ACCOUNTS).ok();
            let found =
                found.as_ref().map(|one| (one.uid, one.gid, one.groups.as_slice(), one.home.as_str()));
            assert_eq!(found, expected, "{text}");
        }
    }
}
