//! Which namespace it is: an identity that can be written down, and compared later.
//!
//! The kernel's number of a namespace is an inode of nsfs, and is used again when the namespace is gone (namespaces(7)).
//! From Linux 6.18 on there is an id that is not, while the machine is up. Both mean something under one boot only.

use insula_launch::host::boot;
use insula_launch::plan::Kind;
use insula_sys::nsfs;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{Mode, OFlags, fstat, open};
use rustix::io::Errno;
use std::path::Path;

/// The identity of one namespace.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Its kind.
    pub kind: Kind,
    /// The device of nsfs.
    pub device: u64,
    /// Its inode there: the number in `readlink /proc/PID/ns/KIND`.
    pub inode: u64,
    /// The id that is never used again; `None` before Linux 6.18.
    pub id: Option<u64>,
    /// The boot under which the numbers hold, random(4); empty where /proc does not tell.
    pub boot: String,
}

impl Identity {
    /// Looks at a namespace file: `/proc/PID/ns/KIND`, or one that is mounted. EINVAL: it is no namespace.
    pub fn of(path: impl AsRef<Path>) -> Result<Identity, Errno> {
        // O_NONBLOCK: what is named may be a FIFO.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        Identity::of_file(open(path.as_ref(), flags, Mode::empty())?.as_fd())
    }

    /// Looks at an open namespace file.
    pub fn of_file(file: BorrowedFd<'_>) -> Result<Identity, Errno> {
        let flag = match nsfs::kind(file) {
            Err(Errno::NOTTY) => return Err(Errno::INVAL),
            flag => flag?,
        };
        let kind = Kind::ALL.into_iter().find(|kind| u64::try_from(flag) == Ok(kind.flag()));
        let stat = fstat(file)?;
        Ok(Identity {
            kind: kind.ok_or(Errno::INVAL)?,
            device: stat.st_dev,
            inode: stat.st_ino,
            id: nsfs::id(file).ok(),
            boot: boot::id(),
        })
    }

    /// Is it the same namespace? Where one side has no id, of two that did not live at the same time the second may have
    /// got the inode of the first: hold a file of it open to be sure.
    pub fn same(&self, other: &Identity) -> bool {
        let numbers = match (self.id, other.id) {
            (Some(one), Some(two)) => one == two,
            _ => (self.device, self.inode) == (other.device, other.inode),
        };
        numbers && self.kind == other.kind && self.boot == other.boot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(kind: Kind) -> Identity {
        Identity::of(format!("/proc/self/ns/{}", kind.name())).expect("our own namespace")
    }

    #[test]
    fn a_namespace_is_the_same_by_each_of_its_files() {
        let by_thread = Identity::of("/proc/thread-self/ns/uts").expect("our own namespace");
        assert!(own(Kind::Uts).same(&by_thread));
        assert_eq!(by_thread.kind, Kind::Uts);
    }

    #[test]
    fn the_inode_is_the_number_that_readlink_shows() {
        let link = std::fs::read_link("/proc/self/ns/ipc").expect("our own namespace");
        assert_eq!(link.to_str(), Some(format!("ipc:[{}]", own(Kind::Ipc).inode).as_str()));
    }

    #[test]
    fn two_kinds_are_two_namespaces() {
        assert!(!own(Kind::Uts).same(&own(Kind::Ipc)));
    }

    #[test]
    fn an_inode_under_another_boot_is_another_namespace() {
        let now = own(Kind::Uts);
        let before = Identity { boot: "b1a5".to_owned(), ..now.clone() };
        assert!(!now.same(&before));
    }

    #[test]
    fn an_inode_that_is_used_again_is_told_by_the_id() {
        let first = Identity { id: Some(7), ..own(Kind::Uts) };
        let second = Identity { id: Some(8), ..first.clone() };
        let unknown = Identity { id: None, ..first.clone() };
        assert!(!first.same(&second));
        assert!(first.same(&unknown));
    }

    #[test]
    fn another_file_is_no_namespace() {
        assert_eq!(Identity::of("/proc/self/status").err(), Some(Errno::INVAL));
        assert_eq!(Identity::of("/proc/self/ns/none").err(), Some(Errno::NOENT));
    }
}
