//! Where names are written down: a directory a name, which is the name's lock as well.
//!
//! ```text
//! ROOT/names/set/NAME/record     what it is; the directory is locked (flock(2)) while a command is at work on it
//! ROOT/names/set/NAME/socket     where its keeper listens, if it has one
//! ROOT/names/pin/NAME/KIND       a namespace, mounted: pin is a shared mount
//! ROOT/names/mnt/NAME            a mount namespace: mnt is a private mount
//! ```

use super::record::Record;
use super::trouble::Trouble;
use super::word;
use crate::error::Error;
use insula_launch::host::state;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{
    AtFlags, Dir, FlockOperation, Mode, OFlags, fdatasync, flock, fstat, fsync, mkdir, mkdirat, open, openat,
    renameat, statat, unlinkat,
};
use rustix::io::{Errno, read, write};
use rustix::process::geteuid;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How long a command waits for another one that is at work on the same name.
const PATIENCE: Duration = Duration::from_secs(10);
/// A record has a few hundred bytes.
const MOST_BYTES: usize = 16 << 10;

/// `DEFAULT_OVERFLOWUID`, user_namespaces(7).
const NOBODY: u32 = 65_534;

const RECORD: &str = "record";
const ASIDE: &str = "record.new";
/// The socket of a keeper.
pub const SOCKET: &str = "socket";

/// The store.
#[derive(Debug)]
pub struct Store {
    /// `ROOT/names`.
    pub path: String,
    directory: OwnedFd,
    sets: OwnedFd,
}

/// A name that is locked: no other command changes it meanwhile.
#[derive(Debug)]
pub struct Locked<'s> {
    store: &'s Store,
    /// The name.
    pub name: String,
    directory: OwnedFd,
}

/// Where a store of this user may lie. Who is root and may not write in /run has the store of a user.
fn roots() -> Vec<String> {
    let mut roots = vec![state::root()];
    roots.extend((geteuid().is_root()).then(state::of_user));
    roots
}

/// The directories in which a name has a directory of its own, whether they are there or not.
pub fn directories() -> Vec<PathBuf> {
    roots().iter().map(|root| PathBuf::from(format!("{root}/names/set"))).collect()
}

impl Store {
    /// The store of this user; `None`: nobody has given a name yet.
    pub fn existing() -> Result<Option<Store>, Error> {
        let roots = roots();
        for root in &roots {
            match Store::at(root) {
                Ok(None) => {}
                Err(error) if roots.len() > 1 && is_anothers(&error) => {}
                found => return found,
            }
        }
        Ok(None)
    }

    /// Opens the store, made if it is missing.
    pub fn make() -> Result<Store, Error> {
        match Store::make_at(&state::root()) {
            Err(error) if geteuid().is_root() && is_anothers(&error) => Store::make_at(&state::of_user()),
            made => made,
        }
    }

