//! Names beside the ids that this network namespace has for others, ip-netns(8) list and list-id.

use super::directory;
use crate::error::Error;
use insula_net::nsid::{self, Entry};
use insula_net::socket::Socket;
use rustix::fd::AsFd;
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};

/// A name.
#[derive(Debug)]
pub struct Named {
    /// The name.
    pub name: OsString,
    /// The id that this network namespace has for that one.
    pub nsid: Option<i32>,
    /// Why there is no network namespace behind the name, or none that we may see.
    pub fault: Option<Error>,
}

/// All names in the directory's order. `None`: there is no directory.
pub fn list(socket: &mut Socket) -> Result<Option<Vec<Named>>, Error> {
    let Some(names) = directory::names()? else { return Ok(None) };
    let named = names.into_iter().map(|name| {
        let found =
            directory::open_named(&name).and_then(|file| nsid::get(socket, file.as_fd()).map_err(Error::Net));
        match found {
            Ok(nsid) => Named { name, nsid, fault: None },
            Err(fault) => Named { name, nsid: None, fault: Some(fault) },
        }
    });
    Ok(Some(named.collect()))
}

/// Gives the network namespace of a name an id in this one; `None`: any that is free. Where there is no such name, a pid
/// is one too.
pub fn set(socket: &mut Socket, name: &OsStr, nsid: Option<i32>) -> Result<(), Error> {
    let file = directory::open_named_or_pid(name)?;
    nsid::set(socket, file.as_fd(), nsid).map_err(Error::Net)
}

/// An id, and the name of what it stands for.
#[derive(Debug)]
pub struct Id {
    /// The id.
    pub entry: Entry,
    /// The name; the first of several.
    pub name: Option<OsString>,
}

/// The ids of this network namespace, or of that whose id here is `target`; or the one that stands for the namespace of id
/// `nsid` here.
pub fn ids(socket: &mut Socket, target: Option<i32>, nsid: Option<i32>) -> Result<Vec<Id>, Error> {
    let mut names = HashMap::new();
    for Named { name, nsid, .. } in list(socket)?.unwrap_or_default() {
        if let Some(nsid) = nsid {
            names.entry(nsid).or_insert(name);
        }
    }
    let entries = match nsid {
        Some(nsid) => nsid::translate(socket, nsid, target).map(|entry| vec![entry]),
        None => nsid::list(socket, target),
    };
    let id = |entry: Entry| {
        // Names are known by ids of this namespace only: with a target that is the current one.
        let here = if target.is_some() { entry.current } else { Some(entry.nsid) };
        Id { entry, name: here.and_then(|here| names.get(&here).cloned()) }
    };
    entries.map(|entries| entries.into_iter().map(id).collect()).map_err(Error::Net)
}
