//! `insula link addr DEV ADDRESS/PREFIX…`.

use super::device::{Device, texts};
use super::error::Error;
use super::room::Rooms;
use clap::ArgMatches;
use insula_net::address::{self, Address};
use insula_net::error::{Act, Error as NetError};
use insula_net::link::Link;
use insula_net::network::Network;
use insula_net::prefix::Prefix;
use rustix::io::Errno;
use std::net::{IpAddr, Ipv4Addr};

/// Adds addresses, or deletes them; all or none.
pub fn address(matches: &ArgMatches) -> Result<String, Error> {
    let device = Device::bare(matches.get_one::<String>("DEV").map_or("", String::as_str))?;
    let prefixes = texts(matches, "ADDRESS").map(|text| text.parse()).collect::<Result<Vec<Prefix>, _>>()?;
    let peer: Option<IpAddr> = parsed(matches, "peer", "an address, as 10.0.0.2")?;
    let broadcast: Option<Ipv4Addr> = parsed(matches, "broadcast", "an IPv4 address, as 10.0.0.255")?;
    for prefix in &prefixes {
        agree(prefix, peer, broadcast)?;
    }
    let mut rooms = Rooms::new()?;
    let room = device.room(&mut rooms, "in", matches.get_one("in"))?;
    let network = rooms.network(room);
    let link = device.find(network)?;
    if matches.get_flag("del") {
        delete(network, &link, &prefixes, peer)?;
    } else {
        let given = prefixes.iter().map(|prefix| {
            let usual = Address::new(link.index, *prefix);
            // On a line with two ends nobody else listens.
            let broadcast = broadcast.or(usual.broadcast.filter(|_| peer.is_none()));
            Address { peer, broadcast, ..usual }
        });
        add(network, &link, &given.collect::<Vec<_>>())?;
    }
    Ok(String::new())
}

/// The value of a flag.
fn parsed<T: std::str::FromStr>(
    matches: &ArgMatches,
    flag: &str,
    form: &'static str,
) -> Result<Option<T>, Error> {
    let Some(text) = matches.get_one::<String>(flag) else { return Ok(None) };
    let refused = |_| Error::Form { word: format!("--{flag} {text}"), reason: "it is no such address", form };
    text.parse().map(Some).map_err(refused)
}

/// Are the flags of the address's family?
fn agree(prefix: &Prefix, peer: Option<IpAddr>, broadcast: Option<Ipv4Addr>) -> Result<(), Error> {
    let is_v4 = prefix.address.is_ipv4();
    let what = match (peer, broadcast) {
        (Some(peer), _) if peer.is_ipv4() != is_v4 => format!("`{prefix}` contradicts `--peer {peer}`"),
        (_, Some(broadcast)) if !is_v4 => format!("`{prefix}` contradicts `--broadcast {broadcast}`"),
        _ => return Ok(()),
    };
    Err(Error::Conflict { what, cure: "write all of one family, IPv4 or IPv6; IPv6 has no broadcast" })
}

/// Adds all; if one is refused, those before it are taken away again.
fn add(network: &mut Network, link: &Link, all: &[Address]) -> Result<(), Error> {
    for (at, address) in all.iter().enumerate() {
        let Err(error) = address::add(&mut network.socket, &link.name, address) else { continue };
        for address in all[..at].iter().rev() {
            address::delete(&mut network.socket, &link.name, address)?;
        }
        return Err(if at == 0 { error } else { NetError::Undone(Box::new(error)) }.into());
    }
    Ok(())
}

/// Deletes all, after a look whether all are there.
fn delete(
    network: &mut Network,
    link: &Link,
    prefixes: &[Prefix],
    peer: Option<IpAddr>,
) -> Result<(), Error> {
    let there = address::list(&mut network.socket, Some(link.index))?;
    let found = |prefix: &Prefix| {
        let is_it = |address: &&Address| address.local == *prefix && (peer.is_none() || address.peer == peer);
        there.iter().find(is_it).ok_or_else(|| NetError::Refused {
            act: Act::DeleteAddress,
            what: format!("delete the address {prefix} of `{}`", link.name),
            errno: Errno::ADDRNOTAVAIL,
            said: None,
        })
    };
    for address in prefixes.iter().map(found).collect::<Result<Vec<_>, _>>()? {
        match address::delete(&mut network.socket, &link.name, address) {
            // It was there: it has gone with the first address of its network, as the kernel has it.
            Err(error) if error.errno() == Some(Errno::ADDRNOTAVAIL) => {}
            deleted => deleted?,
        }
    }
    Ok(())
}
