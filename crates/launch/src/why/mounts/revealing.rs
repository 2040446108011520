//! "Mount too revealing": a user namespace may mount a new proc or sysfs only if it sees one whole already, so that nothing
//! that is hidden here comes to light (the kernel's `mount_too_revealing`, mount_namespaces(7) "locked").

use super::super::key::keys;
use super::super::user_namespace;
use super::view::View;
use crate::host::table::{self, Mounted};
use std::fmt;

/// The cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revealing {
    /// Parts of the present one are hidden.
    Hidden {
        /// `proc` or `sysfs`.
        fstype: &'static str,
        /// What hides them.
        veils: Vec<String>,
    },
    /// None is to be seen, so that all of it counts as hidden.
    Unseen {
        /// `proc` or `sysfs`.
        fstype: &'static str,
    },
    /// The namespace that it would show is owned by another user namespace.
    NotOwned {
        /// `proc` or `sysfs`.
        fstype: &'static str,
        /// `pid` or `net`.
        kind: &'static str,
    },
}

keys! { Revealing {
    Hidden = "mount-too-revealing",
    Unseen = "mount-too-revealing-unseen",
    NotOwned = "mount-namespace-not-owned",
} }

impl fmt::Display for Revealing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Revealing::Hidden { fstype, veils } => {
                write!(f, "a new {fstype} would show what is hidden here: {}", veils.join(", "))
            }
            Revealing::Unseen { fstype } => {
                write!(
                    f,
                    "no whole {fstype} is mounted where this process sees it, so that a new one would show too much"
                )
            }
            Revealing::NotOwned { fstype, kind } => write!(
                f,
                "a new {fstype} shows the {kind} namespace that this process is in, which is not owned by its user namespace"
            ),
        }
    }
}

impl Revealing {
    /// What to do about it.
    pub fn cure(&self) -> String {
        match self {
            Revealing::Hidden { fstype: "sysfs", .. } | Revealing::Unseen { fstype: "sysfs" } => {
                "bind the present one instead (`-v /sys:/sys:ro`, `--network host`); or whoever started this container leaves it \
                 open and writable (Docker: `--privileged`)"
                    .to_owned()
            }
            Revealing::Hidden { .. } => {
                "bind the present one instead (`--pid host`); or whoever started this container leaves it open (Docker: \
                 `--security-opt systempaths=unconfined`, podman: `--security-opt unmask=ALL`)"
                    .to_owned()
            }
            Revealing::Unseen { .. } => {
                "mount a proc before the user namespace is made, and leave it there: `unshare --mount-proc` does both at once".to_owned()
            }
            Revealing::NotOwned { kind, .. } => {
                let flag = if *kind == "pid" { "--pid --fork" } else { "--net" };
                format!("make a {kind} namespace in the new user namespace as well (`{flag}`), or bind the present one")
            }
        }
    }
}

/// Why a new one was refused.
pub(super) fn refused(fstype: &str, view: &View<'_>) -> Option<Revealing> {
    let (fstype, kind) = if fstype == "proc" { ("proc", "pid") } else { ("sysfs", "net") };
    if user_namespace::owns(view.subject, kind) == Some(false) {
        return Some(Revealing::NotOwned { fstype, kind });
    }
    if !view.is_in_user_namespace() {
        return None;
    }
    let is_whole = |mount: &&Mounted| mount.fstype == fstype && mount.root == "/";
    if !view.table.iter().any(|mount| is_whole(&mount)) {
        return Some(Revealing::Unseen { fstype });
    }
    let veils = in_table(&view.table, fstype);
    (!veils.is_empty()).then_some(Revealing::Hidden { fstype, veils })
}

/// Directories that are made to be mounted on, and have nothing in them otherwise: what covers them hides nothing.
const EMPTY: &[&str] = &[
    "/sys/fs/binfmt_misc",
    "/fs/nfsd",
    "/openprom",
    "/fs/cgroup",
    "/fs/bpf",
    "/fs/pstore",
    "/fs/selinux",
    "/fs/smackfs",
    "/fs/resctrl",
    "/fs/fuse/connections",
    "/kernel/debug",
    "/kernel/tracing",
    "/kernel/security",
    "/kernel/config",
    "/firmware/efi/efivars",
];

/// What hides parts of the file system `kind` (`proc`, `sysfs`) from this process, each in words; empty: it is to be
/// seen whole, or not mounted at all.
pub fn hidden(kind: &str) -> Vec<String> {
    in_table(&table::of("self"), kind)
}

