//! The level of a pid namespace: how many parents it is above that of a process, and so which of the process' pids holds there.

use crate::error::Error;
use crate::process::Process;
use crate::status::{self, Status};
use insula_launch::plan::Kind;
use insula_sys::nsfs;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::fstat;
use rustix::io::Errno;

/// A pid namespace that was asked for, by its file.
#[derive(Debug, Clone, Copy)]
pub struct There<'a> {
    /// Its file.
    pub file: BorrowedFd<'a>,
    /// What people call it, as it stands in messages.
    pub name: &'a str,
}

/// The pid that a process has in a namespace, by its levels; `None`: it has none there.
pub(super) fn in_levels(process: &Process, there: There<'_>) -> Result<Option<i32>, Error> {
    let status = status_of(process)?;
    let refused = |errno| Error::process("look at the pid namespace".to_owned(), process.pid, errno);
    let own = process.namespace(Kind::Pid).map_err(refused)?;
    Ok(steps_up(own, there.file).and_then(|steps| status.pids.iter().rev().nth(steps).copied()))
}

/// How many parents above `from` a namespace is; `None`: it is none of them that the kernel shows.
fn steps_up(from: OwnedFd, to: BorrowedFd<'_>) -> Option<usize> {
    let goal = numbers(to)?;
    let mut namespace = from;
    for steps in 0.. {
        if numbers(namespace.as_fd())? == goal {
            return Some(steps);
        }
        namespace = nsfs::parent(namespace.as_fd()).ok()?;
    }
    None
}

fn numbers(file: BorrowedFd<'_>) -> Option<(u64, u64)> {
    fstat(file).ok().map(|stat| (stat.st_dev, stat.st_ino))
}

/// The status of a process. That of a zombie still has its pids.
pub(super) fn status_of(process: &Process) -> Result<Status, Error> {
    match process.read(c"status") {
        Ok(text) => Ok(status::parse(&String::from_utf8_lossy(&text))),
        Err(Errno::SRCH | Errno::NOENT) => Err(Error::NoProcess(process.pid)),
        Err(errno) => Err(Error::process("read the status".to_owned(), process.pid, errno)),
    }
}
