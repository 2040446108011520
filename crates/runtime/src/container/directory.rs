//! The directory of one container: its record, its lock, its FIFOs.

use super::bundle::CONFIG;
use super::error::Error;
use super::id::Id;
use super::record::Record;
use super::regular::{Unread, read_regular};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{
    AtFlags, Dir, FileType, FlockOperation, Mode, OFlags, fcntl_lock, fstat, fsync, mknodat, openat,
    renameat, statat, unlinkat,
};
use rustix::io::Errno;

/// The record.
const RECORD: &str = "record";
/// What becomes the record.
const NEXT: &str = "record.next";
/// What is locked.
const LOCK: &str = "lock";
/// The word to go comes here.
const GO: &str = "go";
/// What came of it is told here.
const ANSWER: &str = "answer";
/// The most of a record that is read.
const MOST_BYTES: u64 = 1024 * 1024;

/// A container's directory, open.
#[derive(Debug)]
pub struct Directory {
    file: OwnedFd,
    above: OwnedFd,
    id: Id,
    path: String,
    lock: Option<OwnedFd>,
}

/// The FIFOs of a container that is made.
#[derive(Debug)]
pub(super) struct Fifos {
    /// The word to go.
    pub go: OwnedFd,
    /// The answer.
    pub answer: OwnedFd,
}

impl Directory {
    pub(super) fn new(file: OwnedFd, above: OwnedFd, id: Id, path: String) -> Directory {
        Directory { file, above, id, path, lock: None }
    }

    /// Whose it is.
    pub fn id(&self) -> &Id {
        &self.id
    }

    /// Waits for the lock, which no other command has meanwhile; it is held until the value is gone.
    ///
    /// A lock of fcntl(2), not of flock(2): a child does not have it, so that a container whose maker was killed holds
    /// nobody up.
    pub fn lock(mut self) -> Result<Directory, Error> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = match openat(&self.file, LOCK, flags, Mode::from_raw_mode(0o600)) {
            // The directory was removed since it was opened.
            Err(Errno::NOENT) => return Err(Error::NoContainer(self.id.to_string())),
            file => file.map_err(|errno| self.failed("open", LOCK, errno))?,
        };
        loop {
            match fcntl_lock(&file, FlockOperation::LockExclusive) {
                Ok(()) => break,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(self.failed("lock", LOCK, errno)),
            }
        }
        self.lock = Some(file);
        // Who had it may have removed the directory, and another may have made it again.
        let ours = fstat(&self.file).map_err(|errno| self.failed("look at", "", errno))?;
        match statat(&self.above, self.id.as_str(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(named) if (named.st_dev, named.st_ino) == (ours.st_dev, ours.st_ino) => Ok(self),
            Ok(_) | Err(Errno::NOENT) => Err(Error::NoContainer(self.id.to_string())),
            Err(errno) => Err(self.failed("look at", "", errno)),
        }
    }

    /// Lets the lock go early.
    pub fn unlock(&mut self) {
        self.lock = None;
    }

    /// Is a command at work that holds the lock?
    pub fn is_locked(&self) -> bool {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let Ok(file) = openat(&self.file, LOCK, flags, Mode::empty()) else { return false };
        fcntl_lock(&file, FlockOperation::NonBlockingLockShared).is_err()
    }

