//! The state root: the directory of containers, `--root`.

use super::directory::Directory;
use super::error::Error;
use super::id::Id;
use insula_launch::host::state::root as state_root;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, Dir, Mode, OFlags, fstat, mkdirat, open, unlinkat};
use rustix::io::Errno;
use rustix::process::geteuid;

/// Of insula's own state, the part of the OCI runtime.
const DIRECTORY: &str = "oci";

/// The directory, open.
#[derive(Debug)]
pub struct StateRoot {
    directory: OwnedFd,
    path: String,
}

impl StateRoot {
    /// Where it lies if nobody says: below insula's own state.
    pub fn default_path() -> String {
        format!("{}/{DIRECTORY}", state_root())
    }

    /// Opens it, and makes it (0700, with what is missing above it) if it is not there.
    pub fn make(path: &str) -> Result<StateRoot, Error> {
        if let Some(root) = StateRoot::open(path)? {
            return Ok(root);
        }
        let failed = |at: &str| {
            let at = at.to_owned();
            move |errno| Error::File("make the directory", at, errno)
        };
        let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
        for end in ends.filter(|end| *end > 0) {
            match mkdirat(CWD, &path[..end], Mode::from_raw_mode(0o700)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(errno) => return Err(failed(&path[..end])(errno)),
            }
        }
        StateRoot::open(path)?.ok_or_else(|| failed(path)(Errno::NOENT))
    }

    /// Opens it; `None`: it is not there, so that there is no container. What is in it is believed, so it has to be ours, or
    /// root's, and nobody else's to write.
    pub fn open(path: &str) -> Result<Option<StateRoot>, Error> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = match open(path, flags, Mode::empty()) {
            Err(Errno::NOENT) => return Ok(None),
            opened => opened.map_err(|errno| Error::File("open the directory", path.to_owned(), errno))?,
        };
        let stat = fstat(&directory).map_err(|errno| Error::File("look at", path.to_owned(), errno))?;
        // Sticky directories are others' to write in: their containers would be believed.
        if (stat.st_uid != geteuid().as_raw() && stat.st_uid != 0) || stat.st_mode & 0o022 != 0 {
            return Err(Error::Record(
                path.to_owned(),
                "the state root belongs to another user, or others may write to it".to_owned(),
            ));
        }
        Ok(Some(StateRoot { directory, path: path.to_owned() }))
    }

    /// Its path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The directory of a new container, locked.
    pub fn add(&self, id: &Id) -> Result<Directory, Error> {
        let at = || format!("{}/{id}", self.path);
        match mkdirat(&self.directory, id.as_str(), Mode::from_raw_mode(0o700)) {
            Ok(()) => {}
            Err(Errno::EXIST) => return Err(Error::Exists(id.to_string())),
            Err(errno) => return Err(Error::File("make the directory", at(), errno)),
        }
        self.find(id)?.lock().map_err(|error| match error {
            // A `delete --force` was quicker than we.
            Error::NoContainer(_) => Error::Busy(id.to_string()),
            error => error,
        })
    }

    /// The directory of a container.
    pub fn find(&self, id: &Id) -> Result<Directory, Error> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match rustix::fs::openat(&self.directory, id.as_str(), flags, Mode::empty()) {
            Ok(directory) => {
                let above = rustix::io::fcntl_dupfd_cloexec(&self.directory, 0)
                    .map_err(|errno| Error::File("keep open", self.path.clone(), errno))?;
                Ok(Directory::new(directory, above, id.clone(), format!("{}/{id}", self.path)))
            }
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Err(Error::NoContainer(id.to_string())),
            Err(errno) => Err(Error::File("open the directory", format!("{}/{id}", self.path), errno)),
        }
    }

    /// The ids of all containers, sorted.
    pub fn ids(&self) -> Result<Vec<Id>, Error> {
        let failed = |errno| Error::File("list", self.path.clone(), errno);
        let mut ids = Vec::new();
        for entry in Dir::read_from(&self.directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            ids.extend(Id::parse(&entry.file_name().to_string_lossy()));
        }
        ids.sort();
        Ok(ids)
    }

    /// Removes a file or an empty directory of that name that is no container's.
    pub fn remove(&self, name: &str, flags: AtFlags) -> Result<(), Errno> {
        unlinkat(self.directory.as_fd(), name, flags)
    }
}
