//! Which names a process's network namespace has, and which processes are in a named one; ip-netns(8) identify and pids.

use super::directory;
use crate::error::Error;
use rustix::fs::{Stat, fstat, stat};
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};

/// The processes of a namespace.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Inside {
    /// Their pids, in ascending order.
    pub pids: Vec<u32>,
    /// How many processes there are that could not be looked at: that takes the rights to trace them (ptrace(2)).
    pub unseen: usize,
}

/// There is no such process.
pub(super) fn gone(pid: &str) -> Error {
    Error::Asked {
        what: pid.to_owned(),
        reason: "there is no process of this pid".to_owned(),
        hint: Some("a pid counts in the pid namespace that /proc shows; `ps -e` lists them".to_owned()),
    }
}

/// All names of the network namespace of a process (`None`: this one), in the directory's order.
pub fn identify(pid: Option<&str>) -> Result<Vec<OsString>, Error> {
    let path = format!("/proc/{}/ns/net", pid.unwrap_or("self"));
    let of = match (stat(path.as_str()), pid) {
        (Err(Errno::NOENT), Some(pid)) => return Err(gone(pid)),
        (found, _) => found.map_err(|errno| Error::network_of(pid.unwrap_or_default(), errno))?,
    };
    names_of(&of)
}

/// All names of a network namespace.
pub(super) fn names_of(of: &Stat) -> Result<Vec<OsString>, Error> {
    let mut names = directory::names()?.unwrap_or_default();
    names.retain(|name| stat(directory::path(name)).is_ok_and(|named| is_same(&named, of)));
    Ok(names)
}

/// The processes whose main thread is in the network namespace of a name.
pub fn pids(name: &OsStr) -> Result<Inside, Error> {
    let file = directory::open_named(name)?;
    let named = fstat(&file).map_err(|errno| Error::Netns("look at", directory::path(name), errno))?;
    let mut inside = Inside::default();
    for pid in all() {
        match stat(format!("/proc/{pid}/ns/net").as_str()) {
            Ok(found) if is_same(&found, &named) => inside.pids.push(pid),
            Err(Errno::ACCESS | Errno::PERM) => inside.unseen += 1,
            // Another namespace's; or it has ended meanwhile.
            Ok(_) | Err(_) => {}
        }
    }
    inside.pids.sort_unstable();
    Ok(inside)
}

/// Is it one namespace? Both are there at this time, so the inode tells.
pub(super) fn is_same(one: &Stat, other: &Stat) -> bool {
    (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
}

/// The pids of all processes that /proc shows.
pub(crate) fn all() -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}
