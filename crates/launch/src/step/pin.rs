//! Keeps a namespace of the newborn at a file that is made for it: a name that outlives every process, namespaces(7).
//!
//! [`Persist`](super::Persist) takes a file that the caller of unshare(1) has made. Here file and mount come together: what
//! a sudden death leaves between the two is an empty file of a mode that the mount then hides, so that it can be told.

use super::{Describe, Parent};
use crate::fault::{Call, Done, Fault};
use crate::plan::Kind;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{CWD, FlockOperation, Mode, OFlags, flock, open, unlink};
use rustix::io::Errno;
use rustix::mount::{MoveMountFlags, OpenTreeFlags, move_mount, open_tree};
use std::borrow::Cow;
use std::ffi::{CStr, CString};
use std::fmt;

/// The step.
#[derive(Debug)]
pub struct Pin {
    /// Which namespace of the process: of pid and time, the one of its children, which is the new one.
    pub kind: Kind,
    /// The file, which must not be there.
    pub target: CString,
    /// The file's mode, until the mount hides it.
    pub mode: u32,
    /// The directory whose lock (flock(2)) is held meanwhile, where others make such files.
    pub lock: Option<CString>,
}

impl Pin {
    pub(super) fn run(&self, at: &mut Parent<'_>) -> Done {
        let source = format!("/proc/{}/{}", at.pid, self.kind.file_for_children().to_string_lossy());
        let file = open(source.as_str(), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            .map_err(Call::Fstat.failed())?;
        let directory = self.lock.as_ref().map(|path| {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let directory = open(path.as_c_str(), flags, Mode::empty())?;
            // A file system without locks: `ip` goes on without, and so do we.
            while flock(&directory, FlockOperation::LockExclusive) == Err(Errno::INTR) {}
            Ok(directory)
        });
        let directory = directory.transpose().map_err(Call::Openat2.failed())?;
        let done = pin(file.as_fd(), &self.target, Mode::from_raw_mode(self.mode));
        drop(directory);
        done
    }
}

/// Makes the file, and mounts the namespace that `file` is open on there; both or none. By descriptor: no /proc is needed,
/// and its process may be gone meanwhile.
pub fn pin(file: BorrowedFd<'_>, target: &CStr, mode: Mode) -> Done {
    let flags = OFlags::RDONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    drop(open(target, flags, mode).map_err(Call::Openat2.failed())?);
    let flags =
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_EMPTY_PATH;
    let mounted = open_tree(file, c"", flags).map_err(Call::OpenTree.failed()).and_then(|tree| {
        move_mount(tree.as_fd(), c"", CWD, target, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
            .map_err(Call::MoveMount.failed())
    });
    mounted.inspect_err(|_| {
        // The first failure is told; an empty file that stays is known for what it is.
        let _ = unlink(target);
    })
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "keep the {} namespace at `{}`", self.kind.name(), self.target.to_string_lossy())
    }
}

impl Describe for Pin {
    const NAME: &'static str = "pin";

    fn why(&self) -> Cow<'static, str> {
        match self.kind {
            Kind::Mnt => "apart from the others, below a private mount: one of a mount namespace may not spread, or it would \
                          hold itself"
                .into(),
            Kind::Net => "where `ip netns` looks for it, under the lock that it takes".into(),
            _ => "with a mount on it a namespace stays without a process in it".into(),
        }
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        Some(match (fault.call, fault.errno) {
            (Call::Openat2, Errno::EXIST) => {
                "there is such a file already: another command was quicker".into()
            }
            (Call::Fstat, Errno::NOENT) => {
                "/proc is not mounted here, or this kernel has no such kind of namespace".into()
            }
            (Call::OpenTree | Call::MoveMount, Errno::INVAL | Errno::LOOP) if self.kind == Kind::Mnt => {
                mount_namespace().into()
            }
            (Call::OpenTree | Call::MoveMount, Errno::PERM) => {
                "mounting wants CAP_SYS_ADMIN in the present mount namespace".into()
            }
            (Call::OpenTree | Call::MoveMount, Errno::NOSPC) => {
                "there are too many mounts: sysctl fs.mount-max".into()
            }
            _ => return None,
        })
    }
}

/// Why a mount namespace may not be mounted here.
pub fn mount_namespace() -> &'static str {
    "a mount namespace cannot be mounted within itself, nor within one that is younger than it (Linux 6.18 compares numbers \
     that each CPU gives by itself), for they could hold each other for ever: call from an older one, as that of pid 1; or \
     let a process hold it: `--keeper`"
}
