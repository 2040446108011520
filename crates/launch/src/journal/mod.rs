//! The Journal: what outlives the process that made it, written down before it is made.
//!
//! A process that makes things outside its own namespaces (a state directory, later cgroups, links, mounts) is an
//! *owner* with a file in the Book, a directory of the state root. Before an effect it writes the intent, after it
//! that it is done, with an identity that proves later that the thing is still ours. It holds a lock on the file while
//! it lives. An unlocked file belongs to a dead owner: whoever comes next replays it backwards. Which kinds there are,
//! and how one is undone, only the storeys above know; they hand in a table.

mod text;
mod trace;

pub use trace::{Error, Identity, Trace, Undo};

use crate::host::boot;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{
    AtFlags, CWD, Dir, FlockOperation, Mode, OFlags, fdatasync, flock, fstat, ftruncate, mkdirat, open,
    openat, statat, unlinkat,
};
use rustix::io::Errno;
use rustix::process::geteuid;

/// The directory of the journals.
#[derive(Debug)]
pub struct Book {
    directory: OwnedFd,
    path: String,
}

/// The journal of one living owner.
#[derive(Debug)]
pub struct Journal {
    file: OwnedFd,
    book: OwnedFd,
    owner: String,
    boot: String,
    made: Vec<Trace>,
}

impl Book {
    /// Opens the Book at `path`, and makes it (0700) if it is missing.
    pub fn open(path: &str) -> Result<Book, Error> {
        match Book::existing(path)? {
            Some(book) => Ok(book),
            None => {
                let failed = |errno| Error::File("make the directory", path.to_owned(), errno);
                match mkdirat(CWD, path, Mode::from_raw_mode(0o700)) {
                    Ok(()) | Err(Errno::EXIST) => {}
                    Err(errno) => return Err(failed(errno)),
                }
                Book::existing(path)?.ok_or_else(|| failed(Errno::NOENT))
            }
        }
    }

    /// Opens the Book at `path`; `None` if there is none.
    pub fn existing(path: &str) -> Result<Option<Book>, Error> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let directory = match open(path, flags, Mode::empty()) {
            Ok(directory) => directory,
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(Error::File("open the directory", path.to_owned(), errno)),
        };
        let stat = fstat(&directory).map_err(|errno| Error::File("look at", path.to_owned(), errno))?;
        if stat.st_uid != geteuid().as_raw() || stat.st_mode & 0o022 != 0 {
            return Err(Error::NotOurs(path.to_owned()));
        }
        Ok(Some(Book { directory, path: path.to_owned() }))
    }

    /// Becomes the living owner `owner`. What a dead one of that name has left is undone first.
    pub fn begin(&self, owner: &str, undo: &[Undo]) -> Result<Journal, Error> {
        text::writable(owner)?;
        let file = self.lock(owner, OFlags::CREATE)?.ok_or_else(|| Error::Taken(owner.to_owned()))?;
        let mut journal = self.journal(file, owner)?;
        journal.made =
            text::read(&journal.file, owner, &journal.boot).map_err(|e| self.failed("read", owner, e))?;
        if let Some(error) = journal.undo(undo).into_iter().next() {
            return Err(error);
        }
        ftruncate(&journal.file, 0).map_err(|errno| self.failed("empty", owner, errno))?;
        Ok(journal)
    }

    /// Undoes what dead owners have left. Living ones are passed over. Returns what could not be undone: it stays
    /// written down for the next time.
    pub fn sweep(&self, undo: &[Undo]) -> Vec<Error> {
        let mut errors = Vec::new();
        let names = match self.owners() {
            Ok(names) => names,
            Err(errno) => return vec![Error::File("list", self.path.clone(), errno)],
        };
        for owner in names {
            match self.sweep_one(&owner, undo) {
                Ok(mut failed) => errors.append(&mut failed),
                Err(error) => errors.push(error),
            }
        }
        errors
    }

    fn sweep_one(&self, owner: &str, undo: &[Undo]) -> Result<Vec<Error>, Error> {
        let Some(file) = self.lock(owner, OFlags::empty())? else { return Ok(Vec::new()) };
        let mut journal = self.journal(file, owner)?;
        journal.made =
            text::read(&journal.file, owner, &journal.boot).map_err(|e| self.failed("read", owner, e))?;
        Ok(journal.end(undo))
    }

    fn owners(&self) -> Result<Vec<String>, Errno> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.directory)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if text::writable(&name).is_ok() {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// Opens and locks an owner's file. `None`: it is locked by the living, or it is gone.
    fn lock(&self, owner: &str, create: OFlags) -> Result<Option<OwnedFd>, Error> {
        let flags = OFlags::RDWR | OFlags::APPEND | OFlags::NOFOLLOW | OFlags::CLOEXEC | create;
        loop {
            let file = match openat(&self.directory, owner, flags, Mode::from_raw_mode(0o600)) {
                Ok(file) => file,
                Err(Errno::NOENT) => return Ok(None),
                Err(errno) => return Err(self.failed("open", owner, errno)),
            };
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => return Ok(None),
                Err(errno) => return Err(self.failed("lock", owner, errno)),
            }
            // Between open and lock its owner may have ended and removed it: then the lock is on a file without a name.
            let ours = fstat(&file).map_err(|errno| self.failed("look at", owner, errno))?;
            match statat(&self.directory, owner, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(named) if (named.st_dev, named.st_ino) == (ours.st_dev, ours.st_ino) => {
                    return Ok(Some(file));
                }
                Ok(_) | Err(Errno::NOENT) => {}
                Err(errno) => return Err(self.failed("look at", owner, errno)),
            }
        }
    }

    fn journal(&self, file: OwnedFd, owner: &str) -> Result<Journal, Error> {
        let book = self
            .directory
            .try_clone()
            .map_err(|e| self.failed("keep", owner, Errno::from_io_error(&e).unwrap_or(Errno::IO)))?;
        Ok(Journal { file, book, owner: owner.to_owned(), boot: boot::id(), made: Vec::new() })
    }

    fn failed(&self, what: &'static str, owner: &str, errno: Errno) -> Error {
        Error::File(what, format!("{}/{owner}", self.path), errno)
    }
}

