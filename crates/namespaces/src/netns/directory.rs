//! The directory of names, /run/netns: made and shared between mount namespaces under its lock, exactly as `ip` does it.

use crate::error::Error;
use crate::name::{self, NETNS};
use insula_launch::plan::Kind;
use insula_sys::mount::{MountAttr, mount_setattr};
use insula_sys::nsfs;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{CWD, FlockOperation, Mode, OFlags, chmod, flock, mkdir, open};
use rustix::io::Errno;
use rustix::mount::{
    MountPropagationFlags, MoveMountFlags, OpenTreeFlags, mount_change, move_mount, open_tree,
};
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// Owner may all, others may look: what `ip` gives the directory.
const MODE: Mode = Mode::from_raw_mode(0o755);

/// The directory, open to be locked.
#[derive(Debug)]
pub struct Directory(OwnedFd);

impl Directory {
    /// Makes the directory if it is missing.
    pub fn make() -> Result<(), Error> {
        match mkdir(NETNS, MODE) {
            // What the caller's umask has taken away.
            Ok(()) => {
                chmod(NETNS, MODE).map_err(|errno| Error::Netns("open to everybody", NETNS.into(), errno))
            }
            Err(Errno::EXIST) => Ok(()),
            Err(errno) => Err(Error::Netns("make the directory", NETNS.into(), errno)),
        }
    }

    /// Opens it. ENOENT: nobody has given a name yet.
    pub fn open() -> Result<Directory, Error> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        open(NETNS, flags, Mode::empty())
            .map(Directory)
            .map_err(|errno| Error::Netns("open the directory", NETNS.into(), errno))
    }

    /// Waits for the lock that `ip` takes too (flock(2)); it is held until [`Directory::unlock`], or until the value is
    /// gone. `false`: this file system has no such locks. `ip` goes on without, and so do we.
    pub fn lock(&self) -> bool {
        loop {
            match flock(&self.0, FlockOperation::LockExclusive) {
                Err(Errno::INTR) => {}
                done => return done.is_ok(),
            }
        }
    }

    /// Lets the lock go.
    pub fn unlock(&self) {
        // It was ours, or there is none.
        let _ = flock(&self.0, FlockOperation::Unlock);
    }

    /// Makes it a mount of its own whose mounts are seen in other mount namespaces as well, so that a name that is deleted
    /// in one is gone from all and its namespace is freed. The caller holds the lock: two at once would mount over each
    /// other.
    pub fn share(&self) -> Result<(), Error> {
        let failed = |what| move |errno| Error::Netns(what, NETNS.into(), errno);
        match mount_change(NETNS, MountPropagationFlags::SHARED | MountPropagationFlags::REC) {
            // It is no mount yet.
            Err(Errno::INVAL) => {}
            done => return done.map_err(failed("share the mounts below")),
        }
        // Made aside and put there when it is complete: whenever we are killed, it is there as it should be or not at all.
        let flags =
            OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_RECURSIVE;
        let tree = open_tree(CWD, NETNS, flags).map_err(failed("clone the mount at"))?;
        // Private first, so that it is shared in a group of its own: in that of /run all would be mounted twice.
        for propagation in [MountPropagationFlags::PRIVATE, MountPropagationFlags::SHARED] {
            let attr = MountAttr { propagation: propagation.bits().into(), ..MountAttr::default() };
            mount_setattr(tree.as_fd(), true, attr, None).map_err(failed("share the mounts below"))?;
        }
        move_mount(tree.as_fd(), c"", CWD, NETNS, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
            .map_err(failed("mount on itself"))
    }
}

/// All names, in the directory's own order, as `ip` has them. `None`: there is no directory, so nobody has given one.
pub fn names() -> Result<Option<Vec<OsString>>, Error> {
    let failed = |error: &std::io::Error| {
        Error::Netns("list", NETNS.into(), Errno::from_io_error(error).unwrap_or(Errno::IO))
    };
    let entries = match std::fs::read_dir(NETNS) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        entries => entries.map_err(|error| failed(&error))?,
    };
    let names = entries.map(|entry| entry.map(|entry| entry.file_name()).map_err(|error| failed(&error)));
    names.collect::<Result<Vec<_>, _>>().map(Some)
}

/// The path behind a name that there is or is not.
pub fn path(name: &OsStr) -> PathBuf {
    PathBuf::from(NETNS).join(name)
}

/// Refuses what can be no name.
pub fn check(name: &OsStr) -> Result<(), Error> {
    if name::is_valid(name) {
        return Ok(());
    }
    Err(Error::Asked {
        what: name.to_string_lossy().into_owned(),
        reason: "this can be no name of a network namespace".to_owned(),
        hint: Some("a name is 1 to 255 bytes, has no `/`, and is neither `.` nor `..`".to_owned()),
    })
}

/// Opens the network namespace of a name.
pub fn open_named(name: &OsStr) -> Result<OwnedFd, Error> {
    check(name)?;
    // O_NONBLOCK: what is there may be a FIFO.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let path = path(name);
    let file = match open(&path, flags, Mode::empty()) {
        Err(Errno::NOENT) => return Err(none(name)),
        file => file.map_err(|errno| Error::Netns("open", path.clone(), errno))?,
    };
    if is_network(&file) { Ok(file) } else { Err(Error::NoNamespace(path)) }
}

/// The same; where nothing has the name, and it is a pid, that process's namespace.
pub fn open_named_or_pid(name: &OsStr) -> Result<OwnedFd, Error> {
    let is_pid = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    let pid = name.to_str().filter(|name| is_pid(name) && !path(OsStr::new(name)).exists());
    let Some(pid) = pid else { return open_named(name) };
    let path = format!("/proc/{pid}/ns/net");
    match open(path.as_str(), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) {
        Err(Errno::NOENT) => Err(none(name)),
        file => file.map_err(|errno| Error::network_of(pid, errno)),
    }
}

/// Is it a file of a network namespace?
pub fn is_network(file: &OwnedFd) -> bool {
    nsfs::kind(file.as_fd()).is_ok_and(|flag| u64::try_from(flag) == Ok(Kind::Net.flag()))
}

/// Nothing has this name.
pub fn none(name: &OsStr) -> Error {
    Error::Asked {
        what: name.to_string_lossy().into_owned(),
        reason: "no network namespace has this name".to_owned(),
        hint: Some("`insula netns list` shows those that have one".to_owned()),
    }
}
