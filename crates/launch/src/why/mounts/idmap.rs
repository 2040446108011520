//! Why a mount's ids cannot be translated, mount_setattr(2) "ID-mapped mounts": which of the mounts, and what about it.

use super::super::key::keys;
use super::super::user_namespace::UserNamespace;
use super::filesystem;
use super::view::View;
use crate::host::table::Mounted;
use insula_sys::mount::{MountAttr, mount_setattr};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{CWD, Mode, OFlags, open};
use rustix::io::Errno;
use rustix::mount::{OpenTreeFlags, open_tree};
use std::fmt;

/// The cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Idmap {
    /// The file system cannot.
    Filesystem {
        /// Where it is mounted.
        point: String,
        /// Its type.
        fstype: String,
    },
    /// They are translated already.
    Already {
        /// Where it is mounted.
        point: String,
    },
    /// The initial user namespace was to translate.
    Initial,
    /// Only root where the file system was mounted may.
    NotOurs {
        /// Where it is mounted.
        point: String,
        /// Its type.
        fstype: String,
    },
}

keys! { Idmap {
    Filesystem = "idmap-filesystem",
    Already = "idmap-already",
    Initial = "idmap-initial",
    NotOurs = "idmap-not-ours",
} }

impl fmt::Display for Idmap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Idmap::Filesystem { point, fstype } => {
                write!(f, "the {fstype} mounted on `{point}` cannot translate ids (idmapped mounts)")
            }
            Idmap::Already { point } => write!(f, "the ids of the mount `{point}` are translated already"),
            Idmap::Initial => f.write_str(
                "the user namespace that was to translate is the initial one, which translates nothing",
            ),
            Idmap::NotOurs { point, fstype } => write!(
                f,
                "the {fstype} on `{point}` was mounted from another user namespace, and its ids may be translated with \
                 CAP_SYS_ADMIN of that one only"
            ),
        }
    }
}

impl Idmap {
    /// What to do about it.
    pub fn cure(&self) -> String {
        match self {
            Idmap::Filesystem { .. } => {
                "`--userns identity` or, for a volume, `:noidmap` does without; ext4, xfs, btrfs and, from Linux 6.3 on, tmpfs can".to_owned()
            }
            Idmap::Already { .. } => "start from the mount that it was cloned of, as it is on disk".to_owned(),
            Idmap::Initial => "take a user namespace with the map that is wanted: `unshare --user --map-users=…`".to_owned(),
            Idmap::NotOurs { .. } => {
                "be root of the host for it; an ordinary user maps its files' owner instead (`--map-root-user`, `--userns keep-id`)".to_owned()
            }
        }
    }
}

/// Looks for the cause, mount by mount; where it can be tried again without an effect, that is done.
pub(super) fn refused(
    path: &str,
    recursive: bool,
    by: Option<i32>,
    errno: Errno,
    view: &View<'_>,
) -> Option<Idmap> {
    if !matches!(errno, Errno::INVAL | Errno::PERM) {
        return None;
    }
    let top = view.mount(path)?;
    let below = if recursive { view.below(path) } else { Vec::new() };
    let mounts: Vec<&Mounted> = std::iter::once(top).chain(below).collect();
    if errno == Errno::PERM {
        if let Some(mount) = mounts.iter().find(|mount| mount.has("idmapped")) {
            return Some(Idmap::Already { point: mount.point.clone() });
        }
        let by = user_namespace(by).and_then(|file| UserNamespace::behind(&file));
        if by.is_some_and(|by| by.is_initial()) {
            return Some(Idmap::Initial);
        }
        // What a user namespace may not mount was mounted from outside.
        let other = mounts.iter().find(|mount| !filesystem::is_for_users(&mount.fstype))?;
        return view
            .is_in_user_namespace()
            .then(|| Idmap::NotOurs { point: other.point.clone(), fstype: other.fstype.clone() });
    }
    let userns = user_namespace(by)?;
    let mount = mounts.into_iter().find(|mount| is_refused(mount, &userns))?;
    Some(Idmap::Filesystem { point: mount.point.clone(), fstype: mount.fstype.clone() })
}

/// That of the process by whose it was to be done, if that is known.
fn user_namespace(of: Option<i32>) -> Option<OwnedFd> {
    open(format!("/proc/{}/ns/user", of?), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()
}

/// Tries it on a detached clone, which nobody sees and which goes with its descriptor.
fn is_refused(mount: &Mounted, userns: &OwnedFd) -> bool {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let Ok(tree) = open_tree(CWD, mount.point.as_str(), flags) else { return false };
    mount_setattr(tree.as_fd(), false, MountAttr::default(), Some(userns.as_fd())) == Err(Errno::INVAL)
}
