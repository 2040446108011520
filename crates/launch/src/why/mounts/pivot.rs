//! pivot_root(2) has one errno for many things: which it was, in the order in which the kernel looks.

use super::super::key::keys;
use super::view::View;
use rustix::io::Errno;
use std::fmt;

/// The cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pivot {
    /// A mount would spread to other mount namespaces.
    Shared {
        /// Which.
        point: String,
        /// What it is to the call.
        role: &'static str,
    },
    /// The new root is locked to what it covers.
    Locked {
        /// Which.
        point: String,
    },
    /// The new root and the old one are the same mount.
    SameMount {
        /// The path that was given.
        path: String,
    },
    /// The present root directory is no mount point.
    Chroot,
    /// The present root is the kernel's first file system.
    Initramfs {
        /// Its type.
        fstype: String,
    },
    /// The new root is no mount point.
    NewRootNoMount {
        /// The path.
        path: String,
    },
    /// The old root's place is not below the new root.
    PutOldElsewhere {
        /// The new root.
        new_root: String,
        /// The place.
        put_old: String,
    },
    /// A mount belongs to another mount namespace.
    Foreign {
        /// The path.
        path: String,
    },
}

keys! { Pivot {
    Shared = "pivot-shared",
    Locked = "pivot-locked",
    SameMount = "pivot-same-mount",
    Chroot = "pivot-in-chroot",
    Initramfs = "pivot-initramfs",
    NewRootNoMount = "pivot-new-root-no-mount",
    PutOldElsewhere = "pivot-put-old-elsewhere",
    Foreign = "pivot-foreign-mount",
} }

impl fmt::Display for Pivot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pivot::Shared { point, role } => write!(
                f,
                "{role} is the mount `{point}`, which is shared: the change would spread to other mount namespaces"
            ),
            Pivot::Locked { point } => {
                write!(
                    f,
                    "the new root, the mount `{point}`, came into this user namespace with what it covers, and is locked there"
                )
            }
            Pivot::SameMount { path } => write!(f, "`{path}` is on the mount that is the root already"),
            Pivot::Chroot => {
                f.write_str("the present root directory is no mount point: this process is in a chroot")
            }
            Pivot::Initramfs { fstype } => {
                write!(
                    f,
                    "the present root is the kernel's first file system ({fstype}, an initramfs), which is attached to nothing"
                )
            }
            Pivot::NewRootNoMount { path } => write!(f, "the new root `{path}` is no mount point"),
            Pivot::PutOldElsewhere { new_root, put_old } => {
                write!(f, "`{put_old}`, where the old root would go, is not below the new root `{new_root}`")
            }
            Pivot::Foreign { path } => write!(f, "`{path}` is on a mount of another mount namespace"),
        }
    }
}

impl Pivot {
    /// What to do about it.
    pub fn cure(&self) -> String {
        match self {
            Pivot::Shared { point, .. } => {
                format!("`mount --make-private {point}` first; `unshare --mount` does it for all, unless --propagation says otherwise")
            }
            Pivot::Locked { point } => format!("bind it onto itself first: `mount --rbind {point} {point}`"),
            Pivot::SameMount { path } => format!("make it a mount of its own: `mount --bind {path} {path}`"),
            Pivot::Chroot => "start outside of the chroot; or make its root a mount point before it is entered: `mount --bind DIR DIR`".to_owned(),
            Pivot::Initramfs { .. } => {
                "from an initramfs one goes by switch_root(8); a container runs there with its root moved over `/` and chroot(2) (runc: --no-pivot)".to_owned()
            }
            Pivot::NewRootNoMount { path } => format!("make it one: `mount --bind {path} {path}`"),
            Pivot::PutOldElsewhere { new_root, .. } => format!("name a directory below `{new_root}`, or `.` for both from within"),
            Pivot::Foreign { .. } => "name paths of this mount namespace, not by /proc/PID/root".to_owned(),
        }
    }
}

/// Looks for the cause, in the kernel's order.
pub(super) fn refused(new_root: &str, put_old: &str, errno: Errno, view: &View<'_>) -> Option<Pivot> {
    let root = view.open("/").ok()?;
    let (root_mount, new_mount, old_mount) =
        (view.mount_of(&root), view.mount(new_root), view.mount(put_old));
    let same = |one: Option<&crate::host::table::Mounted>| {
        one.is_some() && one.map(|mount| mount.id) == root_mount.map(|mount| mount.id)
    };
    if errno == Errno::BUSY {
        return [(new_mount, new_root), (old_mount, put_old)]
            .into_iter()
            .find_map(|(mount, path)| same(mount).then(|| Pivot::SameMount { path: path.to_owned() }));
    }
    if errno != Errno::INVAL {
        return None;
    }
    let parent = |mount: Option<&crate::host::table::Mounted>| {
        let id = mount?.parent;
        view.table.iter().find(|one| one.id == id)
    };
    let shared = [
        (old_mount, "where the old root would go"),
        (parent(new_mount), "what the new root is mounted on"),
        (parent(root_mount), "what the present root is mounted on"),
    ];
    if let Some(found) = shared.into_iter().find_map(|(mount, role)| {
        let mount = mount.filter(|mount| mount.shared.is_some())?;
        Some(Pivot::Shared { point: mount.point.clone(), role })
    }) {
        return Some(found);
    }
    if view.is_mount_point("/") == Some(false) {
        return Some(Pivot::Chroot);
    }
    for path in [new_root, put_old] {
        if view.mount(path).is_none() && view.open(path).is_ok() {
            return Some(Pivot::Foreign { path: path.to_owned() });
        }
    }
    if root_mount.is_some_and(|mount| mount.parent == mount.id || mount.fstype == "rootfs") {
        let fstype = root_mount.map(|mount| mount.fstype.clone()).unwrap_or_default();
        return Some(Pivot::Initramfs { fstype });
    }
    if view.is_mount_point(new_root) == Some(false) {
        return Some(Pivot::NewRootNoMount { path: new_root.to_owned() });
    }
    if is_outside(new_root, put_old, view) {
        return Some(Pivot::PutOldElsewhere { new_root: new_root.to_owned(), put_old: put_old.to_owned() });
    }
    let point = new_mount.filter(|_| view.is_in_user_namespace())?.point.clone();
    Some(Pivot::Locked { point })
}

fn is_outside(new_root: &str, put_old: &str, view: &View<'_>) -> bool {
    let (Some(new), Some(old)) = (view.whole(new_root), view.whole(put_old)) else { return false };
    new != "/" && old != new && !old.starts_with(&format!("{new}/"))
}
