//! The table of mounts with all of its columns, proc_pid_mountinfo(5): what a refusal is explained by.

use super::mounts::unescape;
use std::fs;

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mounted {
    /// The mount's id.
    pub id: u32,
    /// The id of the mount that it is on; one that is not in the table for the topmost.
    pub parent: u32,
    /// The device, major and minor number.
    pub device: (u32, u32),
    /// Which part of the file system is to be seen, from its root.
    pub root: String,
    /// Where, from the process's root directory.
    pub point: String,
    /// The mount's own options: `rw`, `nosuid`, …
    pub options: Vec<String>,
    /// The peer group that it is shared in.
    pub shared: Option<u32>,
    /// The peer group that it gets mounts from.
    pub master: Option<u32>,
    /// It cannot be bound elsewhere.
    pub unbindable: bool,
    /// The file system's type.
    pub fstype: String,
    /// What was mounted, as far as there is such a thing.
    pub source: String,
    /// The file system's options.
    pub super_options: Vec<String>,
}

impl Mounted {
    /// Whether the mount has this option of its own.
    pub fn has(&self, option: &str) -> bool {
        self.options.iter().any(|own| own == option)
    }

    /// The value of an option of the file system, `KEY=VALUE`.
    pub fn super_option(&self, key: &str) -> Option<&str> {
        self.super_options.iter().find_map(|option| option.strip_prefix(key)?.strip_prefix('='))
    }

    /// Whether nothing can be written by it: the mount, or the file system itself.
    pub fn is_read_only(&self) -> bool {
        self.has("ro") || self.super_options.iter().any(|option| option == "ro")
    }
}

/// The table of a process (`self`, or its pid), in the kernel's order; empty where it cannot be read.
pub fn of(process: &str) -> Vec<Mounted> {
    fs::read_to_string(format!("/proc/{process}/mountinfo")).map(|text| parse(&text)).unwrap_or_default()
}

/// The mount that a path is on, of those in `table`: the last one over the longest part of it.
pub fn holding<'a>(table: &'a [Mounted], path: &str) -> Option<&'a Mounted> {
    let over = |point: &str| {
        point == "/" || path.strip_prefix(point).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    // `max_by_key` takes the last of equals, which lies on top.
    table.iter().filter(|mount| over(&mount.point)).max_by_key(|mount| mount.point.len())
}

fn parse(text: &str) -> Vec<Mounted> {
    text.lines().filter_map(row).collect()
}

fn row(line: &str) -> Option<Mounted> {
    let (before, after) = line.split_once(" - ")?;
    let mut fields = before.split(' ');
    let id = fields.next()?.parse().ok()?;
    let parent = fields.next()?.parse().ok()?;
    let (major, minor) = fields.next()?.split_once(':')?;
    let root = unescape(fields.next()?)?;
    let point = unescape(fields.next()?)?;
    let list = |text: &str| text.split(',').map(str::to_owned).collect();
    let options = list(fields.next()?);
    let tags: Vec<&str> = fields.collect();
    let group = |key: &str| tags.iter().find_map(|tag| tag.strip_prefix(key)?.parse().ok());
    let mut after = after.split(' ');
    Some(Mounted {
        id,
        parent,
        device: (major.parse().ok()?, minor.parse().ok()?),
        root,
        point,
        options,
        shared: group("shared:"),
        master: group("master:"),
        unbindable: tags.contains(&"unbindable"),
        fstype: after.next()?.to_owned(),
        source: unescape(after.next()?)?,
        super_options: list(after.next().unwrap_or_default()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
36 27 98:0 /a /mnt\\040two ro,noatime master:1 unbindable - ext3 /dev/root rw,errors=continue
37 36 0:5 / /mnt\\040two rw - tmpfs none ro,size=4k
";

    #[test]
    fn every_column_is_read() {
        let table = parse(TABLE);
        assert_eq!(table.len(), 3);
        assert_eq!((table[1].id, table[1].parent, table[1].device), (36, 27, (98, 0)));
        assert_eq!((table[1].root.as_str(), table[1].point.as_str()), ("/a", "/mnt two"));
        assert_eq!((table[0].shared, table[1].master, table[1].unbindable), (Some(1), Some(1), true));
        assert!(table[1].has("noatime") && table[1].is_read_only() && table[2].is_read_only());
        assert_eq!(table[2].super_option("size"), Some("4k"));
    }

    #[test]
    fn a_path_is_on_the_uppermost_mount_over_it() {
        let table = parse(TABLE);
        assert_eq!(holding(&table, "/mnt two/x").map(|mount| mount.id), Some(37));
        assert_eq!(holding(&table, "/mnt two2").map(|mount| mount.id), Some(27));
        assert_eq!(holding(&table, "/").map(|mount| mount.id), Some(27));
    }
}
