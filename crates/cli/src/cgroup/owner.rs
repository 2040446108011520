//! `--owner USER`: a user by name or number, and the group that comes with it.

use crate::accounts::{PasswdLine, number, passwd};
use crate::value::reason::Reason;

/// What can be written.
pub const FORM: &str = "a user's name, or UID or UID:GID";

/// Reads `UID:GID`, `UID` or a name, with the user's own group from `/etc/passwd`, else the one of the same number.
pub fn parse(text: &str) -> Result<(u32, u32), Reason> {
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    find(text, &accounts)
}

fn find(text: &str, accounts: &str) -> Result<(u32, u32), Reason> {
    if let Some((uid, gid)) = text.split_once(':') {
        return Ok((id(uid)?, id(gid)?));
    }
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let is_it =
        |line: &PasswdLine<'_>| if is_number { line.uid.to_string() == text } else { line.name == text };
    let entry = passwd(accounts).find(is_it).map(|line| (line.uid, line.gid));
    match entry {
        Some(entry) => Ok(entry),
        None if is_number => id(text).map(|uid| (uid, uid)),
        None => Err(Reason::of(text, "is no user here")),
    }
}

fn id(text: &str) -> Result<u32, Reason> {
    number(text).ok_or_else(|| Reason::of(text, "is no id"))
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn users_by_name_and_number() {
        let accounts = "root:x:0:0::/:/bin/sh\nanna:x:1000:100::/home/anna:/bin/sh\nbroken:x\n";
        for (text, ids) in [
            ("anna", Some((1000, 100))),
            ("1000", Some((1000, 100))),
            ("1001", Some((1001, 1001))),
            ("5:6", Some((5, 6))),
            ("bert", None),
            ("broken", None),
            ("", None),
            ("-1", None),
            ("4294967295", None),
            ("5:", None),
        ] {
            assert_eq!(find(text, accounts).ok(), ids, "{text}");
        }
    }
}