    fn make_at(root: &str) -> Result<Store, Error> {
        for path in [root.to_owned(), format!("{root}/names"), format!("{root}/names/set")] {
            match mkdir(path.as_str(), Mode::RWXU) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(errno) => return Err(Error::File("make the directory", path, errno)),
            }
        }
        let missing = || Error::File("open the directory", format!("{root}/names"), Errno::NOENT);
        Store::at(root)?.ok_or_else(missing)
    }

    fn at(root: &str) -> Result<Option<Store>, Error> {
        let path = format!("{root}/names");
        // The directory above has to be ours as well, or another could exchange the store.
        for above in [root, &path] {
            match own_directory(above) {
                Ok(_) => {}
                Err(Error::File(_, _, Errno::NOENT)) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        let directory = own_directory(&path)?;
        let sets = match own_directory(&format!("{path}/set")) {
            Err(Error::File(_, _, Errno::NOENT)) => return Ok(None),
            sets => sets?,
        };
        Ok(Some(Store { path, directory, sets }))
    }

    /// The names that have a directory, sorted.
    pub fn names(&self) -> Result<Vec<String>, Error> {
        let failed = |errno| Error::File("list", format!("{}/set", self.path), errno);
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.sets).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
            if word::check(&name).is_ok() {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// These, and those of which there is nothing but mounts.
    pub fn all_names(&self) -> Result<Vec<String>, Error> {
        let mut names = self.names()?;
        for place in ["pin", "mnt"] {
            let Ok(place) = openat(
                &self.directory,
                place,
                OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
                Mode::empty(),
            ) else {
                continue;
            };
            let failed = |errno| Error::File("list", self.path.clone(), errno);
            for entry in Dir::read_from(&place).map_err(failed)? {
                let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
                if word::check(&name).is_ok() {
                    names.push(name);
                }
            }
        }
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    /// What is written down of a name. `None`: it has no directory. A directory without a record was left behind.
    pub fn record(&self, name: &str) -> Result<Option<Result<Record, Trouble>>, Error> {
        let failed =
            |what| move |errno| Error::File(what, format!("{}/set/{name}/{RECORD}", self.path), errno);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = match openat(&self.sets, format!("{name}/{RECORD}"), flags, Mode::empty()) {
            Err(Errno::NOENT) => {
                let there = statat(&self.sets, name, AtFlags::SYMLINK_NOFOLLOW).is_ok();
                return Ok(there.then_some(Err(Trouble::Left)));
            }
            file => file.map_err(failed("open"))?,
        };
        Ok(Some(read_all(&file).map_err(failed("read")).map(|text| Record::parse(&text))?))
    }

    /// Locks a name that may not be there yet, and waits for others.
    pub fn lock_new(&self, name: &str) -> Result<Locked<'_>, Error> {
        loop {
            match mkdirat(&self.sets, name, Mode::RWXU) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(errno) => return Err(self.failed("make the directory", name, errno)),
            }
            // Removed again meanwhile: from the start.
            if let Some(locked) = self.lock(name, PATIENCE)? {
                return Ok(locked);
            }
        }
    }

    /// Locks a name that is there, and waits for others. `None`: it is not there.
    pub fn lock_existing(&self, name: &str) -> Result<Option<Locked<'_>>, Error> {
        self.lock(name, PATIENCE)
    }

    /// Locks a name that is there and that no other command is at work on.
    pub fn lock_idle(&self, name: &str) -> Result<Option<Locked<'_>>, Error> {
        self.lock(name, Duration::ZERO)
    }

    fn lock(&self, name: &str, patience: Duration) -> Result<Option<Locked<'_>>, Error> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let deadline = Instant::now() + patience;
        let mut pause = Duration::from_micros(200);
        loop {
            let directory = match openat(&self.sets, name, flags, Mode::empty()) {
                Err(Errno::NOENT) => return Ok(None),
                directory => directory.map_err(|errno| self.failed("open the directory", name, errno))?,
            };
            match flock(&directory, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(Errno::INTR) => continue,
                Err(Errno::WOULDBLOCK) if Instant::now() < deadline => {
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(Duration::from_millis(20));
                    continue;
                }
                Err(Errno::WOULDBLOCK) => return Err(Error::name(name, Trouble::Busy)),
                Err(errno) => return Err(self.failed("lock", name, errno)),
            }
            // Between open and lock it may have been removed, and made anew: then the lock is on nothing.
            let ours = fstat(&directory).map_err(|errno| self.failed("look at", name, errno))?;
            match statat(&self.sets, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(named) if (named.st_dev, named.st_ino) == (ours.st_dev, ours.st_ino) => {
                    return Ok(Some(Locked { store: self, name: name.to_owned(), directory }));
                }
                Ok(_) | Err(Errno::NOENT) => {}
                Err(errno) => return Err(self.failed("look at", name, errno)),
            }
        }
    }

    /// The lock of what all names share, held as long as the value.
    pub fn lock_stage(&self) -> Result<OwnedFd, Error> {
        let failed = |what| move |errno| Error::File(what, self.path.clone(), errno);
        // Anew: a lock belongs to the open file.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let directory =
            openat(&self.directory, ".", flags, Mode::empty()).map_err(failed("open the directory"))?;
        loop {
            match flock(&directory, FlockOperation::LockExclusive) {
                Ok(()) => return Ok(directory),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(failed("lock")(errno)),
            }
        }
    }

    /// A directory of the store.
    pub fn below(&self, name: &str) -> String {
        format!("{}/{name}", self.path)
    }

    fn failed(&self, what: &'static str, name: &str, errno: Errno) -> Error {
        Error::File(what, format!("{}/set/{name}", self.path), errno)
    }
}

