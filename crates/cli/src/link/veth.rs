//! `insula link pair A B`.

use super::device::{Device, find};
use super::error::Error;
use super::room::{Room, Rooms};
use clap::ArgMatches;
use insula_net::address::{self, Address};
use insula_net::error::Error as NetError;
use insula_net::link::{self, End, State};
use insula_net::network::Network;
use rustix::fd::AsFd;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a pair may take to carry packets; on a busy machine it is a few milliseconds.
const SETTLED: Duration = Duration::from_secs(1);

/// Makes a pair, gives both ends their addresses, brings them up.
pub fn pair(matches: &ArgMatches) -> Result<String, Error> {
    let mtu = mtu(matches)?;
    let up = matches.get_flag("up");
    let mut rooms = Rooms::new()?;
    let (first, here) = end(&mut rooms, matches, "A", "netns")?;
    let (second, there) = end(&mut rooms, matches, "B", "peer-netns")?;
    make(&mut rooms, (&first, here), (&second, there), mtu)?;
    let given = give(rooms.network(here), &first, up).and_then(|one| {
        let other = give(rooms.network(there), &second, up)?;
        if one && other {
            settle(rooms.network(here), &first)?;
            settle(rooms.network(there), &second)?;
        }
        Ok(())
    });
    match given {
        Ok(()) => Ok(String::new()),
        Err(error) => Err(undo(rooms.network(here), &first.name, error)),
    }
}

/// An end, and where it is to be.
fn end(
    rooms: &mut Rooms,
    matches: &ArgMatches,
    id: &str,
    flag: &'static str,
) -> Result<(Device, Room), Error> {
    let device = Device::parse(matches.get_one::<String>(id).map_or("", String::as_str))?;
    let room = device.room(rooms, flag, matches.get_one(flag))?;
    Ok((device, room))
}

fn mtu(matches: &ArgMatches) -> Result<Option<u32>, Error> {
    let Some(text) = matches.get_one::<String>("mtu") else { return Ok(None) };
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let mtu = text.parse().ok().filter(|_| digits).ok_or_else(|| Error::Form {
        word: format!("--mtu {text}"),
        reason: "it is no number of bytes",
        form: "a number, as 1500",
    })?;
    Ok(Some(mtu))
}

/// Makes both ends, each where it is to be: one request.
fn make(
    rooms: &mut Rooms,
    (first, here): (&Device, Room),
    (second, there): (&Device, Room),
    mtu: Option<u32>,
) -> Result<(), NetError> {
    let first = End { name: &first.name, mtu, mac: None };
    let second = End { name: &second.name, mtu, mac: None };
    match rooms.both(here, there) {
        Some((here, there)) => link::veth(&mut here.socket, &first, &second, Some(there.file.as_fd())),
        None => link::veth(&mut rooms.network(here).socket, &first, &second, None),
    }
}

/// Gives an end its addresses, and brings it up if it has some, or `up`. Was it brought up?
fn give(network: &mut Network, device: &Device, up: bool) -> Result<bool, Error> {
    if device.addresses.is_empty() && !up {
        return Ok(false);
    }
    let link = find(network, &device.name)?;
    for prefix in &device.addresses {
        // Both ends are ours: whom would the kernel ask whether another has the address, and we would wait?
        let address = Address::new(link.index, *prefix).without_inquiry();
        address::add(&mut network.socket, &link.name, &address)?;
    }
    link::set_up(&mut network.socket, link.index, &link.name)?;
    Ok(true)
}

/// Waits until an end carries packets: the kernel sees that the other end is up a moment later, and drops what is sent
/// before. Kernels from 6.7 on look when they are asked.
fn settle(network: &mut Network, device: &Device) -> Result<(), Error> {
    let deadline = Instant::now() + SETTLED;
    while find(network, &device.name)?.state != State::Up && Instant::now() < deadline {
        sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// Deletes the pair again; the error that says so.
fn undo(network: &mut Network, name: &str, error: Error) -> Error {
    let Error::Net(first) = error else { return error };
    let deleted = match link::by_name(&mut network.socket, name) {
        Ok(Some(link)) => link::delete(&mut network.socket, link.index, name),
        Ok(None) => Ok(()),
        Err(error) => Err(error),
    };
    Error::Net(match deleted {
        Ok(()) => NetError::Undone(Box::new(first)),
        Err(undo) => NetError::Stranded {
            name: name.to_owned(),
            network: network.name.clone(),
            first: Box::new(first),
            undo: Box::new(undo),
        },
    })
}
