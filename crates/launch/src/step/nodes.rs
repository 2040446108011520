//! Device nodes: the host's own, bound one by one, because a user namespace can make none.

use super::source::{attach, clone};
use super::{Child, Describe};
use crate::fault::{Call, Done, Fault};
use crate::resolve::{self, Make, Target};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{CWD, FileType, Stat, fstat, major, minor};
use rustix::io::Errno;
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
}

/// The step.
#[derive(Debug)]
pub struct Nodes(pub Vec<Node>);

impl Nodes {
    pub(super) fn run(&self, at: &mut Child<'_>) -> Done {
        let root = at.root.as_ref().ok_or(Fault { call: Call::Check, errno: Errno::BADF })?;
        for node in &self.0 {
            let tree = clone(CWD, &node.source, false)?;
            prove(&tree, node.number)?;
            attach(&tree, resolve::make(root.as_fd(), &node.target, Make::File)?.as_fd())?;
        }
        Ok(())
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
        f.write_str("bind the devices")?;
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
