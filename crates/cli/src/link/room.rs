//! The network namespaces of one command: what a word for one leads to, and a socket in each.

use super::error::Error;
use insula_launch::plan::Kind;
use insula_namespaces::names;
use insula_net::network::Network;
use insula_sys::nsfs;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use std::ffi::OsStr;

/// The word for the namespace that we are called in.
pub const HOST: &str = "host";

/// Which of [`Rooms`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room(usize);

impl Room {
    /// The namespace that we are called in.
    pub const HOST: Room = Room(0);
}

/// The network namespaces that a command speaks to. The first is that which it is called in: its socket is open before
/// another namespace is entered, and we never come back.
pub struct Rooms {
    words: Vec<String>,
    networks: Vec<Network>,
}

impl Rooms {
    /// The one that we are in.
    pub fn new() -> Result<Rooms, Error> {
        let host = Network::here("the network namespace that insula is called in")?;
        Ok(Rooms { words: vec![HOST.to_owned()], networks: vec![host] })
    }

    /// The namespace that a word leads to; it is entered the first time.
    pub fn room(&mut self, word: &str) -> Result<Room, Error> {
        if let Some(at) = self.words.iter().position(|known| known == word) {
            return Ok(Room(at));
        }
        let network = Network::enter(open_word(word)?, format!("the network namespace `{word}`"))?;
        self.words.push(word.to_owned());
        self.networks.push(network);
        Ok(Room(self.words.len() - 1))
    }

    /// A namespace.
    pub fn network(&mut self, room: Room) -> &mut Network {
        &mut self.networks[room.0]
    }

    /// Two namespaces; `None` if they are one.
    pub fn both(&mut self, one: Room, other: Room) -> Option<(&mut Network, &mut Network)> {
        let [one, other] = self.networks.get_disjoint_mut([one.0, other.0]).ok()?;
        Some((one, other))
    }
}

/// Opens the namespace that a word leads to: a path, a name first, as with ip(8), then a pid.
fn open_word(word: &str) -> Result<OwnedFd, Error> {
    if word.contains('/') {
        return file(word);
    }
    if let Some(file) = names::open(Kind::Net, OsStr::new(word))? {
        return Ok(file);
    }
    if !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()) {
        return file(&format!("/proc/{word}/ns/net"));
    }
    // What cannot be listed is not offered.
    let all = names::all().unwrap_or_default();
    let with_network = all.iter().filter(|named| named.kinds().contains(&Kind::Net));
    let names = with_network.map(|named| format!("`{}`", named.shown())).collect();
    Err(Error::Unknown { word: word.to_owned(), names })
}

/// The network namespaces that have a name, each open, sorted by their names. What cannot be opened is left out.
pub fn named() -> Vec<(String, OwnedFd)> {
    let all = names::all().unwrap_or_default();
    let with_network = all.iter().filter(|named| named.kinds().contains(&Kind::Net));
    with_network.filter_map(|named| Some((named.shown(), named.open(Kind::Net).ok()?))).collect()
}

/// Opens a file of a network namespace.
fn file(path: &str) -> Result<OwnedFd, Error> {
    // O_NONBLOCK: what is named may be a FIFO.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file =
        open(path, flags, Mode::empty()).map_err(|errno| Error::Open { path: path.to_owned(), errno })?;
    match nsfs::kind(file.as_fd()) {
        Ok(flag) if u64::try_from(flag) == Ok(Kind::Net.flag()) => Ok(file),
        Ok(_) | Err(Errno::NOTTY) => Err(Error::NoNamespace { path: path.to_owned() }),
        Err(errno) => Err(Error::Open { path: path.to_owned(), errno }),
    }
}