/// The same of a table of mounts. One that can be seen whole is enough; one that lies under another as a whole, as an
/// older proc does under the one of a new pid namespace, is seen by nobody, and told of only where there is no other.
pub fn in_table(table: &[Mounted], kind: &str) -> Vec<String> {
    let mut least: Option<(bool, Vec<String>)> = None;
    for mount in table.iter().filter(|mount| mount.fstype == kind && mount.root == "/") {
        let covered = children(table, mount).any(|child| child.point == mount.point);
        let veils = veils(table, mount);
        let order = |covered: bool, veils: &[String]| (covered, veils.len());
        if least.as_ref().is_none_or(|least| order(covered, &veils) < order(least.0, &least.1)) {
            least = Some((covered, veils));
        }
    }
    least.map(|(_, veils)| veils).unwrap_or_default()
}

/// What is mounted on it or on what is in it.
fn children<'t>(table: &'t [Mounted], mount: &Mounted) -> impl Iterator<Item = &'t Mounted> {
    let id = mount.id;
    table.iter().filter(move |child| child.parent == id && child.id != id)
}

/// What lies over parts of one of them.
fn veils(table: &[Mounted], mount: &Mounted) -> Vec<String> {
    let mut found = Vec::new();
    if mount.has("ro") {
        found.push(format!("`{}` is mounted read-only", mount.point));
    }
    for child in children(table, mount) {
        let place = child.point.strip_prefix(mount.point.trim_end_matches('/')).unwrap_or(&child.point);
        if !EMPTY.contains(&place) {
            found.push(format!("{} on `{}`", child.fstype, child.point));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mounted(id: u32, parent: u32, root: &str, point: &str, fstype: &str, options: &str) -> Mounted {
        Mounted {
            id,
            parent,
            device: (0, id),
            root: root.to_owned(),
            point: point.to_owned(),
            options: options.split(',').map(str::to_owned).collect(),
            shared: None,
            master: None,
            unbindable: false,
            fstype: fstype.to_owned(),
            source: "none".to_owned(),
            super_options: Vec::new(),
        }
    }

    #[test]
    fn what_covers_an_empty_directory_hides_nothing() {
        let table = [
            mounted(2, 1, "/", "/proc", "proc", "rw"),
            mounted(3, 2, "/", "/proc/sys/fs/binfmt_misc", "binfmt_misc", "rw"),
            mounted(4, 1, "/", "/sys", "sysfs", "rw"),
            mounted(5, 4, "/", "/sys/fs/cgroup", "tmpfs", "rw"),
        ];
        assert!(in_table(&table, "proc").is_empty() && in_table(&table, "sysfs").is_empty());
    }

    #[test]
    fn masks_are_named_and_one_that_is_whole_is_enough() {
        let mut table = vec![
            mounted(2, 1, "/", "/proc", "proc", "rw"),
            mounted(3, 2, "/null", "/proc/kcore", "devtmpfs", "rw"),
            mounted(4, 2, "/sys", "/proc/sys", "proc", "ro"),
        ];
        assert_eq!(in_table(&table, "proc"), ["devtmpfs on `/proc/kcore`", "proc on `/proc/sys`"]);
        table.push(mounted(5, 1, "/", "/elsewhere", "proc", "rw"));
        assert!(in_table(&table, "proc").is_empty());
    }

    #[test]
    fn a_proc_under_another_one_is_not_whole() {
        let table = [
            mounted(2, 1, "/", "/proc", "proc", "rw"),
            mounted(3, 2, "/", "/proc", "proc", "rw"),
            mounted(4, 3, "/", "/proc/fs", "tmpfs", "rw"),
        ];
        assert_eq!(in_table(&table, "proc"), ["tmpfs on `/proc/fs`"]);
    }

    /// What a new pid namespace leaves behind on a machine whose own proc has no masks.
    #[test]
    fn a_proc_that_lies_under_another_says_nothing_of_the_masks() {
        let mut table = vec![
            mounted(2, 1, "/", "/proc", "proc", "rw"),
            mounted(3, 2, "/", "/proc", "proc", "rw"),
            mounted(4, 3, "/null", "/proc/version", "devtmpfs", "rw"),
        ];
        assert_eq!(in_table(&table, "proc"), ["devtmpfs on `/proc/version`"]);
        table.pop();
        assert!(in_table(&table, "proc").is_empty());
        table[1].fstype = "tmpfs".to_owned();
        assert_eq!(in_table(&table, "proc"), ["tmpfs on `/proc`"]);
    }
}
