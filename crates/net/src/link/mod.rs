//! Network devices, which rtnetlink(7) calls links: what they are ([`Link`]), how they are made and changed.

mod change;
mod make;

pub use change::{delete, move_to, rename, set_address, set_down, set_master, set_mtu, set_up};
pub use make::{End, bridge, veth};

use crate::error::{Act, Error};
use crate::message::{Answer, Malformed, Request, attributes, i32_at, text, u8_at, u16_at, u32_at};
use crate::name;
use crate::number::{
    AF_UNSPEC, ARPHRD_LOOPBACK, IFF_LOOPBACK, IFF_LOWER_UP, IFF_UP, IFLA_ADDRESS, IFLA_EXT_MASK, IFLA_IFNAME,
    IFLA_INFO_KIND, IFLA_LINK, IFLA_LINK_NETNSID, IFLA_LINKINFO, IFLA_MASTER, IFLA_MTU, IFLA_NETNS_IMMUTABLE,
    IFLA_OPERSTATE, IFLA_TARGET_NETNSID, RTEXT_FILTER_SKIP_STATS, RTM_GETLINK, RTM_NEWLINK,
};
use crate::socket::Socket;
use rustix::io::Errno;
use std::fmt;

/// The length of `struct ifinfomsg`.
const STRUCTURE: usize = 16;

/// A device's number in its network namespace, from 1: the "interface index" of netdevice(7).
pub type Index = u32;

/// A network device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its number in the namespace.
    pub index: Index,
    /// Its name. What is no UTF-8 is replaced; the number is exact.
    pub name: String,
    /// `IFF_…` of netdevice(7).
    pub flags: u32,
    /// Which sort of hardware it is or plays, `ARPHRD_…` of linux/if_arp.h.
    pub hardware: u16,
    /// Which driver of virtual devices has made it (`IFLA_INFO_KIND`): `veth`, `bridge`, …; `None` for hardware and loopback.
    pub kind: Option<String>,
    /// The longest packet, in bytes.
    pub mtu: u32,
    /// Its hardware address; empty where it has none.
    pub mac: Mac,
    /// What it can carry.
    pub state: State,
    /// The device that it is a port of.
    pub master: Option<Index>,
    /// The device that it is bound to: the other end of a veth pair, the device below a VLAN.
    pub peer: Option<Index>,
    /// The id of the network namespace that `peer` is in, where that is another one ([`nsid`](crate::nsid)).
    pub peer_nsid: Option<i32>,
    /// It cannot leave its network namespace, where the kernel tells (Linux 6.15).
    pub immutable: bool,
}

impl Link {
    /// Has somebody brought it up?
    pub fn is_up(&self) -> bool {
        self.flags & IFF_UP != 0
    }

    /// Is there something at its other end?
    pub fn has_carrier(&self) -> bool {
        self.flags & IFF_LOWER_UP != 0
    }

    /// Is it loopback?
    pub fn is_loopback(&self) -> bool {
        self.hardware == ARPHRD_LOOPBACK || self.flags & IFF_LOOPBACK != 0
    }
}

/// A hardware address: 6 bytes for Ethernet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mac(pub Vec<u8>);

impl std::str::FromStr for Mac {
    type Err = Error;

    /// Reads `02:00:5e:10:00:01`.
    fn from_str(text: &str) -> Result<Mac, Error> {
        let byte = |digits: &str| {
            let hexadecimal = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            u8::from_str_radix(digits, 16).ok().filter(|_| hexadecimal)
        };
        let bytes: Option<Vec<u8>> = text.split(':').map(byte).collect();
        bytes.filter(|bytes| bytes.len() == 6).map(Mac).ok_or_else(|| Error::Value {
            text: text.to_owned(),
            reason: "it is no hardware address, as 02:00:5e:10:00:01 is",
        })
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            write!(f, "{}{byte:02x}", if at == 0 { "" } else { ":" })?;
        }
        Ok(())
    }
}

/// What a device can carry: `operstate` of RFC 2863, as `/sys/class/net/DEV/operstate` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The driver does not say, as loopback's.
    Unknown,
    /// It is not there.
    NotPresent,
    /// Nothing.
    Down,
    /// What is below it is down.
    LowerLayerDown,
    /// Tests.
    Testing,
    /// Nothing but what would bring it up.
    Dormant,
    /// Packets.
    Up,
}

impl State {
    fn from_number(number: u8) -> State {
        match number {
            1 => State::NotPresent,
            2 => State::Down,
            3 => State::LowerLayerDown,
            4 => State::Testing,
            5 => State::Dormant,
            6 => State::Up,
            _ => State::Unknown,
        }
    }

