//! Device nodes: made where that is allowed, else the host's own, bound one by one, because a user namespace can make none.

use super::source::{attach, clone};
use super::{Child, Describe};
use crate::fault::{Call, Done, Fault};
use crate::resolve::{self, Make, Target};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, FileType, Mode, Stat, chownat, fstat, major, makedev, minor, mknodat};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};
use std::borrow::Cow;
use std::ffi::{CStr, CString};
use std::fmt;

/// A device of the host and its place in the container.
#[derive(Debug)]
pub struct Node {
    /// Its path on the host.
    pub source: CString,
    /// Its path in the container.
    pub target: Target,
    /// What it must be: (major, minor), if that is known beforehand.
    pub number: Option<(u32, u32)>,
    /// How it is made; `None`: the host's is bound.
    pub make: Option<New>,
}

/// A node that is made, mknod(2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct New {
    /// A character or block device, or a FIFO.
    pub kind: FileType,
    /// Its permissions.
    pub mode: u32,
    /// Whose it is.
    pub uid: u32,
    /// Whose it is.
    pub gid: u32,
}

/// The step.
#[derive(Debug)]
pub struct Nodes(pub Vec<Node>);

impl Nodes {
    pub(super) fn run(&self, at: &mut Child<'_>) -> Done {
        let root = at.root.as_ref().ok_or(Fault { call: Call::Check, errno: Errno::BADF })?;
        // Mostly all of them are in /dev: it is looked for once.
        let mut parent = None;
        for node in &self.0 {
            if let Some(new) = node.make
                && node.made(root.as_fd(), new, &mut parent)?
            {
                continue;
            }
            let tree = clone(CWD, &node.source, false)?;
            prove(&tree, node.number)?;
            attach(&tree, resolve::make(root.as_fd(), &node.target, Make::File)?.as_fd())?;
        }
        Ok(())
    }
}

impl Node {
    /// Makes it; `false`: something is there already, or we may not, so that the host's has to be bound.
    ///
    /// `parent` is the directory of the node before.
    fn made<'a>(
        &'a self,
        root: BorrowedFd<'_>,
        new: New,
        parent: &mut Option<(&'a CStr, OwnedFd)>,
    ) -> Result<bool, Fault> {
        let Some((above, name)) = self.target.within() else { return Ok(false) };
        if let Some(above) = above
            && parent.as_ref().is_none_or(|(path, _)| *path != above)
        {
            let made = resolve::make_parent(root, &self.target)?;
            *parent = made.and_then(|(directory, _)| Some((above, directory?)));
        }
        let directory = parent.as_ref().filter(|_| above.is_some()).map_or(root, |(_, fd)| fd.as_fd());
        let (major, minor) = self.number.unwrap_or((0, 0));
        // The umask is empty by now, so that this is its mode.
        let mode = Mode::from_raw_mode(new.mode);
        match mknodat(directory, name, new.kind, mode, makedev(major, minor)) {
            Ok(()) => {}
            Err(Errno::EXIST | Errno::PERM) if new.kind != FileType::Fifo => return Ok(false),
            Err(errno) => return Err(Fault { call: Call::Mknodat, errno }),
        }
        let (uid, gid) = (Uid::from_raw(new.uid), Gid::from_raw(new.gid));
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        chownat(directory, name, Some(uid), Some(gid), flags).map_err(Call::Fchown.failed())?;
        Ok(true)
    }
}

/// Is it the device that it should be? ENODEV otherwise: a file in its place may be anybody's.
pub(super) fn prove(node: &OwnedFd, number: Option<(u32, u32)>) -> Done {
    let stat: Stat = fstat(node).map_err(Call::Fstat.failed())?;
    let kind = FileType::from_raw_mode(stat.st_mode);
    let device = matches!(kind, FileType::CharacterDevice | FileType::BlockDevice);
    let right = number.is_none_or(|wanted| (major(stat.st_rdev), minor(stat.st_rdev)) == wanted);
    if device && right { Ok(()) } else { Err(Fault { call: Call::Check, errno: Errno::NODEV }) }
}

/// A clone of the host's /dev/null, proven to be that: character device 1:3.
pub(super) fn null(path: &CStr) -> Result<OwnedFd, Fault> {
    let tree = clone(CWD, path, false)?;
    prove(&tree, Some((1, 3)))?;
    Ok(tree)
}

impl fmt::Display for Nodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let makes = self.0.iter().any(|node| node.make.is_some());
        f.write_str(if makes { "make the devices" } else { "bind the devices" })?;
        self.0.iter().try_for_each(|node| write!(f, " {}", node.target.shown()))
    }
}

impl Describe for Nodes {
    const NAME: &'static str = "nodes";

    fn why(&self) -> Cow<'static, str> {
        "a user namespace may make no device nodes, and what stands in the image may be anything".into()
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        match (fault.call, fault.errno) {
            (Call::Check, Errno::NODEV) => {
                Some("a path of the host's /dev is not the device of that name".into())
            }
            (Call::OpenTree, Errno::NOENT) => Some("a device does not exist on the host".into()),
            _ => None,
        }
    }
}
