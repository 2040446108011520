//! The way of a packet from namespace to namespace: at each of them the kernel is asked what it would do with it.

use super::obstacle::Obstacle;
use super::site::{At, Sites};
use crate::error::Error;
use crate::link::{Index, Link};
use crate::lookup::{self, LOCAL, Packet};
use crate::neighbour;
use crate::netconf;
use crate::route::Route;
use rustix::io::Errno;
use std::net::IpAddr;

/// More namespaces than that no way leads through.
const MOST_HOPS: usize = 16;

/// A namespace on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// Which.
    pub at: At,
    /// The device that the packet comes in by; `None`: it begins here.
    pub input: Option<Index>,
    /// The device that it leaves by; `None`: it is for this one.
    pub output: Option<Index>,
    /// The gateway that it is given to.
    pub gateway: Option<IpAddr>,
}

/// How a way ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The packet is for this namespace.
    Arrived(At),
    /// Something is in the way.
    Blocked(Obstacle),
}

/// A way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// Where it leads through, the first first.
    pub hops: Vec<Hop>,
    /// How it ends.
    pub end: End,
}

/// Follows a packet.
pub fn follow(
    sites: &mut Sites,
    from: At,
    source: Option<IpAddr>,
    destination: IpAddr,
) -> Result<Way, Error> {
    let mut hops = Vec::new();
    let (mut at, mut input, mut source) = (from, None, source);
    while hops.len() < MOST_HOPS {
        let packet = Packet { source, input, ..Packet::to(destination) };
        let found = lookup::route(&mut sites.site(at)?.route, packet)?;
        let route = match found {
            Ok(route) => route,
            Err(errno) => return blocked(hops, refused(sites, at, packet, errno)?),
        };
        source = source.or(route.source);
        if route.kind == LOCAL {
            hops.push(Hop { at, input, output: None, gateway: None });
            return Ok(Way { hops, end: arrived(sites, at, input)? });
        }
        if let Some(obstacle) = may_not_pass(sites, at, input, destination)? {
            return blocked(hops, obstacle);
        }
        let Some(index) = route.index else {
            let network = sites.site(at)?.name.clone();
            let device = "several devices".to_owned();
            return blocked(hops, Obstacle::Beyond { network, device, gateway: route.gateway });
        };
        hops.push(Hop { at, input, output: Some(index), gateway: route.gateway });
        match next(sites, at, index, &route, destination)? {
            Ok((there, device)) => (at, input) = (there, Some(device)),
            Err(obstacle) => return blocked(hops, obstacle),
        }
    }
    let network = sites.site(at)?.name.clone();
    blocked(hops, Obstacle::Beyond { network, device: "a circle".to_owned(), gateway: None })
}

fn blocked(hops: Vec<Hop>, obstacle: Obstacle) -> Result<Way, Error> {
    Ok(Way { hops, end: End::Blocked(obstacle) })
}

/// What begins and ends in one namespace goes by loopback.
fn arrived(sites: &mut Sites, at: At, input: Option<Index>) -> Result<End, Error> {
    let site = sites.site(at)?;
    let is_up = site.links.iter().any(|link| link.is_loopback() && link.is_up());
    if input.is_none() && !is_up {
        return Ok(End::Blocked(Obstacle::LoopbackDown { network: site.name.clone() }));
    }
    Ok(End::Arrived(at))
}

/// Why the kernel has no route for a packet.
fn refused(sites: &mut Sites, at: At, packet: Packet, errno: Errno) -> Result<Obstacle, Error> {
    if let Some(input) = packet.input {
        if let Some(obstacle) = reverse_path(sites, at, packet, input)? {
            return Ok(obstacle);
        }
        if errno == Errno::HOSTUNREACH
            && let Some(obstacle) = may_not_pass(sites, at, Some(input), packet.destination)?
        {
            return Ok(obstacle);
        }
    }
    let (network, destination) = (sites.site(at)?.name.clone(), packet.destination);
    let kind = match errno {
        Errno::ACCESS => "prohibit",
        Errno::INVAL => "blackhole",
        Errno::HOSTUNREACH => "unreachable",
        _ => return missing(sites, at, destination),
    };
    Ok(Obstacle::RouteRefuses { network, destination, kind })
}

/// Why there is no route at all.
fn missing(sites: &mut Sites, at: At, destination: IpAddr) -> Result<Obstacle, Error> {
    let site = sites.site(at)?;
    let network = site.name.clone();
    let loopback = site.links.iter().find(|link| link.is_loopback());
    if destination.is_loopback() && !loopback.is_some_and(Link::is_up) {
        return Ok(Obstacle::LoopbackDown { network });
    }
    let others: Vec<&Link> = site.links.iter().filter(|link| !link.is_loopback()).collect();
    // Tunnels that every namespace is born with do not count: nobody has brought them up.
    let down: Vec<String> = others
        .iter()
        .filter(|link| {
            !link.is_up() && site.addresses.iter().any(|own| own.index == link.index) || is_pair(link)
        })
        .filter(|link| !link.is_up())
        .map(|link| link.name.clone())
        .collect();
    if !others.iter().any(|link| link.is_up()) {
        let is_none = down.is_empty();
        return Ok(if is_none {
            Obstacle::NoDevice { network }
        } else {
            Obstacle::DeviceDown { network, devices: down }
        });
    }
    let networks = site
        .addresses
        .iter()
        .filter(|own| own.local.address.is_ipv4() == destination.is_ipv4() && own.scope < 253)
        .map(|own| format!("{} by `{}`", own.local.network(), site.device(own.index)))
        .collect();
    Ok(Obstacle::NoRoute { network, destination, networks })
}

fn is_pair(link: &Link) -> bool {
    link.kind.as_deref() == Some("veth")
}

