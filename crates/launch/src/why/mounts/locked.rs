//! What a user namespace may not undo: mounts that came to it together are locked, with their flags, mount_namespaces(7)
//! "Restrictions on mount namespaces".

use super::super::key::keys;
use super::view::View;
use crate::host::table::Mounted;
use rustix::io::Errno;
use std::fmt;

/// The cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Locked {
    /// Flags that were set outside may not be cleared.
    Flags {
        /// Where the mount is.
        point: String,
        /// The flags.
        flags: Vec<&'static str>,
    },
    /// A mount cannot be bound without those that are locked on it.
    Tree {
        /// What was to be bound.
        path: String,
        /// What is mounted below it.
        below: Vec<String>,
    },
    /// A mount cannot be taken away from what it covers.
    Mount {
        /// Where.
        point: String,
    },
    /// The mount is unbindable.
    Unbindable {
        /// Where.
        point: String,
    },
    /// Nothing is mounted there.
    NoMount {
        /// Where.
        path: String,
    },
    /// A mount namespace would spread into itself.
    Shared {
        /// The mount that it was to be kept on.
        point: String,
        /// The directory of the file.
        directory: String,
    },
    /// The mount is in use.
    Busy {
        /// Where.
        point: String,
        /// What is mounted on it.
        mounts: Vec<String>,
        /// Who uses it, as far as that can be seen.
        pids: Vec<i32>,
    },
}

keys! { Locked {
    Flags = "mount-flags-locked",
    Tree = "mount-tree-locked",
    Mount = "mount-locked",
    Unbindable = "mount-unbindable",
    NoMount = "no-mount-point",
    Shared = "mount-shared",
    Busy = "mount-busy",
} }

impl fmt::Display for Locked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Locked::Flags { point, flags } => write!(
                f,
                "the mount `{point}` came into this user namespace with {}, which is locked: it may be set here, not cleared",
                flags.join(", ")
            ),
            Locked::Tree { path, below } => write!(
                f,
                "{} below `{path}`, locked to it in this user namespace: it cannot be bound without",
                standing(below)
            ),
            Locked::Mount { point } => {
                write!(
                    f,
                    "the mount `{point}` came into this user namespace with what it covers, and is locked there"
                )
            }
            Locked::Unbindable { point } => write!(f, "the mount `{point}` is unbindable"),
            Locked::NoMount { path } => write!(f, "nothing is mounted on `{path}`"),
            Locked::Shared { point, .. } => {
                write!(
                    f,
                    "the mount `{point}` is shared: a mount namespace kept on it would spread into itself"
                )
            }
            Locked::Busy { point, mounts, pids } => {
                let pids: Vec<String> = pids.iter().map(ToString::to_string).collect();
                match (mounts.as_slice(), pids.as_slice()) {
                    ([], []) => write!(f, "`{point}` is in use"),
                    ([], pids) => write!(f, "`{point}` is in use by the processes {}", pids.join(", ")),
                    (mounts, _) => write!(f, "on `{point}` {}", standing(mounts)),
                }
            }
        }
    }
}

/// `/a, /b are mounted`.
fn standing(points: &[String]) -> String {
    const SHOWN: usize = 4;
    let shown: Vec<String> = points.iter().take(SHOWN).map(|point| format!("`{point}`")).collect();
    let rest = points.len().saturating_sub(SHOWN);
    let verb = if points.len() == 1 { "is" } else { "are" };
    match rest {
        0 => format!("{} {verb} mounted", shown.join(", ")),
        rest => format!("{} and {rest} more {verb} mounted", shown.join(", ")),
    }
}

impl Locked {
    /// What to do about it.
    pub fn cure(&self) -> String {
        match self {
            Locked::Flags { flags, .. } => {
                format!("keep {} among the options, or have the host mount it without", flags.join(","))
            }
            Locked::Tree { .. } => "bind it with all below it (`rbind`, `mount --rbind`), or a directory without mounts".to_owned(),
            Locked::Mount { .. } => {
                "mount something over it, or take all of the tree away at once: pivot_root(2) and `umount -l` of the old root".to_owned()
            }
            Locked::Unbindable { point } => format!("`mount --make-private {point}`, where it was made so"),
            Locked::NoMount { path } => format!("`findmnt -T {path}` shows what it is on"),
            Locked::Shared { directory, .. } => format!(
                "give its directory a private mount of its own: `mount --bind {directory} {directory} && mount \
                 --make-private {directory}`"
            ),
            Locked::Busy { point, mounts, .. } if mounts.is_empty() => {
                format!("end them or have them leave it (`fuser -vm {point}`), or `umount -l {point}`")
            }
            Locked::Busy { point, .. } => format!("`umount -R {point}`"),
        }
    }
}

