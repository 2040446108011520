//! The lines of passwd(5) and group(5). A static binary has no name service: these files are all that it knows.
//!
//! The files may be the attacker's: lines that make no sense are passed over.

/// An id below 2^32-1.
pub fn number(text: &str) -> Option<u32> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|&id| plain && id != u32::MAX)
}

/// A line of passwd(5).
pub struct PasswdLine<'a> {
    /// The account's name.
    pub name: &'a str,
    /// Its user id.
    pub uid: u32,
    /// Its group id.
    pub gid: u32,
    /// Its home directory.
    pub home: &'a str,
    /// Its shell.
    pub shell: &'a str,
}

/// A line of group(5).
pub struct GroupLine<'a> {
    /// The group's name.
    pub name: &'a str,
    /// Its id.
    pub gid: u32,
    /// Its members by name, with commas between.
    pub members: &'a str,
}

/// The lines of passwd(5) that make sense.
pub fn passwd(text: &str) -> impl Iterator<Item = PasswdLine<'_>> {
    text.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        let uid = number(fields.nth(1)?)?;
        let gid = number(fields.next()?)?;
        let home = fields.nth(1).unwrap_or("");
        Some(PasswdLine { name, uid, gid, home, shell: fields.next().unwrap_or("") })
    })
}

/// The lines of group(5) that make sense.
pub fn group_lines(text: &str) -> impl Iterator<Item = GroupLine<'_>> {
    text.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        let gid = number(fields.nth(1)?)?;
        Some(GroupLine { name, gid, members: fields.next().unwrap_or("") })
    })
}
