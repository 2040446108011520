//! The root file system in the making, and the layers of its overlays.

use super::source::{Source, attach, clone};
use super::{Child, Describe};
use crate::fault::{Call, Done, Fault};
use crate::kit::Slot;
use crate::resolve::{self, Make, Target};
use crate::why::{Act, Around, Attempt};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::CWD;
use rustix::io::Errno;
use rustix::mount::{MountAttrFlags, MoveMountFlags, move_mount};
use std::borrow::Cow;
use std::ffi::CString;
use std::fmt;

/// Attaches over `/`: absolute paths still lead to the old root below it, so nothing of it is hidden from later steps.
fn over_root(tree: &OwnedFd) -> Result<(), Fault> {
    move_mount(tree, c"", CWD, c"/", MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
        .map_err(Call::MoveMount.failed())
}

/// Where changes are kept.
#[derive(Debug)]
pub enum Kept {
    /// Nowhere: in a tmpfs that ends with the container.
    Vanish,
    /// In a directory that the child sees, attached at a place of the scratch file system.
    Path(CString, Target),
    /// In a tree that the parent cloned, with its path for people.
    Made(Slot, CString, Target),
}

/// Makes a place for the overlays' layers, out of the container's reach.
#[derive(Debug)]
pub struct Layers {
    /// The tmpfs in which everything is attached.
    pub scratch: Source,
    /// Where the upper layers go.
    pub kept: Kept,
}

impl Layers {
    pub(super) fn run(&self, at: &mut Child<'_>) -> Done {
        let attrs = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV;
        let scratch = self.scratch.tree(at, attrs)?;
        over_root(&scratch)?;
        let kept = match &self.kept {
            Kept::Vanish => None,
            Kept::Path(path, place) => Some((clone(CWD, path, false)?, place)),
            Kept::Made(slot, _, place) => {
                Some((at.kit.take(*slot).ok_or(Fault { call: Call::Check, errno: Errno::BADF })?, place))
            }
        };
        at.layers = Some(match kept {
            None => scratch,
            // An upper layer must be attached in this mount namespace (before Linux 6.15).
            Some((kept, place)) => {
                attach(&kept, resolve::make(scratch.as_fd(), place, Make::Directory)?.as_fd())?;
                kept
            }
        });
        Ok(())
    }
}

impl Layers {
    /// The directory in which changes are kept.
    pub fn kept_path(&self) -> Option<String> {
        match &self.kept {
            Kept::Vanish => None,
            Kept::Path(path, _) | Kept::Made(_, path, _) => Some(path.to_string_lossy().into_owned()),
        }
    }
}

impl fmt::Display for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kept {
            Kept::Vanish => f.write_str("make a place for changes in memory; they end with the container"),
            Kept::Path(path, _) | Kept::Made(_, path, _) => {
                write!(f, "keep changes below `{}`", path.to_string_lossy())
            }
        }
    }
}

impl Describe for Layers {
    const NAME: &'static str = "layers";

    fn why(&self) -> Cow<'static, str> {
        "an overlay's upper layer must be out of the container's sight, or it could be changed under the overlay".into()
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        (fault.call == Call::OpenTree && fault.errno == Errno::INVAL)
            .then(|| "the directory of `--keep` holds other mounts; choose one that does not".into())
    }

    fn act(&self, fault: &Fault, around: &Around<'_>) -> Option<Act> {
        let attempt = match (&self.kept, fault.call) {
            (Kept::Path(path, _), Call::OpenTree) => {
                Attempt::Bind { source: path.to_string_lossy().into_owned(), recursive: false, target: None }
            }
            (_, Call::Mkdirat | Call::Openat2 | Call::Check) => return None,
            _ => self.scratch.attempt(around)?,
        };
        Some(Act::Mount(attempt))
    }
}

/// Attaches the root file system.
#[derive(Debug)]
pub struct Rootfs {
    /// Where it comes from.
    pub source: Source,
}

impl Rootfs {
    pub(super) fn run(&self, at: &mut Child<'_>) -> Done {
        let tree = self.source.tree(at, MountAttrFlags::empty())?;
        over_root(&tree)?;
        at.root = Some(tree);
        Ok(())
    }
}

impl fmt::Display for Rootfs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the root file system: {}", self.source)
    }
}

impl Describe for Rootfs {
    const NAME: &'static str = "rootfs";

    fn why(&self) -> Cow<'static, str> {
        "it must be a mount of its own before anything is put on it and before pivot_root takes it".into()
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        match (&self.source, fault.call, fault.errno) {
            (Source::Overlay(_), Call::Fsopen, Errno::NODEV) => {
                Some("this kernel has no overlay file system (CONFIG_OVERLAY_FS, module overlay)".into())
            }
            (_, Call::OpenTree, Errno::INVAL) => Some(
                "in a user namespace a mount with other mounts below it can be cloned only with them: they are locked"
                    .into(),
            ),
            _ => None,
        }
    }

    fn act(&self, fault: &Fault, around: &Around<'_>) -> Option<Act> {
        let is_elsewhere = matches!(fault.call, Call::Mkdirat | Call::Check);
        self.source.attempt(around).filter(|_| !is_elsewhere).map(Act::Mount)
    }
}
