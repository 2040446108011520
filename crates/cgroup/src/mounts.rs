//! What /proc says of the hierarchies: which are mounted where, and where in each of them this process is.

use crate::path::Path;
use insula_launch::host::mounts::unescape_bytes;

/// Version 1 or 2 of the interface, cgroups(7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// A hierarchy for each controller, or several of them.
    V1,
    /// One hierarchy for all.
    V2,
}

/// A mount of a cgroup file system, proc_pid_mountinfo(5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CgroupMount {
    /// The mount's id.
    pub id: u64,
    /// Which interface.
    pub version: Version,
    /// Major and minor number of the file system's device.
    pub device: (u32, u32),
    /// Which group of the hierarchy its root is, seen from our cgroup namespace: `/..` is above that.
    pub root: String,
    /// Where.
    pub point: String,
    /// Whether the mount or the file system is read-only.
    pub read_only: bool,
    /// The file system's options: in version 1 the controllers, and `name=`.
    pub options: Vec<String>,
}

/// A line of proc_pid_cgroup(5): a hierarchy, and where in it a process is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// In version 1 the controllers, or `name=…`; in version 2 none.
    pub controllers: Vec<String>,
    /// Seen from our cgroup namespace.
    pub path: String,
}

impl Position {
    /// Which interface.
    pub fn version(&self) -> Version {
        if self.controllers.is_empty() { Version::V2 } else { Version::V1 }
    }

    /// Whether `mount` is of this hierarchy.
    pub fn is_of(&self, mount: &CgroupMount) -> bool {
        self.version() == mount.version
            && self.controllers.iter().all(|controller| mount.options.contains(controller))
    }

    /// Where the process is, seen from the root of `mount`; `None` if it is not below that.
    pub fn seen_from(&self, mount: &CgroupMount) -> Option<Path> {
        // A path with `..` has names that nobody here knows.
        let here = Path::parse(self.path.trim_end_matches(" (deleted)")).ok()?;
        here.below(&Path::parse(&mount.root).ok()?)
    }
}

/// The mounts of cgroup file systems in a table of mounts, in its order.
pub fn mounts(text: &str) -> Vec<CgroupMount> {
    text.lines().filter_map(mount).collect()
}

/// A line: id, parent, major:minor, root, mount point, options, optional fields, `-`, type, source, super options.
fn mount(line: &str) -> Option<CgroupMount> {
    let (before, after) = line.split_once(" - ")?;
    let mut after = after.split(' ');
    let version = match after.next()? {
        "cgroup" => Version::V1,
        "cgroup2" => Version::V2,
        _ => return None,
    };
    let options: Vec<String> = after.nth(1)?.split(',').map(str::to_owned).collect();
    let mut before = before.split(' ');
    let id = before.next()?.parse().ok()?;
    let mut before = before.skip(1);
    let (major, minor) = before.next()?.split_once(':')?;
    let root = unescape(before.next()?)?;
    let point = unescape(before.next()?)?;
    let is_read_only = |mut options: std::str::Split<'_, char>| options.any(|option| option == "ro");
    let read_only = is_read_only(before.next()?.split(',')) || options.iter().any(|option| option == "ro");
    Some(CgroupMount {
        id,
        version,
        device: (major.parse().ok()?, minor.parse().ok()?),
        root,
        point,
        read_only,
        options,
    })
}

/// A field as it was; `None` if it is no UTF-8.
fn unescape(text: &str) -> Option<String> {
    String::from_utf8(unescape_bytes(text.as_bytes())).ok()
}

/// The lines `ID:CONTROLLERS:PATH` of a process.
pub fn positions(text: &str) -> Vec<Position> {
    let line = |line: &str| {
        let (id, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        id.parse::<u32>().ok()?;
        let controllers = controllers.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
        Some(Position { controllers, path: path.to_owned() })
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
25 30 0:24 / /sys rw,nosuid shared:7 - sysfs sysfs rw
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
40 31 0:37 /docker/abc /sys/fs/cgroup/systemd ro,relatime - cgroup cgroup rw,xattr,name=systemd
41 31 0:38 /../.. /sys/fs/cgroup/my\\040own rw - cgroup2 none rw,nsdelegate
rubbish
";

    #[test]
    fn mounts_are_read() {
        let found = mounts(MOUNTS);
        assert_eq!(found.len(), 3);
        assert_eq!((found[0].id, found[0].version, found[0].device), (32, Version::V1, (0, 29)));
        assert!(!found[0].read_only);
        assert_eq!((found[1].root.as_str(), found[1].read_only), ("/docker/abc", true));
        assert_eq!((found[2].version, found[2].point.as_str()), (Version::V2, "/sys/fs/cgroup/my own"));
    }

    #[test]
    fn a_process_is_found_in_its_mounts() {
        let mounts = mounts(MOUNTS);
        let lines = "4:cpuacct,cpu:/a/b\n2:name=systemd:/docker/abc/x:y\n0::/here (deleted)\nx:y\n";
        let found = positions(lines);
        assert_eq!(found.len(), 3);
        let path = |text| Path::parse(text).ok();
        assert!(found[0].is_of(&mounts[0]) && !found[0].is_of(&mounts[1]) && !found[0].is_of(&mounts[2]));
        assert_eq!(found[0].seen_from(&mounts[0]), path("/a/b"));
        assert!(found[1].is_of(&mounts[1]));
        assert_eq!(found[1].seen_from(&mounts[1]), path("/x:y"));
        assert!(found[2].is_of(&mounts[2]));
        assert_eq!(found[2].seen_from(&mounts[2]), None, "the mount's root is above our namespace's");
    }

    #[test]
    fn a_process_outside_of_its_mount_is_nowhere() {
        let above = Position { controllers: Vec::new(), path: "/../other".to_owned() };
        let mount = &mounts("1 2 0:3 / /m rw - cgroup2 none rw")[0];
        assert_eq!(above.seen_from(mount), None);
        let beside = Position { controllers: Vec::new(), path: "/docker/abcd".to_owned() };
        let mount = &mounts("1 2 0:3 /docker/abc /m rw - cgroup2 none rw")[0];
        assert_eq!(beside.seen_from(mount), None);
    }
}
