//! The target: a process that is held, so that no other one of the same pid is ever meant.

use super::request;
use crate::error::Error;
use insula_launch::plan::Kind;
use insula_launch::step::same_namespaces::Seen;
use insula_sys::nsfs::{Whose, of_process};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, Mode, OFlags, PROC_SUPER_MAGIC, Stat, fstat, fstatfs, open, statat};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

/// `PIDFD_THREAD`, pidfd_open(2), Linux 6.9: of a thread that is not the first of its process.
const PIDFD_THREAD: u32 = 0x80;
/// `PID_FS_MAGIC` of <linux/magic.h>.
const PID_FS_MAGIC: i64 = 0x5049_4446;

/// A process that is held by a pidfd, by its directory in /proc, or by both.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) pid: i32,
    pub(super) pidfd: Option<OwnedFd>,
    pub(super) directory: Option<OwnedFd>,
}

impl Target {
    /// Opens it.
    pub(super) fn open(asked: request::Target) -> Result<Target, Error> {
        let pid = asked.pid;
        let pidfd = pidfd(pid)?;
        if let Some(inode) = asked.inode {
            check_inode(pidfd.as_ref(), pid, inode)?;
        }
        let directory = directory(&format!("/proc/{pid}"))?;
        let target = Target { pid, pidfd, directory };
        // Alive after the directory was opened, it has had the pid all along: both mean the same process.
        if target.has_ended() || (target.pidfd.is_none() && target.directory.is_none()) {
            return Err(gone(pid));
        }
        Ok(target)
    }

    fn has_ended(&self) -> bool {
        let Some(pidfd) = &self.pidfd else { return false };
        let mut one = [PollFd::new(pidfd, PollFlags::IN)];
        matches!(poll(&mut one, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })), Ok(1..))
    }

    /// Its namespace of a kind; `None` where the kernel has no such kind.
    pub(super) fn see(&self, kind: Kind) -> Result<Option<Seen>, Error> {
        match self.stat(kind) {
            Ok(stat) => Ok(Some(Seen { kind, device: stat.st_dev, inode: stat.st_ino })),
            Err(Errno::OPNOTSUPP | Errno::NOENT) => Ok(None),
            Err(errno) => Err(self.refused(format!("look at the {} namespace", kind.name()), errno)),
        }
    }

    fn stat(&self, kind: Kind) -> Result<Stat, Errno> {
        match (&self.directory, &self.pidfd) {
            (Some(directory), _) => statat(directory, kind.file(), AtFlags::empty()),
            (None, Some(pidfd)) => fstat(of_process(pidfd.as_fd(), kind.flag(), Whose::Own)?.as_fd()),
            (None, None) => Err(Errno::SRCH),
        }
    }

    /// Opens a file of its directory in /proc.
    pub(super) fn open_file(&self, name: &'static str, flags: OFlags) -> Result<OwnedFd, Error> {
        let directory = self.directory.as_ref().ok_or_else(|| no_proc(self.pid))?;
        rustix::fs::openat(directory, name, flags | OFlags::CLOEXEC, Mode::empty())
            .map_err(|errno| self.refused(format!("open `{name}`"), errno))
    }

    /// The error of a look at it.
    pub(super) fn refused(&self, what: String, errno: Errno) -> Error {
        match errno {
            Errno::SRCH => gone(self.pid),
            errno => Error::process(what, self.pid, errno),
        }
    }
}

fn pidfd(pid: i32) -> Result<Option<OwnedFd>, Error> {
    let raw = Pid::from_raw(pid).ok_or_else(|| gone(pid))?;
    match pidfd_open(raw, PidfdFlags::empty()) {
        // A thread that is not the first one.
        Err(Errno::INVAL | Errno::NOENT) => {
            Ok(pidfd_open(raw, PidfdFlags::from_bits_retain(PIDFD_THREAD)).ok())
        }
        Err(Errno::SRCH) => Err(gone(pid)),
        // A kernel, or a filter of system calls, without pidfds: /proc will do.
        other => Ok(other.ok()),
    }
}

/// A directory of a process in /proc; `None` where there is none, or /proc is no procfs.
pub(super) fn directory(path: &str) -> Result<Option<OwnedFd>, Error> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    match open(path, flags, Mode::empty()) {
        Ok(directory) => {
            let genuine = fstatfs(&directory).is_ok_and(|stat| stat.f_type == PROC_SUPER_MAGIC);
            Ok(genuine.then_some(directory))
        }
        Err(Errno::NOENT | Errno::NOTDIR | Errno::ACCESS) => Ok(None),
        Err(errno) => Err(Error::File("open", path.to_owned(), errno)),
    }
}

fn check_inode(pidfd: Option<&OwnedFd>, pid: i32, inode: u64) -> Result<(), Error> {
    let what = format!("{pid}:{inode}");
    let asked = |reason: &str, hint: &str| Error::Asked {
        what: what.clone(),
        reason: reason.to_owned(),
        hint: Some(hint.to_owned()),
    };
    let pidfd = pidfd.filter(|fd| fstatfs(fd).is_ok_and(|stat| stat.f_type == PID_FS_MAGIC));
    let Some(pidfd) = pidfd else {
        let hint = "Linux 6.9 brought them; leave `:` and the number out";
        return Err(asked("the pidfds of this kernel have no inodes of their own", hint));
    };
    match fstat(pidfd) {
        Ok(stat) if stat.st_ino == inode => Ok(()),
        Ok(_) => Err(asked(
            "another process has this pid now",
            "the one that was meant has ended, and the kernel has given its pid again",
        )),
        Err(errno) => Err(Error::File("look at the pidfd of", what, errno)),
    }
}

fn gone(pid: i32) -> Error {
    Error::Asked {
        what: format!("--target {pid}"),
        reason: "there is no process of this pid here".to_owned(),
        hint: Some("it has ended, or it is outside of our pid namespace".to_owned()),
    }
}

fn no_proc(pid: i32) -> Error {
    Error::Asked {
        what: format!("--target {pid}"),
        reason: format!("there is no `/proc/{pid}`"),
        hint: Some(
            "mount a procfs there, one that hides no processes of others (`hidepid`, proc(5))".to_owned(),
        ),
    }
}