    /// Reads the record; `None`: there is none yet.
    pub fn record(&self) -> Result<Option<Record>, Error> {
        match self.read(RECORD, MOST_BYTES) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|error| Error::Record(self.path_of(RECORD), error.to_string())),
            Err(Error::File(_, _, Errno::NOENT)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Replaces the record: after this, or if we are killed in it, the old or the new one is there, whole.
    pub fn write_record(&self, record: &Record) -> Result<(), Error> {
        let bytes = serde_json::to_vec(record)
            .map_err(|error| Error::Record(self.path_of(RECORD), error.to_string()))?;
        // After a loss of power the record is whole or is not there, where the file system keeps files over a boot at all. Nothing
        // else needs to be: what it names is gone then.
        let next = self.write(NEXT, &bytes)?;
        fsync(&next).map_err(|errno| self.failed("sync", NEXT, errno))?;
        renameat(&self.file, NEXT, &self.file, RECORD)
            .map_err(|errno| self.failed("rename to", RECORD, errno))
    }

    /// Keeps the configuration.
    pub fn write_config(&self, bytes: &[u8]) -> Result<(), Error> {
        self.write(CONFIG, bytes).map(drop)
    }

    /// Reads the configuration back.
    pub fn config(&self) -> Result<Vec<u8>, Error> {
        self.read(CONFIG, insula_oci::MAX_BYTES as u64)
    }

    /// Makes the FIFOs and opens both for both directions: so no open waits for the other side.
    pub(super) fn make_fifos(&self) -> Result<Fifos, Error> {
        let make = |name: &'static str| {
            mknodat(&self.file, name, FileType::Fifo, Mode::from_raw_mode(0o600), 0)
                .map_err(|errno| self.failed("make the FIFO", name, errno))?;
            self.open_fifo(name, OFlags::RDWR)
        };
        Ok(Fifos { go: make(GO)?, answer: make(ANSWER)? })
    }

    /// Opens the answer for reading, without blocking. ENOENT: there is none, as for a container that was run at once.
    pub(super) fn answer(&self) -> Result<Option<OwnedFd>, Error> {
        match self.open_fifo(ANSWER, OFlags::RDONLY | OFlags::NONBLOCK) {
            Ok(file) => Ok(Some(file)),
            Err(Error::File(_, _, Errno::NOENT)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens the other for writing, without blocking; `None`: nobody waits.
    pub(super) fn go(&self) -> Result<Option<OwnedFd>, Error> {
        match self.open_fifo(GO, OFlags::WRONLY | OFlags::NONBLOCK) {
            Ok(file) => Ok(Some(file)),
            Err(Error::File(_, _, Errno::NXIO | Errno::NOENT)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn open_fifo(&self, name: &'static str, flags: OFlags) -> Result<OwnedFd, Error> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        openat(&self.file, name, flags, Mode::empty()).map_err(|errno| self.failed("open", name, errno))
    }

    /// Removes the directory and what is in it; the record last. What is missing is no error.
    pub fn remove(self) -> Result<(), Error> {
        let failed = |errno| self.failed("empty", "", errno);
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.file).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
            if !matches!(name.as_str(), "." | "..") {
                names.push(name);
            }
        }
        names.sort_by_key(|name| name == RECORD);
        for name in names {
            match unlinkat(&self.file, name.as_str(), AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(errno) => return Err(self.failed("remove", &name, errno)),
            }
        }
        match unlinkat(&self.above, self.id.as_str(), AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(self.failed("remove", "", errno)),
        }
    }

    fn write(&self, name: &'static str, bytes: &[u8]) -> Result<OwnedFd, Error> {
        let failed = |errno| self.failed("write", name, errno);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&self.file, name, flags, Mode::from_raw_mode(0o600)).map_err(failed)?;
        let mut rest = bytes;
        while !rest.is_empty() {
            match rustix::io::write(&file, rest) {
                Ok(written) => rest = &rest[written..],
                Err(Errno::INTR) => {}
                Err(errno) => return Err(failed(errno)),
            }
        }
        Ok(file)
    }

    fn read(&self, name: &'static str, most: u64) -> Result<Vec<u8>, Error> {
        let failed = |errno| self.failed("read", name, errno);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = openat(&self.file, name, flags, Mode::empty()).map_err(failed)?;
        read_regular(&file, most).map_err(|why| match why {
            Unread::Call(errno) => failed(errno),
            Unread::Refused(why) => Error::NoConfig(self.path_of(name), why),
        })
    }

    fn path_of(&self, name: &str) -> String {
        if name.is_empty() { self.path.clone() } else { format!("{}/{name}", self.path) }
    }

    fn failed(&self, what: &'static str, name: &str, errno: Errno) -> Error {
        Error::File(what, self.path_of(name), errno)
    }

    /// The descriptor.
    pub fn as_fd(&self) -> rustix::fd::BorrowedFd<'_> {
        self.file.as_fd()
    }
}
