//! A network namespace that is open, with a socket in it.
//!
//! A socket stays in the namespace that it was opened in. So a process opens one where it is, then enters each other
//! namespace in turn and opens one there; it need not come back.

use crate::error::{Act, Error};
use crate::socket::{Socket, refused};
use insula_sys::nsfs;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags, fstat, open, stat};
use rustix::io::Errno;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// This thread's own, even where another thread of the process is elsewhere.
const OWN: &str = "/proc/thread-self/ns/net";

/// A network namespace.
#[derive(Debug)]
pub struct Network {
    /// A file of the namespace.
    pub file: OwnedFd,
    /// A socket in it.
    pub socket: Socket,
    /// What people call it, as it stands in messages: "the network namespace `a`", "the host's network namespace".
    pub name: String,
}

impl Network {
    /// The one that this thread is in.
    pub fn here(name: impl Into<String>) -> Result<Network, Error> {
        let name = name.into();
        let file = open(OWN, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|errno| refused(Act::Enter, &format!("open `{OWN}`"), errno, None))?;
        Ok(Network { file, socket: Socket::open()?, name })
    }

    /// The one that `file` is a file of. **This thread is in it afterwards**, and, if it had to, in its user namespace:
    /// see [`enter`].
    pub fn enter(file: OwnedFd, name: impl Into<String>) -> Result<Network, Error> {
        let name = name.into();
        enter(file.as_fd()).map_err(|errno| refused(Act::Enter, &format!("enter {name}"), errno, None))?;
        Ok(Network { file, socket: Socket::open()?, name })
    }
}

/// Takes this thread into a network namespace (setns(2)), unless it is there already.
///
/// That wants CAP_SYS_ADMIN both here and in the user namespace that owns it. Who has it not here may have it there: the
/// owner of a user namespace does, once inside (user_namespaces(7)). So on EPERM the user namespace is entered first. That
/// costs the capabilities over what lies outside of it: open sockets outside before, for what needs no capability there.
///
/// EINVAL: `file` is no network namespace, or the user namespace is to be entered from a process with threads.
pub fn enter(file: BorrowedFd<'_>) -> Result<(), Errno> {
    if is_own(file) {
        return Ok(());
    }
    match move_into_link_name_space(file, Some(LinkNameSpaceType::Network)) {
        Err(Errno::PERM) => {
            let owner = nsfs::owner(file)?;
            move_into_link_name_space(owner.as_fd(), Some(LinkNameSpaceType::User)).map_err(|errno| {
                // The owner is where we are: what is missing is a capability.
                if errno == Errno::INVAL && is_alone() { Errno::PERM } else { errno }
            })?;
            move_into_link_name_space(file, Some(LinkNameSpaceType::Network))
        }
        done => done,
    }
}

/// Is it the namespace that this thread is in?
pub(crate) fn is_own(file: BorrowedFd<'_>) -> bool {
    match (fstat(file), stat(OWN)) {
        (Ok(file), Ok(own)) => (file.st_dev, file.st_ino) == (own.st_dev, own.st_ino),
        _ => false,
    }
}

/// Has this process one thread? nlink of /proc/self/task is two and one for each.
fn is_alone() -> bool {
    stat("/proc/self/task").is_ok_and(|task| task.st_nlink == 3)
}
