//! Does B answer A on a port, and if not, what stands in the way?
//!
//! The connection is tried for real, by sockets that are opened in A's network namespace ([`visit`](crate::visit)). Only where
//! that fails its way is followed ([`way`]), the rules of firewalls on it are asked, and who listens at its end; and the same
//! of the way back.

mod attempt;
mod diagnose;
mod obstacle;
mod report;
mod site;
mod way;

pub use attempt::Tried;
pub use obstacle::Obstacle;
pub use report::{Found, Report};
pub use site::Place;

use crate::error::Error;
use crate::listener::Protocol;
use crate::lookup::{self, Packet};
use crate::visit::{self, Wanted};
use attempt::Attempt;
use rustix::fd::AsFd;
use site::{At, Sites};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

/// What is asked.
#[derive(Debug)]
pub struct Ask {
    /// From where.
    pub from: Place,
    /// Whom.
    pub to: Whom,
    /// On which port.
    pub port: u16,
    /// By which protocol.
    pub protocol: Protocol,
    /// How long an answer is waited for.
    pub timeout: Duration,
    /// Other network namespaces that the way may lead through.
    pub others: Vec<Place>,
}

/// Who is to be reached.
#[derive(Debug)]
pub enum Whom {
    /// An address, whoever has it.
    Address(IpAddr),
    /// A network namespace, by any of its addresses.
    Network(Place),
}

/// Tries, and looks why not.
pub fn reach(ask: Ask) -> Result<Report, Error> {
    let Ask { from, to, port, protocol, timeout, others } = ask;
    let mut places = vec![from];
    let address = match to {
        Whom::Address(address) => Some(address),
        Whom::Network(place) => {
            places.push(place);
            None
        }
    };
    let target = places.get(1).and_then(Place::numbers);
    places.extend(others);
    let mut sites = Sites::new(places);
    let from = sites.first();
    let to = target.and_then(|numbers| sites.find(numbers));
    let candidates = match (address, to) {
        (Some(address), _) => vec![address],
        (None, Some(to)) => candidates(&mut sites, from, to)?,
        (None, None) => Vec::new(),
    };
    if candidates.is_empty() {
        return diagnose::without_address(&mut sites, to);
    }
    let mut attempts = begin(&mut sites, from, protocol, port, &candidates)?;
    let begun = Instant::now();
    // A datagram that somebody takes is mostly not answered: a refusal would come at once.
    let is_heard = protocol == Protocol::Udp && to.is_some();
    let patience = if is_heard { timeout.min(Duration::from_millis(500)) } else { timeout };
    let best = attempt::wait(protocol, &mut attempts, begun, patience).unwrap_or(0);
    let mut report = told(&mut sites, from, &attempts, best)?;
    if matches!(report.tried, Tried::Answered { .. }) {
        diagnose::confirm(&mut sites, from, to, &mut report);
    } else {
        diagnose::diagnose(&mut sites, from, to, protocol, &mut report)?;
    }
    Ok(report)
}

/// The addresses of B that may do, the nearest first: those of loopback where A and B are one.
fn candidates(sites: &mut Sites, from: At, to: At) -> Result<Vec<IpAddr>, Error> {
    let reachable = sites.site(to)?.reachable();
    if from == to {
        let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        return Ok(loopback.into_iter().chain(reachable).collect());
    }
    let mut ranked = Vec::new();
    for address in reachable {
        let rank = match lookup::route(&mut sites.site(from)?.route, Packet::to(address))? {
            // A's own address is A, not B.
            Ok(route) if route.kind == lookup::LOCAL => continue,
            Ok(route) if route.gateway.is_none() => 0,
            Ok(_) => 1,
            Err(_) => 2,
        };
        ranked.push((rank, address));
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    Ok(ranked.into_iter().map(|(_, address)| address).collect())
}

/// Opens a socket for each, and connects it.
fn begin(
    sites: &mut Sites,
    from: At,
    protocol: Protocol,
    port: u16,
    candidates: &[IpAddr],
) -> Result<Vec<Attempt>, Error> {
    let wanted: Vec<Wanted> = candidates
        .iter()
        .map(|address| match protocol {
            Protocol::Tcp => Wanted::Tcp { v6: address.is_ipv6() },
            Protocol::Udp => Wanted::Udp { v6: address.is_ipv6() },
        })
        .collect();
    let place = sites.place(from);
    let files = visit::sockets(place.file.as_fd(), &place.name, &wanted)?;
    Ok(candidates
        .iter()
        .zip(files)
        .map(|(address, file)| Attempt::begin(protocol, file, SocketAddr::new(*address, port)))
        .collect())
}

/// The report of the attempt alone.
fn told(sites: &mut Sites, from: At, attempts: &[Attempt], best: usize) -> Result<Report, Error> {
    let attempt = &attempts[best];
    let route = lookup::route(&mut sites.site(from)?.route, Packet::to(attempt.to.ip()))?.ok();
    let source = match attempt.tried() {
        Tried::Answered { source, .. } => Some(source),
        _ => route.as_ref().and_then(|route| route.source),
    };
    let site = sites.site(from)?;
    let device = route.as_ref().and_then(|route| route.index).map(|index| site.device(index));
    let others = attempts.iter().enumerate().filter(|(at, _)| *at != best);
    Ok(Report {
        destination: Some(attempt.to),
        tried: attempt.tried(),
        others: others.map(|(_, attempt)| (attempt.to, attempt.tried())).collect(),
        device,
        source,
        gateway: route.and_then(|route| route.gateway),
        way: vec![site.name.clone()],
        found: Vec::new(),
        is_taken: false,
        notes: Vec::new(),
    })
}
