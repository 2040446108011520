//! Which network namespace it is, on a kernel without namespace ids (before Linux 6.18).
//!
//! There inodes are given again at once: whoever deletes a name of `ip` and adds one makes another network namespace of the
//! same inode. A network namespace has a number that is never given twice, for its sockets (`SO_NETNS_COOKIE`, socket(7),
//! Linux 5.14). The other kinds are mounted where nobody else mounts anything.

use crate::netns::inside;
use insula_sys::net::namespace_cookie;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::io::fcntl_dupfd_cloexec;

/// The number, as a socket that is opened there for a moment tells it. `None`: it may not be entered, or there are none.
pub(super) fn of(file: BorrowedFd<'_>) -> Option<u64> {
    let file = fcntl_dupfd_cloexec(file, 0).ok()?;
    let there = inside::look(file, "the network namespace".to_owned(), |there| {
        Ok(namespace_cookie(there.socket.as_fd()).ok())
    });
    there.ok().flatten()
}
