//! Routes: ip-route(8).
//!
//! A route has more attributes than we name. Those that stay as they are (metrics, encapsulation, …) are kept as the kernel
//! gave them, so that a route can be put back as it was.

use crate::error::{Act, Error};
use crate::link::Index;
use crate::message::{Answer, Malformed, Request, attributes, i32_at, u8_at, u32_at};
use crate::number::{
    AF_INET, AF_INET6, NLM_F_CREATE, NLM_F_EXCL, RT_SCOPE_LINK, RT_SCOPE_UNIVERSE, RT_TABLE_LOCAL,
    RT_TABLE_MAIN, RTA_CACHEINFO, RTA_DST, RTA_EXPIRES, RTA_GATEWAY, RTA_MULTIPATH, RTA_NH_ID, RTA_OIF,
    RTA_PREFSRC, RTA_PRIORITY, RTA_TABLE, RTM_DELROUTE, RTM_F_CLONED, RTM_GETROUTE, RTM_NEWROUTE,
    RTN_UNICAST, RTNH_F_ONLINK, RTPROT_KERNEL, RTPROT_RA, RTPROT_REDIRECT, RTPROT_STATIC,
};
use crate::prefix::{self, Prefix};
use crate::socket::Socket;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The length of `struct rtmsg`.
const STRUCTURE: usize = 12;

/// A route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Where to.
    pub destination: Prefix,
    /// The next station, if it is not in the network itself.
    pub gateway: Option<IpAddr>,
    /// The device; `None` where it goes by several, or by a nexthop object.
    pub index: Option<Index>,
    /// The address that packets come from unless their program chose one.
    pub source: Option<IpAddr>,
    /// Of several routes the one with the lowest metric is taken.
    pub metric: Option<u32>,
    /// The routing table: 254 is the main one, 255 that of local addresses.
    pub table: u32,
    /// How far the destination is, `RT_SCOPE_…`: 0 the universe, 253 the link.
    pub scope: u8,
    /// Who made it, `RTPROT_…`: 2 the kernel, 4 an administrator.
    pub protocol: u8,
    /// What becomes of packets, `RTN_…`: 1 they are sent.
    pub kind: u8,
    /// It goes by several devices or a nexthop object: more than one device's affair.
    pub is_shared: bool,
    /// The kernel's own copy, which lives for a while.
    is_cloned: bool,
    /// All other attributes, as the kernel gave them.
    others: Vec<(u16, Vec<u8>)>,
    /// `rtm_src_len`, `rtm_tos` and `rtm_flags`.
    from_length: u8,
    tos: u8,
    flags: u32,
}

impl Route {
    /// A route as a person asks for: by a gateway, by a device, or by both.
    pub fn new(destination: Prefix, gateway: Option<IpAddr>, index: Option<Index>) -> Route {
        let is_near = gateway.is_none() && destination.address.is_ipv4();
        Route {
            destination,
            gateway,
            index,
            source: None,
            metric: None,
            table: u32::from(RT_TABLE_MAIN),
            scope: if is_near { RT_SCOPE_LINK } else { RT_SCOPE_UNIVERSE },
            protocol: RTPROT_STATIC,
            kind: RTN_UNICAST,
            is_shared: false,
            is_cloned: false,
            others: Vec::new(),
            from_length: 0,
            tos: 0,
            flags: 0,
        }
    }

    /// The same route by another device.
    #[must_use]
    pub fn by(&self, index: Index) -> Route {
        Route { index: Some(index), ..self.clone() }
    }

    /// Did somebody ask for it? Not so the routes that the kernel makes of addresses, redirects and router advertisements.
    pub fn is_static(&self) -> bool {
        let by_kernel = matches!(self.protocol, RTPROT_KERNEL | RTPROT_REDIRECT | RTPROT_RA);
        !by_kernel && !self.is_cloned && self.table != RT_TABLE_LOCAL
    }

    fn request(&self, kind: u16, flags: u16) -> Request {
        let mut structure = [0; STRUCTURE];
        structure[0] = prefix::family(&self.destination.address);
        structure[1] = self.destination.length;
        structure[2] = self.from_length;
        structure[3] = self.tos;
        // A table above 255 is in the attribute alone.
        structure[4] = u8::try_from(self.table).unwrap_or(0);
        structure[5] = self.protocol;
        structure[6] = self.scope;
        structure[7] = self.kind;
        structure[8..12].copy_from_slice(&self.flags.to_ne_bytes());
        let mut request = Request::new(kind, flags, &structure);
        if self.destination.length > 0 {
            request.put(RTA_DST, &prefix::octets(&self.destination.address));
        }
        request.put_u32(RTA_TABLE, self.table);
        for (attribute, address) in [(RTA_GATEWAY, &self.gateway), (RTA_PREFSRC, &self.source)] {
            if let Some(address) = address {
                request.put(attribute, &prefix::octets(address));
            }
        }
        for (attribute, number) in [(RTA_OIF, self.index), (RTA_PRIORITY, self.metric)] {
            if let Some(number) = number {
                request.put_u32(attribute, number);
            }
        }
        for (attribute, value) in &self.others {
            request.put(*attribute, value);
        }
        request
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.destination.length == 0 {
            f.write_str("default")?;
        } else {
            self.destination.fmt(f)?;
        }
        self.gateway.map_or(Ok(()), |gateway| write!(f, " via {gateway}"))?;
        if self.table == u32::from(RT_TABLE_MAIN) {
            Ok(())
        } else {
            write!(f, " in the table {}", self.table)
        }
    }
}

