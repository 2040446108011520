//! Pids across pid namespaces: a process has one in its own and in each above it, and in no other (pid_namespaces(7)).
//!
//! Linux 6.11 translates by ioctl_ns(2). Before that the same is found by `NSpid` of /proc/PID/status, which lists the pids
//! of a process from the pid namespace of /proc downwards, and the parents of its pid namespace.

mod level;
mod scan;

pub use level::There;

use crate::error::Error;
use crate::process::Process;
use insula_launch::plan::Kind;
use insula_sys::nsfs;
use level::{in_levels, status_of};
use rustix::fd::AsFd;
use rustix::fs::fstat;
use rustix::io::Errno;

/// One level: a pid namespace, and the pid that a process has there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level {
    /// The pid there.
    pub pid: i32,
    /// The namespace's inode in nsfs; `None`: we may not look.
    pub inode: Option<u64>,
    /// Its 64-bit id (Linux 6.18).
    pub id: Option<u64>,
}

/// The pids of a process at each level, from the pid namespace of /proc down to its own.
pub fn levels(pid: i32) -> Result<Vec<Level>, Error> {
    let process = Process::open(pid)?;
    let status = status_of(&process)?;
    let mut levels: Vec<Level> =
        status.pids.iter().map(|pid| Level { pid: *pid, inode: None, id: None }).collect();
    // Upwards from its own, as far as the kernel shows parents: up to our own pid namespace.
    let mut namespace = process.namespace(Kind::Pid).ok();
    for level in levels.iter_mut().rev() {
        let Some(file) = namespace else { break };
        level.inode = fstat(&file).ok().map(|stat| stat.st_ino);
        level.id = nsfs::id(file.as_fd()).ok();
        namespace = nsfs::parent(file.as_fd()).ok();
    }
    Ok(levels)
}

/// The pid that a process of ours has in another pid namespace. [`Error::NotVisible`]: it has none there.
pub fn there(pid: i32, there: There<'_>) -> Result<i32, Error> {
    let process = Process::open(pid)?;
    if proc_is_ours() {
        match nsfs::pid_in(there.file, pid) {
            Ok(found) => return Ok(found),
            // Older than Linux 6.11, or behind a filter of system calls.
            Err(Errno::NOTTY | Errno::NOSYS) => {}
            Err(Errno::SRCH) => {
                // Was it so while it lived?
                status_of(&process)?;
                return Err(Error::NotVisible { pid, namespace: there.name.to_owned() });
            }
            Err(errno) => return Err(Error::File("translate a pid into", there.name.to_owned(), errno)),
        }
    }
    in_levels(&process, there)?.ok_or_else(|| Error::NotVisible { pid, namespace: there.name.to_owned() })
}

/// Our pid for what another pid namespace calls `pid`. [`Error::NoPid`]: nothing that we see is called so there.
pub fn here(there: There<'_>, pid: i32) -> Result<i32, Error> {
    if proc_is_ours() {
        match nsfs::pid_from(there.file, pid) {
            // 0: it is there, and has no pid with us.
            Ok(0) | Err(Errno::SRCH) => {
                return Err(Error::NoPid { pid, namespace: there.name.to_owned(), unseen: 0 });
            }
            Ok(found) => return Ok(found),
            Err(Errno::NOTTY | Errno::NOSYS) => {}
            Err(errno) => return Err(Error::File("translate a pid from", there.name.to_owned(), errno)),
        }
    }
    scan::find(there, pid)
}

/// Does /proc show the pid namespace that we are in? The kernel translates to and from ours; people read pids in /proc.
pub fn proc_is_ours() -> bool {
    let own = rustix::process::getpid().as_raw_nonzero().to_string();
    rustix::fs::readlink("/proc/self", Vec::new()).is_ok_and(|link| link.as_bytes() == own.as_bytes())
}
