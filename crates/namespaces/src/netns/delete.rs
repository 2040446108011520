//! Takes a name away from a network namespace, and does not lose the machine's devices by it.
//!
//! With its last holder a network namespace dies, and the kernel moves hardware to the initial namespace, bare; or it
//! stays with a process and cannot be reached by a name (ip-netns(8)). So a name is not taken while hardware is behind
//! it, unless that is asked.

use super::directory::{self, Directory};
use super::{inside, processes};
use crate::error::Error;
use insula_net::moving::{Lost, relocate};
use insula_net::network::Network;
use insula_net::physical;
use rustix::fd::OwnedFd;
use rustix::fs::{FileType, fstat, lstat, stat, unlink};
use rustix::io::Errno;
use rustix::mount::{UnmountFlags, unmount};
use std::ffi::OsStr;
use std::path::Path;

/// More mounts than this on one file are no accident.
const MOST_MOUNTS: usize = 64;

/// What becomes of hardware in the namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Devices {
    /// The name is not taken away while there is any.
    Refuse,
    /// It is moved to the network namespace that we are in, and keeps its addresses.
    MoveBack,
    /// What the kernel does with it.
    Leave,
}

/// What was moved back, for people.
#[derive(Debug)]
pub struct Returned {
    /// The device.
    pub device: String,
    /// What it could not keep.
    pub lost: Vec<Lost>,
}

/// Takes the name away. What was moved back is returned even where the rest fails: it has come.
pub fn delete(name: &OsStr, devices: Devices) -> (Vec<Returned>, Result<(), Error>) {
    let mut returned = Vec::new();
    let done = save_named(name, devices, &mut returned).and_then(|()| take_away(name));
    (returned, done)
}

/// Saves the hardware behind a name in /run/netns.
fn save_named(name: &OsStr, devices: Devices, returned: &mut Vec<Returned>) -> Result<(), Error> {
    directory::check(name)?;
    if devices == Devices::Leave || is_spare(name) {
        return Ok(());
    }
    match directory::open_named(name) {
        // What was left behind holds nothing.
        Err(Error::NoNamespace(_)) => Ok(()),
        Err(error) => Err(error),
        Ok(_) => save_devices(&name.to_string_lossy(), || directory::open_named(name), devices, returned),
    }
}

/// Saves the hardware in a network namespace that may be about to end; `again` opens it.
pub(crate) fn save_devices(
    name: &str,
    again: impl Fn() -> Result<OwnedFd, Error>,
    devices: Devices,
    returned: &mut Vec<Returned>,
) -> Result<(), Error> {
    let called = format!("the network namespace `{name}`");
    let physical = inside::look(again()?, called.clone(), |mut there| physical::list(&mut there.socket))?;
    if physical.is_empty() || is_held(&again()?)? {
        return Ok(());
    }
    let names: Vec<String> = physical.into_iter().map(|link| link.name).collect();
    if devices == Devices::Refuse {
        return Err(Error::Physical { name: name.to_owned(), devices: names });
    }
    let here = || Network::here("the network namespace that we are in").map_err(Error::Net);
    for device in names {
        let mut here = here()?;
        let moved = inside::look(again()?, called.clone(), |mut there| {
            relocate(&mut there, &mut here, &device, None)
        })?;
        returned.push(Returned { device, lost: moved.lost });
    }
    Ok(())
}

/// A link to a file elsewhere (`/proc/PID/ns/net`, as is done for containers) keeps nothing alive.
fn is_spare(name: &OsStr) -> bool {
    lstat(directory::path(name))
        .is_ok_and(|found| FileType::from_raw_mode(found.st_mode) == FileType::Symlink)
}

/// Is the namespace reachable without the name: are we in it, or has it another name?
fn is_held(file: &OwnedFd) -> Result<bool, Error> {
    let failed = |errno| Error::File("look at", "the network namespace".to_owned(), errno);
    let of = fstat(file).map_err(failed)?;
    let is_own = stat("/proc/thread-self/ns/net").is_ok_and(|own| processes::is_same(&own, &of));
    Ok(is_own || processes::names_of(&of)?.len() > 1)
}

/// Unmounts it, and removes the file.
fn take_away(name: &OsStr) -> Result<(), Error> {
    let path = directory::path(name);
    let directory = match Directory::open() {
        Err(Error::Netns(_, _, Errno::NOENT)) => return Err(directory::none(name)),
        directory => directory?,
    };
    // Held to the end: nobody takes our file for a leftover meanwhile.
    directory.lock();
    uncover(&path);
    match unlink(&path) {
        Err(Errno::NOENT) => Err(directory::none(name)),
        done => done.map_err(|errno| Error::Netns("remove", path, errno)),
    }
}

/// Takes off what is mounted on it. Where that is refused, the unlink is as well, and says why.
fn uncover(path: &Path) {
    // Racing tools may have mounted more than once.
    for _ in 0..MOST_MOUNTS {
        if unmount(path, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW).is_err() {
            return;
        }
    }
}
