//! Gives a network namespace a name: a file is made, and the namespace is mounted on it.
//!
//! The namespace is there before the file is, and both calls are made under the lock of the directory, with signals held
//! back. So only SIGKILL can come between them; what it leaves is told apart by [`leftover`](super::leftover).

use super::directory::{self, Directory};
use super::{inside, leftover};
use crate::error::Error;
use insula_sys::signal::{self, SigSet};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{CWD, Mode, OFlags, open, unlink};
use rustix::io::Errno;
use rustix::mount::{MoveMountFlags, OpenTreeFlags, move_mount, open_tree};
use std::ffi::OsStr;

/// Makes a network namespace, and gives it the name. `prepare` may change the new one before it has the name: what fails
/// there leaves nothing.
pub fn add(name: &OsStr, prepare: impl FnOnce(&OwnedFd) -> Result<(), Error>) -> Result<(), Error> {
    let directory = ready(name)?;
    let file = inside::fresh()?;
    prepare(&file)?;
    pin(&directory, name, &file)
}

/// Gives the network namespace of a process the name.
pub fn attach(name: &OsStr, pid: i32) -> Result<(), Error> {
    directory::check(name)?;
    let path = format!("/proc/{pid}/ns/net");
    let file = match open(path.as_str(), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) {
        Err(Errno::NOENT) => return Err(super::processes::gone(&pid.to_string())),
        file => file.map_err(|errno| Error::network_of(&pid.to_string(), errno))?,
    };
    pin(&ready(name)?, name, &file)
}

/// The directory, made, shared, and without this name.
fn ready(name: &OsStr) -> Result<Directory, Error> {
    directory::check(name)?;
    Directory::make()?;
    let directory = Directory::open()?;
    let is_locked = directory.lock();
    directory.share()?;
    leftover::clear(name, is_locked)?;
    directory.unlock();
    Ok(directory)
}

/// The file, and the mount on it; both or none.
fn pin(directory: &Directory, name: &OsStr, file: &OwnedFd) -> Result<(), Error> {
    let before = signal::block(&SigSet::new_full());
    let done = pin_undisturbed(directory, name, file);
    directory.unlock();
    if let Ok(before) = before {
        // A signal that came meanwhile comes now.
        let _ = signal::set_mask(&before);
    }
    done
}

fn pin_undisturbed(directory: &Directory, name: &OsStr, file: &OwnedFd) -> Result<(), Error> {
    let is_locked = directory.lock();
    let path = directory::path(name);
    let failed = |what| {
        let path = path.clone();
        move |errno| match errno {
            Errno::EXIST => leftover::taken(name),
            errno => Error::Netns(what, path, errno),
        }
    };
    let flags = OFlags::RDONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    drop(open(&path, flags, leftover::mode(is_locked)).map_err(failed("make"))?);
    // By its descriptor: no /proc is needed, and the process may be gone meanwhile.
    let flags =
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_EMPTY_PATH;
    let mounted = open_tree(file.as_fd(), c"", flags)
        .and_then(|tree| move_mount(tree.as_fd(), c"", CWD, &path, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH));
    mounted.map_err(|errno| {
        // The first failure is told; an empty file that stays is known for what it is.
        let _ = unlink(&path);
        failed("mount the network namespace on")(errno)
    })
}