/// Why flags were not changed.
pub(super) fn attributes(
    path: &str,
    cleared: &[&'static str],
    errno: Errno,
    view: &View<'_>,
) -> Option<Locked> {
    if errno == Errno::INVAL && view.is_mount_point(path) == Some(false) {
        return Some(Locked::NoMount { path: path.to_owned() });
    }
    if errno != Errno::PERM || !view.is_in_user_namespace() {
        return None;
    }
    let top = view.mount(path)?;
    let all = std::iter::once(top).chain(view.below(path));
    all.into_iter().find_map(|mount| {
        let flags: Vec<&'static str> = cleared.iter().filter(|flag| mount.has(flag)).copied().collect();
        (!flags.is_empty()).then(|| Locked::Flags { point: mount.point.clone(), flags })
    })
}

/// Why a mount could not be bound or cloned.
pub(super) fn bound(source: &str, recursive: bool, errno: Errno, view: &View<'_>) -> Option<Locked> {
    if errno != Errno::INVAL {
        return None;
    }
    if let Some(mount) = view.mount(source).filter(|mount| mount.unbindable) {
        return Some(Locked::Unbindable { point: mount.point.clone() });
    }
    // Of mounts that are not locked the kernel leaves those below out without a word.
    if recursive || !view.is_in_user_namespace() {
        return None;
    }
    tree(source, view)
}

/// The mounts below a path, as something that is locked to it.
pub(super) fn tree(path: &str, view: &View<'_>) -> Option<Locked> {
    let below: Vec<String> = view.below(path).into_iter().map(|mount| mount.point.clone()).collect();
    (!below.is_empty()).then(|| Locked::Tree { path: path.to_owned(), below })
}

/// Why a mount namespace could not be kept on a file.
pub(super) fn kept(target: &str, errno: Errno, view: &View<'_>) -> Option<Locked> {
    let mount = view.mount(target).filter(|mount| errno == Errno::INVAL && mount.shared.is_some())?;
    let directory = match target.rsplit_once('/') {
        Some(("", _)) => "/",
        Some((directory, _)) => directory,
        None => ".",
    };
    Some(Locked::Shared { point: mount.point.clone(), directory: directory.to_owned() })
}

/// Why a mount could not be taken away.
pub(super) fn unmounted(path: &str, errno: Errno, view: &View<'_>) -> Option<Locked> {
    match errno {
        Errno::INVAL if view.is_mount_point(path) == Some(false) => {
            Some(Locked::NoMount { path: path.to_owned() })
        }
        Errno::INVAL if view.is_in_user_namespace() => {
            view.mount(path).map(|mount| Locked::Mount { point: mount.point.clone() })
        }
        Errno::BUSY => {
            let mount = view.mount(path)?;
            let on = |child: &&Mounted| child.parent == mount.id && child.id != mount.id;
            let mounts: Vec<String> = view.table.iter().filter(on).map(|child| child.point.clone()).collect();
            let pids = if mounts.is_empty() { users(mount) } else { Vec::new() };
            Some(Locked::Busy { point: mount.point.clone(), mounts, pids })
        }
        _ => None,
    }
}

/// The processes whose working directory, root or open files are on the file system; a few are enough.
fn users(mount: &Mounted) -> Vec<i32> {
    use std::os::unix::fs::MetadataExt;
    const FEW: usize = 4;
    let device = rustix::fs::makedev(mount.device.0, mount.device.1);
    let is_on = |path: &std::path::Path| std::fs::metadata(path).is_ok_and(|found| found.dev() == device);
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    processes
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| {
            let place = std::path::PathBuf::from(format!("/proc/{pid}"));
            is_on(&place.join("cwd"))
                || is_on(&place.join("root"))
                || std::fs::read_dir(place.join("fd"))
                    .is_ok_and(|files| files.flatten().any(|file| is_on(&file.path())))
        })
        .take(FEW)
        .collect()
}
