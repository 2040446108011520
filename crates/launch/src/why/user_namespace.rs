//! User namespaces as the sentences name them, and what is set in one of them, user_namespaces(7).

use super::probe::told;
use super::subject::{Subject, sysctl};
use insula_sys::birth::setns;
use insula_sys::nsfs;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags, fstat, open};
use rustix::io::Errno;
use std::fmt;

/// The inode of the initial one, `PROC_USER_INIT_INO` of <linux/proc_ns.h>.
const INITIAL: u64 = 4_026_531_837;
/// What an id that is not mapped looks like, /proc/sys/kernel/overflowuid.
pub const OVERFLOW: u32 = 65_534;

/// Which user namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserNamespace {
    /// The inode of its file, as `lsns` shows it.
    pub inode: u64,
    /// The user who made it, as we see that user; `None`: not to be seen.
    pub owner: Option<u32>,
}

impl UserNamespace {
    /// That of a process.
    pub fn of(subject: &Subject) -> Option<UserNamespace> {
        UserNamespace::behind(&subject.open("ns/user")?)
    }

    /// The one behind a file of /proc/PID/ns/user.
    pub fn behind(file: &OwnedFd) -> Option<UserNamespace> {
        let inode = fstat(file).ok()?.st_ino;
        let owner = nsfs::owner_uid(file.as_fd()).ok().filter(|uid| *uid != OVERFLOW);
        Some(UserNamespace { inode, owner })
    }

    /// Is it the one that the machine begins with?
    pub fn is_initial(&self) -> bool {
        self.inode == INITIAL
    }
}

/// Whether the user namespace of a process owns its namespace of that kind (`net`); `None`: that cannot be seen.
pub fn owns(subject: &Subject, kind: &str) -> Option<bool> {
    let numbers = |file: &OwnedFd| fstat(file).ok().map(|stat| (stat.st_dev, stat.st_ino));
    let namespace = subject.open(&format!("ns/{kind}"))?;
    let own = numbers(&subject.open("ns/user")?)?;
    match nsfs::owner(namespace.as_fd()) {
        Ok(owner) => Some(numbers(&owner)? == own),
        // Out of our view: neither ours nor below.
        Err(Errno::PERM) => Some(false),
        Err(_) => None,
    }
}

impl fmt::Display for UserNamespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.owner {
            _ if self.is_initial() => f.write_str("the initial user namespace"),
            Some(owner) => write!(f, "user namespace {} (made by user {owner})", self.inode),
            None => write!(f, "user namespace {}", self.inode),
        }
    }
}

/// A user namespace between a process and us.
#[derive(Debug)]
pub struct Level {
    /// Its open file.
    pub file: OwnedFd,
    /// Which one it is.
    pub which: UserNamespace,
    /// It is the one that the process is in.
    pub lowest: bool,
    /// It is our own.
    pub ours: bool,
}

impl Level {
    /// A setting that each user namespace has: `user/max_net_namespaces`.
    pub fn sysctl(&self, name: &str) -> Option<String> {
        if self.ours {
            return sysctl(name);
        }
        // The kernel shows who asks the settings of the user namespace that it asks from.
        told(|| {
            setns(self.file.as_fd(), 0).ok()?;
            sysctl(name)
        })
    }
}

/// The user namespaces from that of the process up to our own; only its own, if it is not below ours.
pub fn levels(subject: &Subject) -> Vec<Level> {
    let own = open("/proc/self/ns/user", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok();
    let own = own.and_then(|file| UserNamespace::behind(&file)).map(|own| own.inode);
    let mut levels: Vec<Level> = Vec::new();
    let mut next = subject.open("ns/user");
    while let Some(file) = next.take() {
        let Some(which) = UserNamespace::behind(&file) else { break };
        let ours = own == Some(which.inode);
        if !ours {
            next = nsfs::parent(file.as_fd()).ok();
        }
        levels.push(Level { file, which, lowest: levels.is_empty(), ours });
    }
    levels
}
