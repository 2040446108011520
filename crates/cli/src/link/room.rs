//! The network namespaces of one command: what a word for one leads to, and a socket in each.

use super::error::Error;
use insula_launch::plan::Kind;
use insula_namespaces::name;
use insula_net::network::Network;
use insula_sys::nsfs;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;

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
        let network = Network::enter(file(&path(word)?)?, format!("the network namespace `{word}`"))?;
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

/// The path of the namespace file that a word leads to: a name of /run/netns first, as with ip(8), then a pid.
fn path(word: &str) -> Result<String, Error> {
    if word.contains('/') {
        return Ok(word.to_owned());
    }
    if let Some(path) = name::lookup(Kind::Net, word).as_deref().and_then(|path| path.to_str()) {
        return Ok(path.to_owned());
    }
    if !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(format!("/proc/{word}/ns/net"));
    }
    let names = names().into_iter().map(|name| format!("`{name}`")).collect();
    Err(Error::Unknown { word: word.to_owned(), names })
}

/// The names of network namespaces, sorted.
pub fn names() -> Vec<String> {
    let entries = std::fs::read_dir(name::NETNS).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_unstable();
    names
}

/// Opens a file of a network namespace.
pub fn file(path: &str) -> Result<OwnedFd, Error> {
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
