//! What the kernel would do with a packet: ip-route(8), `get`. Asked where it begins, or where it comes in by a device.

use crate::error::Error;
use crate::link::Index;
use crate::message::Request;
use crate::number::{RTA_DST, RTA_IIF, RTA_OIF, RTA_SRC, RTM_GETROUTE};
use crate::prefix;
use crate::route::{Route, read};
use crate::socket::Socket;
use rustix::io::Errno;
use std::net::IpAddr;

/// `RTN_LOCAL` of linux/rtnetlink.h: the packet is for this namespace itself.
pub const LOCAL: u8 = 2;

/// A packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet {
    /// Where to.
    pub destination: IpAddr,
    /// Where from; `None`: the kernel chooses.
    pub source: Option<IpAddr>,
    /// The device that it comes in by; `None`: it begins here.
    pub input: Option<Index>,
    /// The device that it has to leave by.
    pub output: Option<Index>,
}

impl Packet {
    /// One that begins here.
    pub fn to(destination: IpAddr) -> Packet {
        Packet { destination, source: None, input: None, output: None }
    }
}

/// The route that a packet takes; or the errno with which the kernel would refuse it. ENETUNREACH: there is no route;
/// EHOSTUNREACH, EACCES, EINVAL: a route of type unreachable, prohibit, blackhole (ip-route(8)); of a packet that comes in,
/// EHOSTUNREACH as well: it would have to be forwarded and must not; EXDEV, since Linux 6.13 EINVAL: its source is not
/// where it comes from.
pub fn route(socket: &mut Socket, packet: Packet) -> Result<Result<Route, Errno>, Error> {
    let bits = if packet.destination.is_ipv4() { 32 } else { 128 };
    let mut structure = [0; 12];
    structure[0] = prefix::family(&packet.destination);
    structure[1] = bits;
    structure[2] = if packet.source.is_some() { bits } else { 0 };
    let mut request = Request::new(RTM_GETROUTE, 0, &structure);
    request.put(RTA_DST, &prefix::octets(&packet.destination));
    if let Some(source) = packet.source {
        request.put(RTA_SRC, &prefix::octets(&source));
    }
    for (attribute, index) in [(RTA_IIF, packet.input), (RTA_OIF, packet.output)] {
        if let Some(index) = index {
            request.put_u32(attribute, index);
        }
    }
    let what = format!("look up the route to {}", packet.destination);
    match socket.one(crate::error::Act::List, &what, &mut request, read) {
        Ok(route) => Ok(Ok(route)),
        Err(Error::Refused { errno, .. }) => Ok(Err(errno)),
        Err(error) => Err(error),
    }
}
