//! Why there was no answer: the way there, the firewalls on it, who listens at its end, and the way back.

use super::attempt::Tried;
use super::obstacle::Obstacle;
use super::report::{Found, Report};
use super::site::{At, Sites};
use super::way::{End, Hop, Way, follow};
use crate::error::Error;
use crate::firewall::{self, Hook, Packet};
use crate::listener::{self, Protocol};
use rustix::io::Errno;
use std::net::{IpAddr, SocketAddr};

/// A report where there is no address to try.
pub fn without_address(sites: &mut Sites, to: Option<At>) -> Result<Report, Error> {
    let found = match to {
        None => Vec::new(),
        Some(to) => {
            let site = sites.site(to)?;
            let network = site.name.clone();
            let has_device = site.links.iter().any(|link| !link.is_loopback() && link.mac.0.len() == 6);
            let obstacle =
                if has_device { Obstacle::NoAddress { network } } else { Obstacle::NoDevice { network } };
            vec![Found { obstacle, is_on_the_way_back: false }]
        }
    };
    Ok(Report {
        destination: None,
        tried: Tried::Failed(Errno::ADDRNOTAVAIL),
        others: Vec::new(),
        device: None,
        source: None,
        gateway: None,
        way: Vec::new(),
        found,
        is_taken: false,
        notes: Vec::new(),
    })
}

/// Was it B that answered? Another network may have the same address. Where the way cannot be followed, the answer counts.
pub fn confirm(sites: &mut Sites, from: At, to: Option<At>, report: &mut Report) {
    let Some(destination) = report.destination else { return };
    let Ok(way) = follow(sites, from, None, destination.ip()) else { return };
    report.way = names(sites, &way).unwrap_or_default();
    if let (End::Arrived(arrived), Some(to)) = (way.end, to)
        && arrived != to
        && let Ok(site) = sites.site(arrived)
    {
        let (address, network) = (destination.ip(), site.name.clone());
        report.add(Obstacle::AddressElsewhere { address, network }, false);
    }
}

/// Looks, and writes it down in the report.
pub fn diagnose(
    sites: &mut Sites,
    from: At,
    to: Option<At>,
    protocol: Protocol,
    report: &mut Report,
) -> Result<(), Error> {
    let Some(destination) = report.destination else { return Ok(()) };
    let there = follow(sites, from, None, destination.ip())?;
    report.way = names(sites, &there)?;
    let is_refused = report.tried == Tried::Failed(Errno::CONNREFUSED);
    let source = report.source;
    let packet = Packet {
        source,
        destination: destination.ip(),
        protocol: protocol.number(),
        source_port: None,
        destination_port: Some(destination.port()),
        input: None,
        output: None,
        is_answer: false,
    };
    firewalls(sites, &there, &packet, is_refused, false, report)?;
    let arrived = match there.end {
        End::Arrived(at) => at,
        End::Blocked(obstacle) => {
            report.add(obstacle, false);
            return Ok(());
        }
    };
    if let Some(to) = to
        && to != arrived
    {
        let (address, network) = (destination.ip(), sites.site(arrived)?.name.clone());
        report.add(Obstacle::AddressElsewhere { address, network }, false);
        return Ok(());
    }
    // Who refuses could answer; who is silent may have been heard, and its answer be lost.
    if !is_refused && let Some(source) = source {
        way_back(sites, arrived, source, &packet, report)?;
    }
    listeners(sites, arrived, destination, protocol, report)?;
    report.is_taken &= protocol == Protocol::Udp && report.tried == Tried::Silent && report.found.is_empty();
    Ok(())
}

fn names(sites: &mut Sites, way: &Way) -> Result<Vec<String>, Error> {
    way.hops.iter().map(|hop| Ok(sites.site(hop.at)?.name.clone())).collect()
}

/// The rules at each namespace of a way.
fn firewalls(
    sites: &mut Sites,
    way: &Way,
    packet: &Packet,
    is_refused: bool,
    is_back: bool,
    report: &mut Report,
) -> Result<(), Error> {
    for hop in &way.hops {
        let site = sites.site(hop.at)?;
        let device = |index: Option<u32>| index.map(|index| site.device(index));
        let (input, output) = (device(hop.input), device(hop.output));
        let network = site.name.clone();
        let rules = match site.rules() {
            Ok(rules) => rules,
            Err(errno) => {
                let why = if *errno == Errno::PERM {
                    "that wants CAP_NET_ADMIN over it"
                } else {
                    "the kernel refuses"
                };
                report.notes.push(format!("the firewall of {network} may not be read: {why}"));
                continue;
            }
        };
        // What does not leave again goes by loopback where it began here.
        let loopback = || Some("lo".to_owned());
        let is_alone = input.is_none() && output.is_none();
        for hook in hooks(hop) {
            let packet = Packet {
                input: if is_alone && hook != Hook::Output { loopback() } else { input.clone() },
                output: if is_alone && hook != Hook::Input { loopback() } else { output.clone() },
                ..packet.clone()
            };
            if let Some(blocked) = firewall::fate(rules, hook, &packet)
                // What is refused was refused by somebody who answers.
                && (!is_refused || blocked.rejects)
            {
                report.add(Obstacle::Firewall { network: network.clone(), blocked }, is_back);
                break;
            }
        }
    }
    Ok(())
}

/// The hooks that a packet passes in a namespace.
fn hooks(hop: &Hop) -> Vec<Hook> {
    match (hop.input, hop.output) {
        (None, None) => vec![Hook::Output, Hook::Input],
        (None, Some(_)) => vec![Hook::Output, Hook::Postrouting],
        (Some(_), Some(_)) => vec![Hook::Prerouting, Hook::Forward, Hook::Postrouting],
        (Some(_), None) => vec![Hook::Prerouting, Hook::Input],
    }
}

/// Who listens at the end.
fn listeners(
    sites: &mut Sites,
    at: At,
    destination: SocketAddr,
    protocol: Protocol,
    report: &mut Report,
) -> Result<(), Error> {
    let site = sites.site(at)?;
    let (network, port, wanted) = (site.name.clone(), destination.port(), destination.ip());
    let Some(diagnosis) = &mut site.diagnosis else { return Ok(()) };
    let listeners = match listener::on(diagnosis, protocol, port) {
        Ok(listeners) => listeners,
        Err(error) => {
            report.notes.push(format!("who listens in {network} is not told: {error}"));
            return Ok(());
        }
    };
    if listeners.is_empty() {
        report.add(Obstacle::NobodyListens { network, protocol, port }, false);
    } else if !listeners.iter().any(|listener| listener.takes(wanted)) {
        let mut addresses: Vec<IpAddr> = listeners.iter().map(|listener| listener.address).collect();
        addresses.dedup();
        report.add(Obstacle::ListensElsewhere { network, protocol, port, addresses, wanted }, false);
    } else {
        report.is_taken = true;
    }
    Ok(())
}

/// The way of the answer.
fn way_back(
    sites: &mut Sites,
    from: At,
    to: IpAddr,
    packet: &Packet,
    report: &mut Report,
) -> Result<(), Error> {
    let back = follow(sites, from, Some(packet.destination), to)?;
    let answer = Packet {
        source: Some(packet.destination),
        destination: to,
        source_port: packet.destination_port,
        destination_port: None,
        is_answer: true,
        ..packet.clone()
    };
    firewalls(sites, &back, &answer, false, true, report)?;
    if let End::Blocked(obstacle) = back.end {
        report.add(obstacle, true);
    }
    Ok(())
}
