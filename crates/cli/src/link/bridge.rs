//! `insula link bridge NAME [DEV…]`.

use super::device::{Device, find, texts};
use super::error::Error;
use super::room::Rooms;
use clap::ArgMatches;
use insula_net::address::{self, Address};
use insula_net::error::Error as NetError;
use insula_net::link::{self, Link};
use insula_net::network::Network;

/// What was done, so that it can be undone.
#[derive(Default)]
struct Done {
    /// The bridge was made.
    made: bool,
    /// The bridge as it was before, or is anew.
    bridge: Option<Link>,
    /// Addresses that were added to it.
    added: Vec<Address>,
    /// Ports, as they were before.
    ports: Vec<Link>,
}

/// Makes a bridge, or takes one that is there; makes the devices its ports; brings all up.
pub fn bridge(matches: &ArgMatches) -> Result<String, Error> {
    let bridge = Device::parse(matches.get_one::<String>("NAME").map_or("", String::as_str))?;
    let mut rooms = Rooms::new()?;
    let room = bridge.room(&mut rooms, "in", matches.get_one("in"))?;
    let mut ports = Vec::new();
    for word in texts(matches, "DEV") {
        let port = Device::bare(word)?;
        // A port that names its namespace has to name the bridge's.
        let its = match &port.netns {
            Some(word) => rooms.room(word)?,
            None => room,
        };
        if its != room {
            return Err(Error::Conflict {
                what: format!("`{word}` is in another network namespace than the bridge `{}`", bridge.name),
                cure: "move it first, with `insula link move`",
            });
        }
        ports.push(port.find(rooms.network(room))?);
    }
    let network = rooms.network(room);
    let mut done = Done::default();
    match make(network, &bridge, &ports, &mut done) {
        Ok(()) => Ok(String::new()),
        Err(Error::Net(error)) => {
            undo(network, &done)?;
            Err(if done.bridge.is_none() { error } else { NetError::Undone(Box::new(error)) }.into())
        }
        Err(error) => Err(error),
    }
}

fn make(network: &mut Network, device: &Device, ports: &[Link], done: &mut Done) -> Result<(), Error> {
    let there = link::by_name(&mut network.socket, &device.name)?;
    if there.as_ref().is_some_and(|link| link.kind.as_deref() != Some("bridge")) {
        return Err(Error::Conflict {
            what: format!("`{}` is there, and is no bridge", device.name),
            cure: "choose another name, or delete it first",
        });
    }
    let bridge = match there {
        Some(bridge) => bridge,
        None => {
            link::bridge(&mut network.socket, &device.name)?;
            done.made = true;
            find(network, &device.name)?
        }
    };
    done.bridge = Some(bridge.clone());
    let socket = &mut network.socket;
    for prefix in &device.addresses {
        let address = Address::new(bridge.index, *prefix);
        address::add(socket, &bridge.name, &address)?;
        done.added.push(address);
    }
    for port in ports {
        done.ports.push(port.clone());
        link::set_master(socket, port.index, &port.name, bridge.index)?;
        link::set_up(socket, port.index, &port.name)?;
    }
    Ok(link::set_up(socket, bridge.index, &bridge.name)?)
}

/// Makes it as it was before.
fn undo(network: &mut Network, done: &Done) -> Result<(), NetError> {
    let Some(bridge) = &done.bridge else { return Ok(()) };
    let socket = &mut network.socket;
    for port in done.ports.iter().rev() {
        link::set_master(socket, port.index, &port.name, port.master.unwrap_or(0))?;
        if !port.is_up() {
            link::set_down(socket, port.index, &port.name)?;
        }
    }
    if done.made {
        return link::delete(socket, bridge.index, &bridge.name);
    }
    for address in done.added.iter().rev() {
        address::delete(socket, &bridge.name, address)?;
    }
    Ok(())
}
