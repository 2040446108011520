//! `insula link up`, `down` and `del`: each for several devices, and as a whole.

use super::device::{Device, texts};
use super::error::Error;
use super::room::{Room, Rooms};
use clap::ArgMatches;
use insula_net::error::Error as NetError;
use insula_net::link::{self, Index, Link};
use insula_net::network::Network;
use insula_net::socket::Socket;
use rustix::io::Errno;

/// Brings a device up, or takes it down.
type Set = fn(&mut Socket, Index, &str) -> Result<(), NetError>;

/// `insula link up DEV…`.
pub fn up(matches: &ArgMatches) -> Result<String, Error> {
    set(matches, true)
}

/// `insula link down DEV…`.
pub fn down(matches: &ArgMatches) -> Result<String, Error> {
    set(matches, false)
}

fn set(matches: &ArgMatches, up: bool) -> Result<String, Error> {
    let (act, back): (Set, Set) =
        if up { (link::set_up, link::set_down) } else { (link::set_down, link::set_up) };
    let mut rooms = Rooms::new()?;
    let all = all(&mut rooms, matches)?;
    for (at, (room, device)) in all.iter().enumerate() {
        let Err(error) = act(&mut rooms.network(*room).socket, device.index, &device.name) else { continue };
        // As it was before: those that were so already stay so.
        for (room, device) in all[..at].iter().filter(|(_, device)| device.is_up() != up) {
            back(&mut rooms.network(*room).socket, device.index, &device.name)?;
        }
        return Err(if at == 0 { error } else { NetError::Undone(Box::new(error)) }.into());
    }
    Ok(String::new())
}

/// `insula link del DEV…`. All are looked for before the first is deleted.
pub fn delete(matches: &ArgMatches) -> Result<String, Error> {
    let mut rooms = Rooms::new()?;
    for (room, device) in all(&mut rooms, matches)? {
        let network: &mut Network = rooms.network(room);
        match link::delete(&mut network.socket, device.index, &device.name) {
            // The other end of one that has just been deleted.
            Err(error) if error.errno() == Some(Errno::NODEV) => {}
            deleted => deleted?,
        }
    }
    Ok(String::new())
}

/// The devices that are named, which have to be there.
fn all(rooms: &mut Rooms, matches: &ArgMatches) -> Result<Vec<(Room, Link)>, Error> {
    let mut all = Vec::new();
    for word in texts(matches, "DEV") {
        let device = Device::bare(word)?;
        let room = device.room(rooms, "in", matches.get_one("in"))?;
        all.push((room, device.find(rooms.network(room))?));
    }
    Ok(all)
}
