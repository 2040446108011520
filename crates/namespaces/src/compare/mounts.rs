//! Which mounts of one table pass their mounts on to another: mount_namespaces(7), "Shared subtrees".
//!
//! Mounts of one peer group pass to each other. A mount that is a slave of a group gets what happens in it and gives nothing
//! back. A group can be a slave of another one; how far that goes is seen as far as both tables show it.

use insula_launch::host::mounts::unescape_bytes;
use std::collections::BTreeSet;

/// One mount, proc_pid_mountinfo(5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Its id.
    pub id: u64,
    /// `MAJOR:MINOR` of the file system.
    pub device: String,
    /// Which directory of the file system is its root.
    pub root: Vec<u8>,
    /// Where, from the root of the process.
    pub point: Vec<u8>,
    /// Its peer group.
    pub shared: Option<u64>,
    /// The group that it is a slave of.
    pub master: Option<u64>,
}

/// Reads a table. What is no line of one is left out.
pub fn parse(table: &[u8]) -> Vec<Mount> {
    table.split(|byte| *byte == b'\n').filter_map(mount).collect()
}

/// Id, parent, device, root, point, options, fields up to `-`.
fn mount(line: &[u8]) -> Option<Mount> {
    let mut words = line.split(|byte| *byte == b' ');
    let id = text(words.next()?)?.parse().ok()?;
    let device = text(words.nth(1)?)?.to_owned();
    let root = unescape_bytes(words.next()?);
    let point = unescape_bytes(words.next()?);
    words.next()?;
    let mut mount = Mount { id, device, root, point, shared: None, master: None };
    for field in words.take_while(|word| *word != b"-") {
        match text(field)?.split_once(':') {
            Some(("shared", group)) => mount.shared = group.parse().ok(),
            Some(("master", group)) => mount.master = group.parse().ok(),
            _ => {}
        }
    }
    Some(mount)
}

fn text(word: &[u8]) -> Option<&str> {
    std::str::from_utf8(word).ok()
}

/// What is mounted below a mount of one appears below a mount of the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    /// Where the one has it.
    pub from: Vec<u8>,
    /// Where the other has it.
    pub to: Vec<u8>,
    /// The other's is in the same peer group: it passes back as well.
    pub is_peer: bool,
}

/// The mounts of `from` that pass on to `to`.
pub fn passes(from: &[Mount], to: &[Mount]) -> Vec<Pass> {
    let mut found = Vec::new();
    for one in from {
        let Some(group) = one.shared else { continue };
        let reached = reached(group, from, to);
        for other in to {
            let is_peer = other.shared == Some(group);
            if is_peer || other.master.is_some_and(|master| reached.contains(&master)) {
                found.push(Pass { from: one.point.clone(), to: other.point.clone(), is_peer });
            }
        }
    }
    found
}

/// The group, and the groups that are slaves of it, or of such.
fn reached(group: u64, one: &[Mount], other: &[Mount]) -> BTreeSet<u64> {
    let mut groups = BTreeSet::from([group]);
    loop {
        let before = groups.len();
        for mount in one.iter().chain(other) {
            if let (Some(shared), Some(master)) = (mount.shared, mount.master)
                && groups.contains(&master)
            {
                groups.insert(shared);
            }
        }
        if groups.len() == before {
            return groups;
        }
    }
}

/// File systems that both have mounted, by device, each once, with where each has it first.
pub fn common<'m>(one: &'m [Mount], other: &'m [Mount]) -> Vec<(&'m Mount, &'m Mount)> {
    let mut devices = BTreeSet::new();
    let mut found = Vec::new();
    for mount in one {
        let same = other.iter().find(|other| other.device == mount.device);
        if let Some(same) = same
            && devices.insert(&mount.device)
        {
            found.push((mount, same));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[u8] = b"22 1 8:1 / / rw,noatime shared:1 - ext4 /dev/sda1 rw\n\
        30 22 0:5 /a\\040b /mnt rw shared:7 master:1 propagate_from:2 - tmpfs none rw\n\
        31 22 0:6 / /own rw - tmpfs none rw\nrubbish\n\xff\n";

    fn mounts(groups: &[(Option<u64>, Option<u64>)]) -> Vec<Mount> {
        let numbered = groups.iter().zip(1..);
        numbered
            .map(|((shared, master), id)| Mount {
                id,
                device: "8:1".to_owned(),
                root: b"/".to_vec(),
                point: format!("/{id}").into_bytes(),
                shared: *shared,
                master: *master,
            })
            .collect()
    }

    fn pairs(from: &[Mount], to: &[Mount]) -> Vec<(String, String, bool)> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        passes(from, to).iter().map(|pass| (text(&pass.from), text(&pass.to), pass.is_peer)).collect()
    }

    #[test]
    fn a_table_is_read_with_its_groups() {
        let table = parse(TABLE);
        assert_eq!(table.len(), 3);
        assert_eq!((table[0].shared, table[0].master), (Some(1), None));
        assert_eq!((table[1].shared, table[1].master), (Some(7), Some(1)));
        assert_eq!((table[1].root.as_slice(), table[1].device.as_str()), (&b"/a b"[..], "0:5"));
        assert_eq!((table[2].shared, table[2].master), (None, None));
    }

    #[test]
    fn peers_pass_both_ways_and_slaves_one() {
        let (a, b) =
            (mounts(&[(Some(1), None), (Some(2), None)]), mounts(&[(Some(1), None), (None, Some(2))]));
        assert_eq!(pairs(&a, &b), [("/1".into(), "/1".into(), true), ("/2".into(), "/2".into(), false)]);
        assert_eq!(pairs(&b, &a), [("/1".into(), "/1".into(), true)]);
    }

    #[test]
    fn private_mounts_pass_nothing() {
        let private = mounts(&[(None, None)]);
        assert_eq!(pairs(&private, &mounts(&[(Some(1), None)])), []);
        assert_eq!(pairs(&mounts(&[(Some(1), None)]), &private), []);
    }

    #[test]
    fn a_slave_of_a_slave_gets_it_too() {
        let (a, b) = (mounts(&[(Some(1), None)]), mounts(&[(Some(2), Some(1)), (None, Some(2))]));
        assert_eq!(pairs(&a, &b).len(), 2);
        assert_eq!(pairs(&b, &a), []);
    }

    #[test]
    fn a_file_system_in_common_is_found_once() {
        let (a, b) = (mounts(&[(None, None), (None, None)]), mounts(&[(None, None)]));
        assert_eq!(common(&a, &b).len(), 1);
        assert_eq!(common(&a, &[]), []);
    }
}