/// The routes of a device, or all of the socket's network namespace, of all tables, IPv4 before IPv6. Those that go by
/// several devices are among those of each: [`Route::is_shared`].
pub fn list(socket: &mut Socket, index: Option<Index>) -> Result<Vec<Route>, Error> {
    let mut all = Vec::new();
    for family in [AF_INET, AF_INET6] {
        let mut structure = [0; STRUCTURE];
        structure[0] = family;
        // The kernel's filter by device knows no routes with several: they are picked here.
        let mut request = Request::new(RTM_GETROUTE, 0, &structure);
        all.extend(socket.list("list the routes", &mut request, |answer| {
            // A kernel without IPv6 answers with all that it has.
            if answer.kind != RTM_NEWROUTE || u8_at(answer.payload, 0)? != family {
                return Ok(None);
            }
            let is_sought = match index {
                None => true,
                Some(index) => devices(answer)?.contains(&index),
            };
            if is_sought { read(answer).map(Some) } else { Ok(None) }
        })?);
    }
    Ok(all)
}

/// Adds a route. EEXIST: there is such a one.
pub fn add(socket: &mut Socket, route: &Route) -> Result<(), Error> {
    let mut request = route.request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
    socket.acknowledged(Act::AddRoute, &format!("add the route {route}"), &mut request)
}

/// Deletes a route. ESRCH: there is none such.
pub fn delete(socket: &mut Socket, route: &Route) -> Result<(), Error> {
    let mut request = route.request(RTM_DELROUTE, 0);
    socket.acknowledged(Act::DeleteRoute, &format!("delete the route {route}"), &mut request)
}

/// The devices that a route goes by.
fn devices(answer: &Answer<'_>) -> Result<Vec<Index>, Malformed> {
    let mut devices = Vec::new();
    for attribute in attributes(answer.payload, STRUCTURE) {
        match attribute? {
            (RTA_OIF, value) => devices.push(u32_at(value, 0)?),
            (RTA_MULTIPATH, value) => {
                // struct rtnexthop, one after another: length, flags, hops, then the index.
                let mut rest = value;
                while rest.len() >= 8 {
                    devices.push(u32_at(rest, 4)?);
                    let length = usize::from(crate::message::u16_at(rest, 0)?).next_multiple_of(4);
                    rest = rest.get(length.max(8)..).unwrap_or_default();
                }
            }
            _ => {}
        }
    }
    Ok(devices)
}

/// Reads an `RTM_NEWROUTE`.
pub(crate) fn read(answer: &Answer<'_>) -> Result<Route, Malformed> {
    let payload = answer.payload;
    let (family, length) = (u8_at(payload, 0)?, u8_at(payload, 1)?);
    let any: IpAddr =
        if family == AF_INET { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    if length > (if any.is_ipv4() { 32 } else { 128 }) {
        return Err(Malformed("a prefix length"));
    }
    let flags = u32_at(payload, 8)?;
    let mut route = Route {
        scope: u8_at(payload, 6)?,
        protocol: u8_at(payload, 5)?,
        kind: u8_at(payload, 7)?,
        table: u32::from(u8_at(payload, 4)?),
        from_length: u8_at(payload, 2)?,
        tos: u8_at(payload, 3)?,
        // The others tell of the hop's state, which the kernel finds out itself.
        flags: flags & RTNH_F_ONLINK,
        is_cloned: flags & RTM_F_CLONED != 0,
        ..Route::new(Prefix { address: any, length }, None, None)
    };
    for attribute in attributes(payload, STRUCTURE) {
        let (kind, value) = attribute?;
        match kind {
            RTA_DST => route.destination.address = prefix::address(family, value)?,
            RTA_GATEWAY => route.gateway = Some(prefix::address(family, value)?),
            RTA_PREFSRC => route.source = Some(prefix::address(family, value)?),
            RTA_OIF => route.index = Some(u32_at(value, 0)?),
            RTA_PRIORITY => route.metric = Some(u32_at(value, 0)?),
            RTA_TABLE => route.table = u32_at(value, 0)?,
            RTA_MULTIPATH | RTA_NH_ID => route.is_shared = true,
            // How long it still has is in the cache's information; 0 is for ever.
            RTA_CACHEINFO => {
                let ticks = i32_at(value, 8)?;
                let seconds = u32::try_from(ticks / USER_HZ).unwrap_or(0);
                if family == AF_INET6 && seconds > 0 {
                    route.others.push((RTA_EXPIRES, seconds.to_ne_bytes().to_vec()));
                }
            }
            RTA_EXPIRES => {}
            _ => route.others.push((kind, value.to_vec())),
        }
    }
    if route.is_shared {
        route.index = None;
    }
    Ok(route)
}

/// In which fractions of a second the kernel tells times to programs, the same on each architecture that we build for.
const USER_HZ: i32 = 100;

#[cfg(test)]
#[path = "route_tests.rs"]
mod tests;
