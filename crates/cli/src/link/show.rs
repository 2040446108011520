//! `insula link show [DEV…]`: what devices there are, for people and for machines.

use super::device::{Device, texts};
use super::error::Error;
use super::room::{HOST, Room, Rooms, named};
use super::table::table;
use clap::ArgMatches;
use insula_net::address::{self, Address};
use insula_net::link::{self, Link, State};
use insula_net::nsid;
use rustix::fd::AsFd;
use std::collections::BTreeMap;

/// A device with what is said of it.
struct Shown {
    link: Link,
    addresses: Vec<Address>,
    master: Option<String>,
    peer: Option<Peer>,
}

/// The other end of a device, or the one below it.
#[derive(Default)]
struct Peer {
    index: u32,
    /// Its name; `None` where we may not look.
    name: Option<String>,
    /// The id of its network namespace, where that is another one.
    nsid: Option<i32>,
    /// The name of that, if it has one.
    netns: Option<String>,
}

/// Lists devices.
pub fn show(matches: &ArgMatches) -> Result<String, Error> {
    let words: Vec<&String> = texts(matches, "DEV").collect();
    let devices = words.iter().map(|word| Device::bare(word)).collect::<Result<Vec<_>, _>>()?;
    let mut rooms = Rooms::new()?;
    let mut shown = Vec::new();
    if devices.is_empty() {
        let room = rooms.room(matches.get_one::<String>("in").map_or(HOST, String::as_str))?;
        shown = all(&mut rooms, room)?;
    }
    for device in devices {
        let room = device.room(&mut rooms, "in", matches.get_one("in"))?;
        let found = device.find(rooms.network(room))?;
        shown.extend(all(&mut rooms, room)?.into_iter().filter(|shown| shown.link.index == found.index));
    }
    if matches.get_flag("json") {
        let all: Vec<_> = shown.iter().map(json).collect();
        return Ok(format!("{:#}\n", serde_json::Value::from(all)));
    }
    let head = ["DEVICE", "KIND", "STATE", "MTU", "MAC", "ADDRESSES", "MASTER", "PEER"];
    Ok(table(head, &shown.iter().map(row).collect::<Vec<_>>()))
}

/// All devices of a namespace.
fn all(rooms: &mut Rooms, room: Room) -> Result<Vec<Shown>, Error> {
    let socket = &mut rooms.network(room).socket;
    let links = link::list(socket)?;
    let mut addresses: BTreeMap<u32, Vec<Address>> = BTreeMap::new();
    for address in address::list(socket, None)? {
        addresses.entry(address.index).or_default().push(address);
    }
    let ids =
        if links.iter().any(|link| link.peer_nsid.is_some()) { ids(rooms, room) } else { BTreeMap::new() };
    let here: BTreeMap<u32, String> = links.iter().map(|link| (link.index, link.name.clone())).collect();
    let mut shown = Vec::new();
    for link in links {
        let peer = match (link.peer.filter(|index| *index != 0), link.peer_nsid) {
            (None, _) => None,
            (Some(index), None) => Some(Peer { index, name: here.get(&index).cloned(), ..Peer::default() }),
            (Some(index), Some(id)) => {
                // Whose namespace is not ours to look into does not tell its devices' names.
                let found = link::by_index_in(&mut rooms.network(room).socket, index, id).ok().flatten();
                let name = found.map(|link| link.name);
                Some(Peer { index, name, nsid: Some(id), netns: ids.get(&id).cloned() })
            }
        };
        let master = link.master.and_then(|index| here.get(&index).cloned());
        let addresses = addresses.remove(&link.index).unwrap_or_default();
        shown.push(Shown { link, addresses, master, peer });
    }
    Ok(shown)
}

/// What the namespaces are called that a namespace has ids for. What cannot be opened or asked has no name to tell.
fn ids(rooms: &mut Rooms, room: Room) -> BTreeMap<i32, String> {
    let mut ids = BTreeMap::new();
    for (name, file) in named() {
        if let Ok(Some(id)) = nsid::get(&mut rooms.network(room).socket, file.as_fd()) {
            ids.entry(id).or_insert(name);
        }
    }
    if let Some((host, other)) = rooms.both(Room::HOST, room)
        && let Ok(Some(id)) = nsid::get(&mut other.socket, host.file.as_fd())
    {
        ids.entry(id).or_insert_with(|| HOST.to_owned());
    }
    ids
}

/// A line for people.
fn row(shown: &Shown) -> [String; 8] {
    let link = &shown.link;
    let state = match link.state {
        _ if !link.is_up() => "down",
        // Drivers without carrier do not say: what is brought up is up.
        State::Unknown => "up",
        State::Down | State::LowerLayerDown => "no carrier",
        state => state.name(),
    };
    let kind = match &link.kind {
        Some(kind) => kind,
        None if link.is_loopback() => "loopback",
        None => "hardware",
    };
    let addresses: Vec<String> = shown.addresses.iter().map(|address| address.local.to_string()).collect();
    [
        link.name.clone(),
        kind.to_owned(),
        state.to_owned(),
        link.mtu.to_string(),
        link.mac.to_string(),
        addresses.join(","),
        shown.master.clone().unwrap_or_default(),
        shown.peer.as_ref().map(peer).unwrap_or_default(),
    ]
}

/// The other end in words: `eth0`, `eth0 in b`, `index 3 in nsid 0`.
fn peer(peer: &Peer) -> String {
    let name = peer.name.clone().unwrap_or_else(|| format!("index {}", peer.index));
    match (&peer.netns, peer.nsid) {
        (Some(netns), _) => format!("{name} in {netns}"),
        (None, Some(id)) => format!("{name} in nsid {id}"),
        (None, None) => name,
    }
}

/// An object for machines.
fn json(shown: &Shown) -> serde_json::Value {
    let link = &shown.link;
    let addresses: Vec<_> = shown
        .addresses
        .iter()
        .map(|address| {
            serde_json::json!({
                "address": address.local.address.to_string(),
                "prefix": address.local.length,
                "peer": address.peer.map(|peer| peer.to_string()),
                "broadcast": address.broadcast.map(|broadcast| broadcast.to_string()),
                "scope": address.scope_name(),
                "tentative": address.is_tentative(),
            })
        })
        .collect();
    let peer = shown.peer.as_ref().map(|peer| {
        serde_json::json!({
            "index": peer.index, "name": peer.name, "nsid": peer.nsid, "netns": peer.netns,
        })
    });
    serde_json::json!({
        "name": link.name,
        "index": link.index,
        "kind": link.kind,
        "loopback": link.is_loopback(),
        "up": link.is_up(),
        "carrier": link.has_carrier(),
        "state": link.state.name(),
        "mtu": link.mtu,
        "mac": if link.mac.0.is_empty() { None } else { Some(link.mac.to_string()) },
        "addresses": addresses,
        "master": shown.master,
        "peer": peer,
    })
}