    /// The kernel's word for it.
    pub fn name(self) -> &'static str {
        match self {
            State::Unknown => "unknown",
            State::NotPresent => "notpresent",
            State::Down => "down",
            State::LowerLayerDown => "lowerlayerdown",
            State::Testing => "testing",
            State::Dormant => "dormant",
            State::Up => "up",
        }
    }
}

/// All devices of the socket's network namespace, in the kernel's order. It asks for no capability.
pub fn list(socket: &mut Socket) -> Result<Vec<Link>, Error> {
    let mut request = Request::new(RTM_GETLINK, 0, &structure(0, 0, 0));
    request.put_u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    socket.list("list the network devices", &mut request, |answer| {
        if answer.kind == RTM_NEWLINK { link(answer).map(Some) } else { Ok(None) }
    })
}

/// The device of this name; `None` if there is none.
pub fn by_name(socket: &mut Socket, name: &str) -> Result<Option<Link>, Error> {
    name::check(name)?;
    let mut request = Request::new(RTM_GETLINK, 0, &structure(0, 0, 0));
    request.put_text(IFLA_IFNAME, name);
    found(socket, &format!("look at the device `{name}`"), &mut request)
}

/// The device of this number; `None` if there is none.
pub fn by_index(socket: &mut Socket, index: Index) -> Result<Option<Link>, Error> {
    let mut request = Request::new(RTM_GETLINK, 0, &structure(index, 0, 0));
    found(socket, &format!("look at the device of index {index}"), &mut request)
}

/// The device of this number in another network namespace, by that one's id in the socket's. EPERM: the caller has no
/// CAP_NET_ADMIN over that one.
pub fn by_index_in(socket: &mut Socket, index: Index, nsid: i32) -> Result<Option<Link>, Error> {
    let mut request = Request::new(RTM_GETLINK, 0, &structure(index, 0, 0));
    request.put_i32(IFLA_TARGET_NETNSID, nsid);
    found(socket, &format!("look at the device of index {index} in the namespace of id {nsid}"), &mut request)
}

fn found(socket: &mut Socket, what: &str, request: &mut Request) -> Result<Option<Link>, Error> {
    request.put_u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    match socket.one(Act::List, what, request, link) {
        Err(error) if error.errno() == Some(Errno::NODEV) => Ok(None),
        found => found.map(Some),
    }
}

/// `struct ifinfomsg`.
fn structure(index: Index, flags: u32, change: u32) -> [u8; STRUCTURE] {
    let mut bytes = [0; STRUCTURE];
    bytes[0] = AF_UNSPEC;
    bytes[4..8].copy_from_slice(&index.to_ne_bytes());
    bytes[8..12].copy_from_slice(&flags.to_ne_bytes());
    bytes[12..16].copy_from_slice(&change.to_ne_bytes());
    bytes
}

/// Reads an `RTM_NEWLINK`.
fn link(answer: &Answer<'_>) -> Result<Link, Malformed> {
    let payload = answer.payload;
    let mut link = Link {
        index: u32_at(payload, 4)?,
        name: String::new(),
        flags: u32_at(payload, 8)?,
        hardware: u16_at(payload, 2)?,
        kind: None,
        mtu: 0,
        mac: Mac::default(),
        state: State::Unknown,
        master: None,
        peer: None,
        peer_nsid: None,
        immutable: false,
    };
    for attribute in attributes(payload, STRUCTURE) {
        let (kind, value) = attribute?;
        match kind {
            IFLA_IFNAME => link.name = text(value),
            IFLA_MTU => link.mtu = u32_at(value, 0)?,
            IFLA_ADDRESS => link.mac = Mac(value.to_vec()),
            IFLA_OPERSTATE => link.state = State::from_number(u8_at(value, 0)?),
            IFLA_MASTER => link.master = Some(u32_at(value, 0)?),
            IFLA_LINK => link.peer = Some(u32_at(value, 0)?),
            IFLA_LINK_NETNSID => link.peer_nsid = Some(i32_at(value, 0)?),
            IFLA_LINKINFO => link.kind = info_kind(value)?,
            IFLA_NETNS_IMMUTABLE => link.immutable = u8_at(value, 0)? != 0,
            _ => {}
        }
    }
    if link.name.is_empty() { Err(Malformed("a device without a name")) } else { Ok(link) }
}

/// `IFLA_INFO_KIND`, which is there for virtual devices only. A port of another one may have `IFLA_LINKINFO` without it.
fn info_kind(linkinfo: &[u8]) -> Result<Option<String>, Malformed> {
    for attribute in attributes(linkinfo, 0) {
        let (kind, value) = attribute?;
        if kind == IFLA_INFO_KIND {
            return Ok(Some(text(value)));
        }
    }
    Ok(None)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