impl Locked<'_> {
    /// What is written down.
    pub fn record(&self) -> Result<Result<Record, Trouble>, Error> {
        Ok(self.store.record(&self.name)?.unwrap_or(Err(Trouble::Left)))
    }

    /// Writes it down, whole or not at all, and not only for this boot.
    pub fn write(&self, record: &Record) -> Result<(), Error> {
        let failed = |what| move |errno| self.store.failed(what, &self.name, errno);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&self.directory, ASIDE, flags, Mode::RUSR | Mode::WUSR)
            .map_err(failed("make a record in"))?;
        put(&file, &record.text()).map_err(failed("write a record in"))?;
        renameat(&self.directory, ASIDE, &self.directory, RECORD).map_err(failed("put a record in"))?;
        fsync(&self.directory).map_err(failed("sync"))
    }

    /// The record, open to add lines to it.
    pub fn open_to_add(&self) -> Result<OwnedFd, Error> {
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        openat(&self.directory, RECORD, flags, Mode::empty())
            .map_err(|errno| self.store.failed("open the record in", &self.name, errno))
    }

    /// The name's directory, by a path that is short enough for the address of a socket (unix(7)).
    pub fn directory(&self) -> rustix::fd::BorrowedFd<'_> {
        self.directory.as_fd()
    }

    /// Forgets what is written down, and keeps the name locked.
    pub fn forget_record(&self) -> Result<(), Error> {
        for file in [SOCKET, ASIDE, RECORD] {
            match unlinkat(&self.directory, file, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(errno) => return Err(self.store.failed("remove the files of", &self.name, errno)),
            }
        }
        Ok(())
    }

    /// Forgets the name. The directory is last: as long as it is there, something may be left.
    pub fn forget(&self) -> Result<(), Error> {
        self.forget_record()?;
        match unlinkat(&self.store.sets, self.name.as_str(), AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(self.store.failed("remove", &self.name, errno)),
        }
    }

    /// Gives a name back for which nothing was written down.
    pub fn give_back(&self) {
        // With a record in it, it is somebody's, and stays.
        let _ = unlinkat(&self.store.sets, self.name.as_str(), AtFlags::REMOVEDIR);
    }
}

/// Is it that a root of a user namespace has no rights over /run?
fn is_anothers(error: &Error) -> bool {
    match error {
        Error::File(_, _, errno) => [Errno::ACCESS, Errno::PERM, Errno::ROFS, Errno::NOENT].contains(errno),
        // A user who has no id here reads as nobody.
        Error::Name { trouble: Trouble::Foreign(path), .. } => {
            rustix::fs::lstat(path.as_str()).is_ok_and(|stat| stat.st_uid == NOBODY)
        }
        _ => false,
    }
}

/// Opens a directory that is ours and that nobody else may write to.
pub fn own_directory(path: &str) -> Result<OwnedFd, Error> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let failed = |what| move |errno| Error::File(what, path.to_owned(), errno);
    let directory = open(path, flags, Mode::empty()).map_err(failed("open the directory"))?;
    let stat = fstat(&directory).map_err(failed("look at"))?;
    if stat.st_uid != geteuid().as_raw() || stat.st_mode & 0o022 != 0 {
        return Err(Error::name("", Trouble::Foreign(path.to_owned())));
    }
    Ok(directory)
}

fn put(file: &OwnedFd, text: &str) -> Result<(), Errno> {
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        let written = write(file, rest)?;
        rest = &rest[written..];
    }
    fdatasync(file)
}

fn read_all(file: &OwnedFd) -> Result<String, Errno> {
    let mut bytes = vec![0; MOST_BYTES];
    let mut length = 0;
    while length < bytes.len() {
        match read(file, &mut bytes[length..])? {
            0 => break,
            more => length += more,
        }
    }
    bytes.truncate(length);
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