/// Is what comes in for somebody else sent on?
fn may_not_pass(
    sites: &mut Sites,
    at: At,
    input: Option<Index>,
    destination: IpAddr,
) -> Result<Option<Obstacle>, Error> {
    let Some(input) = input else { return Ok(None) };
    let site = sites.site(at)?;
    let (network, device) = (site.name.clone(), site.device(input));
    let is_on_for_all = netconf::all(&mut site.route, destination.is_ipv6())?.forwarding;
    let switch = match (destination.is_ipv6(), is_on_for_all) {
        (true, true) => return Ok(None),
        (true, false) => "net.ipv6.conf.all.forwarding".to_owned(),
        // Each device has a switch of its own; that for all sets every one of them.
        (false, _) if netconf::of(&mut site.route, false, input)?.forwarding => return Ok(None),
        (false, true) => format!("net.ipv4.conf.{device}.forwarding"),
        (false, false) => "net.ipv4.ip_forward".to_owned(),
    };
    Ok(Some(Obstacle::ForwardingOff { network, device, switch }))
}

/// Does rp_filter drop it? The higher of the device's value and that for all counts (ip-sysctl of the kernel's documents).
fn reverse_path(sites: &mut Sites, at: At, packet: Packet, input: Index) -> Result<Option<Obstacle>, Error> {
    let Some(source) = packet.source.filter(IpAddr::is_ipv4) else { return Ok(None) };
    let site = sites.site(at)?;
    let (own, all) = (netconf::of(&mut site.route, false, input)?, netconf::all(&mut site.route, false)?);
    let filter = own.rp_filter.max(all.rp_filter);
    let back = lookup::route(&mut site.route, Packet::to(source))?;
    let drops = match (filter, back) {
        (0, _) => false,
        (_, Err(_)) => true,
        (1, Ok(back)) => back.index != Some(input),
        (_, Ok(_)) => false,
    };
    let (network, device) = (site.name.clone(), site.device(input));
    Ok(drops.then_some(Obstacle::ReversePath { network, device, source, filter }))
}

/// Who gets it next, and by which of its devices.
fn next(
    sites: &mut Sites,
    at: At,
    index: Index,
    route: &Route,
    destination: IpAddr,
) -> Result<Result<(At, Index), Obstacle>, Error> {
    let site = sites.site(at)?;
    let network = site.name.clone();
    let Some(link) = site.link(index).cloned() else {
        return Ok(Err(Obstacle::Beyond { network, device: site.device(index), gateway: route.gateway }));
    };
    if !link.is_up() {
        return Ok(Err(Obstacle::DeviceDown { network, devices: vec![link.name] }));
    }
    if !link.has_carrier() {
        let other = match sites.other_end(at, &link)? {
            Some((there, device)) => {
                let there = sites.site(there)?;
                // What is up there is no reason.
                let is_down = there.link(device).is_some_and(|link| !link.is_up());
                is_down.then(|| (there.name.clone(), there.device(device)))
            }
            None => None,
        };
        return Ok(Err(Obstacle::NoCarrier { network, device: link.name, other }));
    }
    let address = route.gateway.unwrap_or(destination);
    let (segment, is_whole) = segment(sites, at, &link)?;
    for (there, device) in &segment {
        if sites.site(*there)?.has(address) {
            return Ok(Ok((*there, *device)));
        }
    }
    let is_silent = neighbour::is_silent(&mut sites.site(at)?.route, index, address)?;
    if !is_whole && !is_silent {
        return Ok(Err(Obstacle::Beyond { network, device: link.name, gateway: route.gateway }));
    }
    let mut there = Vec::new();
    for (end, device) in segment {
        let site = sites.site(end)?;
        let own: Vec<String> = site
            .addresses
            .iter()
            .filter(|own| own.index == device && own.scope < 253)
            .map(|own| own.local.to_string())
            .collect();
        let addresses = if own.is_empty() { "no address".to_owned() } else { own.join(", ") };
        there.push(format!("`{}` of {} with {addresses}", site.device(device), site.name));
    }
    let is_gateway = route.gateway.is_some();
    Ok(Err(Obstacle::NobodyHas { network, device: link.name, address, is_gateway, there }))
}

/// Who hears what leaves by a device, and whether that is everybody: the other end of a veth pair, and where that is the
/// port of a bridge, the bridge and its other ports' ends.
fn segment(sites: &mut Sites, at: At, link: &Link) -> Result<(Vec<(At, Index)>, bool), Error> {
    if link.kind.as_deref() == Some("bridge") {
        return bridge(sites, at, link.index, (at, link.index));
    }
    let Some((there, peer)) = sites.other_end(at, link)? else { return Ok((Vec::new(), false)) };
    let site = sites.site(there)?;
    let master = site.link(peer).and_then(|peer| peer.master);
    let is_bridge =
        |index: Index| site.link(index).is_some_and(|link| link.kind.as_deref() == Some("bridge"));
    match master {
        Some(master) if is_bridge(master) => bridge(sites, there, master, (at, link.index)),
        _ => Ok((vec![(there, peer)], true)),
    }
}

/// The bridge itself and what is at its ports, but one.
fn bridge(
    sites: &mut Sites,
    at: At,
    index: Index,
    but: (At, Index),
) -> Result<(Vec<(At, Index)>, bool), Error> {
    let links = sites.site(at)?.links.clone();
    let (mut found, mut is_whole) = (vec![(at, index)], true);
    for port in links.iter().filter(|link| link.master == Some(index) && link.is_up()) {
        match sites.other_end(at, port)? {
            Some(end) => found.push(end),
            None => is_whole = false,
        }
    }
    found.retain(|end| *end != but);
    Ok((found, is_whole))
}
