//! The namespace that is asked: its processes, and how one looks into it, or why not.

use super::told::Hidden;
use super::visit::{Brought, Visit};
use crate::scan::Snapshot;
use insula_launch::error::Named;
use insula_launch::plan::Kind;
use insula_sys::nsfs;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{fstat, stat};
use rustix::io::Errno;
use std::fs::File;
use std::io::Read;

/// As much of a file of /proc as is read: a table of 100,000 mounts fits.
const MOST_BYTES: u64 = 32 << 20;

pub(super) struct Asked<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) kind: Kind,
    pub(super) inode: u64,
    pub(super) file: Option<BorrowedFd<'a>>,
}

impl Asked<'_> {
    /// The processes that are in it, the lowest pid first.
    pub(super) fn processes(&self) -> impl Iterator<Item = u32> + '_ {
        let is_in = |process: &&crate::scan::Process| process.namespace(self.kind) == Some(self.inode);
        self.snapshot.processes.iter().filter(is_in).map(|process| process.pid)
    }

    /// Is it the one that we are in?
    pub(super) fn is_own(&self) -> bool {
        stat(format!("/proc/self/ns/{}", self.kind.name())).is_ok_and(|own| own.st_ino == self.inode)
    }

    /// Sends a visitor; `what` is it that it shall see.
    pub(super) fn visit(
        &self,
        what: &'static str,
        look: impl FnOnce() -> Result<Brought, Errno>,
    ) -> Result<Visit, Hidden> {
        let Some(file) = self.file else {
            let why = "no file of it could be opened: it shows only as what holds another one".to_owned();
            return Err(Hidden { what, why });
        };
        Visit::to(file, look).map_err(|errno| Hidden { what, why: self.why(errno) })
    }

    /// Why a visitor was refused, and who would not be.
    fn why(&self, errno: Errno) -> String {
        if errno != Errno::PERM {
            return format!("to enter it failed: {}", Named(errno));
        }
        let owner = self.file.and_then(|file| nsfs::owner(file).ok());
        let whose = |owner: &OwnedFd| {
            let inode = fstat(owner).map_or(0, |stat| stat.st_ino);
            match nsfs::owner_uid(owner.as_fd()) {
                // An id without a meaning here.
                Ok(uid) if uid != 65534 => format!("user namespace {inode}, whose owner is uid {uid}"),
                _ => format!("user namespace {inode}"),
            }
        };
        match owner {
            Some(owner) => format!("to enter it wants CAP_SYS_ADMIN in the {}", whose(&owner)),
            None => "to enter it wants CAP_SYS_ADMIN in the user namespace that owns it, which is out of our view: root \
                     outside of ours may"
                .to_owned(),
        }
    }
}

/// A file of a process in /proc as text. `None`: the process is gone, or the file is not ours to read.
pub(super) fn text(pid: u32, file: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let opened = File::open(format!("/proc/{pid}/{file}")).ok()?;
    opened.take(MOST_BYTES).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
