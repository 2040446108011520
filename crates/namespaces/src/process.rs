//! One process by its directory in /proc: everything that is read of it is of this one, even when it ends meanwhile and
//! another one gets its pid.

use crate::error::Error;
use insula_launch::plan::Kind;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags, PROC_SUPER_MAGIC, fstatfs, open, openat, readlinkat};
use rustix::io::Errno;
use std::ffi::CStr;

/// A process, or a thread.
#[derive(Debug)]
pub struct Process {
    /// Its pid, in the pid namespace that /proc shows.
    pub pid: i32,
    directory: OwnedFd,
}

impl Process {
    /// Opens its directory, and proves that it is of procfs. [`Error::NoProcess`]: there is none.
    pub fn open(pid: i32) -> Result<Process, Error> {
        let path = format!("/proc/{pid}");
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = match open(&path, flags, Mode::empty()) {
            // Without /proc the same errno would come.
            Err(Errno::NOENT | Errno::SRCH) if is_procfs() => return Err(Error::NoProcess(pid)),
            directory => directory.map_err(|errno| Error::File("open", path.clone(), errno))?,
        };
        let found = fstatfs(&directory).map_err(|errno| Error::File("look at", path.clone(), errno))?;
        if found.f_type != PROC_SUPER_MAGIC {
            let hint = Some("mount it: `mount -t proc proc /proc`".to_owned());
            return Err(Error::Asked {
                what: path,
                reason: "is not of the proc file system".to_owned(),
                hint,
            });
        }
        Ok(Process { pid, directory })
    }

    /// Its own directory.
    pub fn directory(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }

    /// Opens a file of it. ESRCH: it is gone; EACCES, EPERM: it may not be looked at, ptrace(2).
    pub fn file(&self, name: &CStr, flags: OFlags) -> Result<OwnedFd, Errno> {
        openat(&self.directory, name, flags | OFlags::CLOEXEC, Mode::empty())
    }

    /// Reads a file of it as a whole.
    pub fn read(&self, name: &CStr) -> Result<Vec<u8>, Errno> {
        /// What a table of mounts takes, mostly: the kernel makes it anew for each small read.
        const ROOM_BYTES: usize = 16 << 10;
        let file = self.file(name, OFlags::RDONLY)?;
        let mut bytes = Vec::with_capacity(ROOM_BYTES);
        loop {
            if bytes.capacity() - bytes.len() < ROOM_BYTES / 2 {
                bytes.reserve(ROOM_BYTES);
            }
            match rustix::io::read(&file, rustix::buffer::spare_capacity(&mut bytes)) {
                Ok(0) => return Ok(bytes),
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
        }
    }

    /// Where a link of it leads to.
    pub fn link(&self, name: &CStr) -> Result<Vec<u8>, Errno> {
        readlinkat(&self.directory, name, Vec::new()).map(std::ffi::CString::into_bytes)
    }

    /// Opens its namespace of a kind. ENOENT: the kernel lacks the kind, or the process is a zombie.
    pub fn namespace(&self, kind: Kind) -> Result<OwnedFd, Errno> {
        self.file(kind.file(), OFlags::RDONLY)
    }
}

fn is_procfs() -> bool {
    open("/proc", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .and_then(fstatfs)
        .is_ok_and(|found| found.f_type == PROC_SUPER_MAGIC)
}
