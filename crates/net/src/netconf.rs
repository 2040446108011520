//! The switches of IP forwarding of a device: `/proc/sys/net/ipv4/conf/DEV` and `net/ipv6/conf/DEV`, by rtnetlink(7), which
//! needs no process in the namespace.

use crate::error::{Act, Error};
use crate::link::Index;
use crate::message::{Answer, Malformed, Request, attributes, i32_at};
use crate::number::{
    AF_INET, AF_INET6, NETCONFA_FORWARDING, NETCONFA_IFINDEX, NETCONFA_RP_FILTER, RTM_GETNETCONF,
};
use crate::socket::Socket;

/// `NETCONFA_IFINDEX_ALL`: the switches of all devices, `conf/all`.
pub const ALL: i32 = -1;

/// The length of `struct netconfmsg`.
const STRUCTURE: usize = 1;

/// What a device may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Netconf {
    /// `forwarding`: packets that come in by it are sent on.
    pub forwarding: bool,
    /// `rp_filter`, RFC 3704: 0 off, 1 strict, 2 loose. IPv4 alone has it.
    pub rp_filter: i32,
}

/// The switches of a device.
pub fn of(socket: &mut Socket, v6: bool, index: Index) -> Result<Netconf, Error> {
    get(socket, v6, i32::try_from(index).unwrap_or(i32::MAX))
}

/// The switches for all devices.
pub fn all(socket: &mut Socket, v6: bool) -> Result<Netconf, Error> {
    get(socket, v6, ALL)
}

fn get(socket: &mut Socket, v6: bool, index: i32) -> Result<Netconf, Error> {
    let mut request = Request::new(RTM_GETNETCONF, 0, &[if v6 { AF_INET6 } else { AF_INET }]);
    request.put_i32(NETCONFA_IFINDEX, index);
    socket.one(Act::List, "ask for the switches of IP forwarding", &mut request, read)
}

fn read(answer: &Answer<'_>) -> Result<Netconf, Malformed> {
    let mut found = Netconf::default();
    for attribute in attributes(answer.payload, STRUCTURE) {
        match attribute? {
            (NETCONFA_FORWARDING, value) => found.forwarding = i32_at(value, 0)? != 0,
            (NETCONFA_RP_FILTER, value) => found.rp_filter = i32_at(value, 0)?,
            _ => {}
        }
    }
    Ok(found)
}
