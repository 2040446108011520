//! Masks paths, and makes paths read-only: `linux.maskedPaths` and `linux.readonlyPaths` of the runtime spec.

use super::source::{Source, attach, clone};
use super::{Child, Describe, nodes};
use crate::fault::{Call, Done, Fault};
use crate::resolve::{self, Target};
use insula_sys::mount::{MountAttr, attr, mount_setattr};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{FileType, fstat};
use rustix::io::Errno;
use rustix::mount::MountAttrFlags;
use std::borrow::Cow;
use std::fmt;

/// Finds a path that may be missing; both steps are for paths "if they are there".
fn find(at: &Child<'_>, target: &Target) -> Result<Option<OwnedFd>, Fault> {
    let root = at.root.as_ref().ok_or(Fault { call: Call::Check, errno: Errno::BADF })?;
    match resolve::locate(root.as_fd(), target.as_c_str()) {
        Ok(found) => Ok(Some(found)),
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
        Err(errno) => Err(Fault { call: Call::Openat2, errno }),
    }
}

/// Hides a path: /dev/null over a file, an empty read-only tmpfs over a directory.
#[derive(Debug)]
pub struct Mask {
    /// What is hidden.
    pub target: Target,
    /// The tmpfs for directories.
    pub empty: Source,
}

impl Mask {
    pub(super) fn run(&self, at: &mut Child<'_>) -> Done {
        let Some(found) = find(at, &self.target)? else { return Ok(()) };
        let mode = fstat(&found).map_err(Call::Fstat.failed())?.st_mode;
        if FileType::from_raw_mode(mode) != FileType::Directory {
            return attach(&nodes::null(c"/dev/null")?, found.as_fd());
        }
        match &at.empty {
            // A clone of the first costs less than a file system of its own.
            Some(empty) => attach(&clone(empty.as_fd(), c"", false)?, found.as_fd()),
            None => {
                let attrs = MountAttrFlags::MOUNT_ATTR_RDONLY
                    | MountAttrFlags::MOUNT_ATTR_NOSUID
                    | MountAttrFlags::MOUNT_ATTR_NODEV
                    | MountAttrFlags::MOUNT_ATTR_NOEXEC;
                let tree = self.empty.tree(at, attrs)?;
                attach(&tree, found.as_fd())?;
                at.empty = Some(tree);
                Ok(())
            }
        }
    }
}

impl fmt::Display for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mask {}, if it is there", self.target.shown())
    }
}

impl Describe for Mask {
    const NAME: &'static str = "mask";

    fn why(&self) -> Cow<'static, str> {
        "what it shows is the whole machine's".into()
    }
}

/// Makes a path read-only, with all mounts below it.
#[derive(Debug)]
pub struct ReadOnly {
    /// Which path.
    pub target: Target,
}

impl ReadOnly {
    pub(super) fn run(&self, at: &mut Child<'_>) -> Done {
        let Some(found) = find(at, &self.target)? else { return Ok(()) };
        let tree = clone(found.as_fd(), c"", true)?;
        let attrs = MountAttr { set: attr::RDONLY, ..MountAttr::default() };
        mount_setattr(tree.as_fd(), true, attrs, None).map_err(Call::MountSetattr.failed())?;
        attach(&tree, found.as_fd())
    }
}

impl fmt::Display for ReadOnly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "make {} read-only, if it is there", self.target.shown())
    }
}

impl Describe for ReadOnly {
    const NAME: &'static str = "read-only";

    fn why(&self) -> Cow<'static, str> {
        "what is written there changes the whole machine".into()
    }
}