impl Journal {
    /// Writes down what is about to be made. Call it before the effect.
    pub fn intend(&mut self, kind: &str, payload: &str) -> Result<(), Error> {
        text::writable(kind)?;
        text::speakable(payload)?;
        self.line(&text::intent(&self.boot, kind, payload))?;
        self.made.push(Trace {
            owner: self.owner.clone(),
            kind: kind.to_owned(),
            payload: payload.to_owned(),
            identity: None,
            other_boot: false,
        });
        Ok(())
    }

    /// Writes down that the last intent is done, and what the thing's identity is.
    pub fn done(&mut self, identity: Identity) -> Result<(), Error> {
        self.line(&text::done(identity))?;
        if let Some(last) = self.made.last_mut() {
            last.identity = Some(identity);
        }
        Ok(())
    }

    /// Ends the owner: undoes what it has made, last first, then removes the file. What could not be undone is returned,
    /// and stays written down.
    pub fn end(mut self, undo: &[Undo]) -> Vec<Error> {
        let errors = self.undo(undo);
        if errors.is_empty() {
            match unlinkat(&self.book, self.owner.as_str(), AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(errno) => return vec![Error::File("remove", self.owner.clone(), errno)],
            }
        }
        errors
    }

    /// Teardown goes on after an error, and returns them all.
    fn undo(&mut self, table: &[Undo]) -> Vec<Error> {
        let mut errors = Vec::new();
        while let Some(trace) = self.made.pop() {
            let undone = match table.iter().find(|(kind, _)| *kind == trace.kind) {
                Some((_, undo)) => undo(&trace),
                None => Err(Errno::OPNOTSUPP),
            };
            if let Err(errno) = undone {
                errors.push(Error::Undo(Box::new(trace), errno));
            }
        }
        errors
    }

    fn line(&self, line: &str) -> Result<(), Error> {
        let failed = |errno| Error::File("write", self.owner.clone(), errno);
        // One write with O_APPEND: a line stands whole or not at all; what is cut off is not read.
        let written = rustix::io::write(self.file.as_fd(), line.as_bytes()).map_err(failed)?;
        if written != line.len() {
            return Err(failed(Errno::NOSPC));
        }
        fdatasync(&self.file).map_err(failed)
    }
}
