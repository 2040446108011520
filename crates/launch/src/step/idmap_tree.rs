//! Clones a mount from the host and translates its ids for the container, mount_setattr(2) `MOUNT_ATTR_IDMAP`.

use super::{Describe, Parent};
use crate::fault::{Call, Done, Fault};
use crate::kit::Slot;
use crate::why::{Act, Around, Attempt};
use insula_sys::mount::{MountAttr, mount_setattr};
use insula_sys::nsfs;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{CWD, Mode, OFlags, open};
use rustix::io::Errno;
use rustix::mount::{OpenTreeFlags, open_tree};
use std::borrow::Cow;
use std::ffi::CString;
use std::fmt;

/// The step.
#[derive(Debug)]
pub struct IdmapTree {
    /// What is cloned: a path on the host.
    pub source: CString,
    /// With the mounts below it.
    pub recursive: bool,
    /// Whose maps translate its ids.
    pub shift: Shift,
    /// Those of the mounts below it too: `ridmap`.
    pub all: bool,
    /// Where the detached tree goes.
    pub slot: Slot,
}

/// Whose maps translate ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shift {
    /// Nobody's: the clone is as it is (a child in its own user namespace may not clone it: its mounts are locked there).
    Nobody,
    /// The child's user namespace's.
    Container,
    /// Those of the user namespace in this slot ([`MountMaps`](super::MountMaps)).
    By(Slot),
}

impl IdmapTree {
    pub(super) fn run(&self, at: &mut Parent<'_>) -> Done {
        let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
        if self.recursive {
            flags |= OpenTreeFlags::AT_RECURSIVE;
        }
        let tree = open_tree(CWD, self.source.as_c_str(), flags).map_err(Call::OpenTree.failed())?;
        let shift = |tree: &OwnedFd, userns| {
            mount_setattr(tree.as_fd(), self.all, MountAttr::default(), Some(userns))
                .map_err(Call::MountSetattr.failed())
        };
        match self.shift {
            Shift::Nobody => {}
            Shift::Container => {
                let userns = match at.userns.take() {
                    Some(userns) => userns,
                    None => user_namespace(at)?,
                };
                let done = shift(&tree, userns.as_fd());
                at.userns = Some(userns);
                done?;
            }
            Shift::By(slot) => shift(&tree, at.kit.get(slot).map_err(Call::Check.failed())?)?,
        }
        at.kit.put(self.slot, tree).map_err(Call::OpenTree.failed())
    }
}

/// The child's user namespace: by its pidfd where the kernel can (Linux 6.11), else by /proc.
fn user_namespace(at: &Parent<'_>) -> Result<OwnedFd, Fault> {
    nsfs::user_of(at.pidfd).or_else(|_| {
        open(format!("/proc/{}/ns/user", at.pid), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            .map_err(Call::Openat2.failed())
    })
}

impl fmt::Display for IdmapTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "clone the mount `{}`", self.source.to_string_lossy())?;
        if self.recursive {
            f.write_str(" with all below it")?;
        }
        let top_alone = self.recursive && !self.all;
        f.write_str(match self.shift {
            Shift::Nobody => "",
            Shift::Container if top_alone => ", the ids of the uppermost as the container's",
            Shift::Container => ", its ids as the container's",
            Shift::By(_) if top_alone => ", the ids of the uppermost by maps of its own",
            Shift::By(_) => ", its ids by maps of its own",
        })
    }
}

impl Describe for IdmapTree {
    const NAME: &'static str = "idmap-tree";

    fn why(&self) -> Cow<'static, str> {
        if self.shift != Shift::Nobody {
            "files keep their owners on disk and belong to the same names inside; only the host's root may do it".into()
        } else {
            "only a process with rights in the host's mount namespace may clone it".into()
        }
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        match (fault.call, fault.errno) {
            (Call::MountSetattr, Errno::INVAL) if matches!(self.shift, Shift::By(_)) => Some(
                "its file system cannot translate ids (idmapped mounts), or they are translated already: leave \
                 `uidMappings` and `gidMappings` out, or take another file system (ext4, xfs, btrfs, from Linux 6.3 on tmpfs)"
                    .into(),
            ),
            (Call::MountSetattr, Errno::PERM) if matches!(self.shift, Shift::By(_)) => Some(
                "the ids of this mount are translated already, or it was mounted from another user namespace: start from \
                 the mount that it was cloned of"
                    .into(),
            ),
            (Call::MountSetattr, Errno::INVAL) => Some(
                "its file system cannot translate ids (idmapped mounts); `--userns=identity` or, for a volume, \
                 `:noidmap` does without"
                    .into(),
            ),
            (Call::OpenTree, Errno::NOENT) => Some("the source does not exist on the host".into()),
            _ => None,
        }
    }

    fn hands_over(&self) -> Option<Slot> {
        Some(self.slot)
    }

    fn act(&self, fault: &Fault, _around: &Around<'_>) -> Option<Act> {
        let path = self.source.to_string_lossy().into_owned();
        match fault.call {
            // The look goes by a process in the namespace that translates: of maps of their own there is none.
            Call::MountSetattr if matches!(self.shift, Shift::By(_)) => None,
            Call::MountSetattr => {
                Some(Act::Mount(Attempt::Translate { path, recursive: self.all, by: None }))
            }
            Call::OpenTree => {
                Some(Act::Mount(Attempt::Bind { source: path, recursive: self.recursive, target: None }))
            }
            _ => None,
        }
    }
}
