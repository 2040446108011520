//! Namespaces that mounts keep: where they are, and whether what is there is the one that was named.

use super::cookie;
use super::part::{Part, State};
use super::record::Process;
use super::trouble::Stale;
use crate::id::Identity;
use crate::name::NETNS;
use insula_launch::plan::Kind;
use insula_sys::nsfs;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags, open as open_file};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::path::{Path, PathBuf};

/// The mode of a pin's file, until the mount hides it: the one by which [`crate::netns`] knows what it has left.
pub const MODE: u32 = 0o200;

/// What is known of namespaces besides their identities.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known {
    /// The first process of the pid namespace.
    pub init: Option<Process>,
    /// The cookie of the network namespace, where it has no id.
    pub cookie: Option<u64>,
}

/// Where a mount keeps a namespace of a kind. Network namespaces lie where `ip` has them; mount namespaces apart, below a
/// private mount.
pub fn path(store: &str, name: &str, kind: Kind) -> PathBuf {
    match kind {
        Kind::Net => Path::new(NETNS).join(name),
        Kind::Mnt => PathBuf::from(format!("{store}/mnt/{name}")),
        kind => PathBuf::from(format!("{store}/pin/{name}/{}", kind.name())),
    }
}

/// Opens what is mounted there, and looks whether it is the one.
pub fn open(path: &Path, part: &Part, known: Known) -> Result<Result<OwnedFd, Stale>, Errno> {
    // O_NONBLOCK: what is there may be a FIFO.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::NOFOLLOW;
    let file = match open_file(path, flags, Mode::empty()) {
        Ok(file) => file,
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(Err(Stale::Unmounted)),
        Err(errno) => return Err(errno),
    };
    Ok(compare(file.as_fd(), part, known).map_or(Ok(file), Err))
}

/// How it is found there.
pub fn state(path: &Path, part: &Part, known: Known) -> State {
    match open(path, part, known) {
        Ok(Ok(_)) => State::Live,
        Ok(Err(stale)) => State::Stale(stale),
        Err(_) => State::Unseen,
    }
}

/// Is an open file not that namespace? Then why.
pub fn compare(file: BorrowedFd<'_>, part: &Part, known: Known) -> Option<Stale> {
    match Identity::of_file(file) {
        Err(_) => Some(Stale::Unmounted),
        Ok(found) if !found.same(&part.identity) => Some(Stale::Another),
        Ok(found) if is_anothers_inode(file, &found, known.cookie) => Some(Stale::Another),
        Ok(_) if part.kind == Kind::Pid && has_no_init(file, known.init) => Some(Stale::InitEnded),
        Ok(_) => None,
    }
}

/// Without ids: has another network namespace got the inode?
pub fn is_anothers_inode(file: BorrowedFd<'_>, found: &Identity, cookie: Option<u64>) -> bool {
    let is_without = found.kind == Kind::Net && found.id.is_none();
    is_without && cookie.is_some_and(|cookie| cookie::of(file).is_some_and(|found| found != cookie))
}

/// Has the first process of a pid namespace ended? Then no other can be born there, pid_namespaces(7).
fn has_no_init(pids: BorrowedFd<'_>, init: Option<Process>) -> bool {
    match nsfs::process_of(pids, 1) {
        Ok(pid) => has_ended(pid),
        // Nor does one have a number here in a namespace that is not below ours, where nobody of us could enter either.
        Err(Errno::SRCH) => nsfs::parent(pids).is_ok(),
        // Before Linux 6.11.
        Err(_) => init.is_some_and(|init| !init.lives()),
    }
}

/// Nobody may have waited for it yet.
fn has_ended(pid: i32) -> bool {
    let pidfd = Pid::from_raw(pid).ok_or(Errno::SRCH).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()));
    match pidfd {
        Ok(pidfd) => {
            let mut one = [PollFd::new(&pidfd, PollFlags::IN)];
            matches!(poll(&mut one, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })), Ok(1..))
        }
        Err(errno) => errno == Errno::SRCH,
    }
}
