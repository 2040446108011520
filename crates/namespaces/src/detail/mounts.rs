//! The root of a mount namespace, how many mounts it has, and how they propagate: proc_pid_mountinfo(5).
//!
//! A visitor has the namespace's own root; a process in it may have another, from where less is seen.

use super::ask::{Asked, text};
use super::told::{Detail, Mounts, Told};
use insula_launch::host::mounts::unescape_bytes;

pub(super) fn ask(asked: &Asked<'_>) -> Told {
    let whole = asked.visit("its mounts", || Ok((Vec::new(), None)));
    let refused = match whole {
        Ok(visit) => match text(visit.pid, "mountinfo").as_deref().and_then(read) {
            Some(mounts) => return Told { detail: Detail::Mnt(Some(mounts)), hidden: Vec::new() },
            None => Vec::new(),
        },
        Err(hidden) => vec![hidden],
    };
    let through = |pid: u32| Some(Mounts { through: Some(pid), ..read(&text(pid, "mountinfo")?)? });
    match asked.processes().find_map(through) {
        Some(mounts) => Told { detail: Detail::Mnt(Some(mounts)), hidden: Vec::new() },
        None => Told { detail: Detail::Mnt(None), hidden: refused },
    }
}

/// Reads a table of mounts; `None` where it has none.
fn read(table: &str) -> Option<Mounts> {
    let mut mounts = Mounts::default();
    for line in table.lines() {
        let Some((front, back)) = line.split_once(" - ") else { continue };
        let mut fields = front.split(' ').skip(3);
        let (Some(directory), Some(point)) = (fields.next(), fields.next()) else { continue };
        let marks: Vec<&str> = fields.skip(1).collect();
        let has = |mark: &str| marks.iter().any(|found| found.starts_with(mark));
        let (shared, slave) = (has("shared:"), has("master:"));
        mounts.count += 1;
        mounts.shared += usize::from(shared);
        mounts.slaves += usize::from(slave);
        mounts.private += usize::from(!shared && !slave);
        // Of several on one another the last lies on top.
        if point == "/" {
            let plain = |field: &str| String::from_utf8_lossy(&unescape_bytes(field.as_bytes())).into_owned();
            let mut back = back.split(' ');
            mounts.root_type = plain(back.next().unwrap_or_default());
            mounts.root_source = plain(back.next().unwrap_or_default());
            mounts.root_directory = plain(directory);
            mounts.root_propagation = match (shared, slave) {
                (true, true) => "shared,slave",
                (true, false) => "shared",
                (false, true) => "slave",
                (false, false) if has("unbindable") => "unbindable",
                (false, false) => "private",
            };
        }
    }
    (mounts.count > 0).then_some(mounts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_counted() {
        let table = "1 0 8:1 / / rw shared:1 - ext4 /dev/a rw\n\
                     2 1 0:2 /a\\040b / rw master:1 - overlay over\\040lay rw\n\
                     3 2 0:3 / /proc rw shared:3 master:2 - proc proc rw\n\
                     4 2 0:4 / /x rw unbindable - tmpfs tmpfs rw\nrubbish\n";
        let mounts = read(table).expect("four mounts");
        assert_eq!((mounts.count, mounts.shared, mounts.slaves, mounts.private), (4, 2, 2, 1));
        assert_eq!((mounts.root_type.as_str(), mounts.root_source.as_str()), ("overlay", "over lay"));
        assert_eq!((mounts.root_directory.as_str(), mounts.root_propagation), ("/a b", "slave"));
        assert_eq!(read(""), None);
    }
}
