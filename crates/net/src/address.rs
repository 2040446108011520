//! The addresses of devices: ip-address(8).

use crate::error::{Act, Error};
use crate::link::Index;
use crate::message::{Answer, Malformed, Request, attributes, text, u8_at, u32_at};
use crate::number::{
    AF_INET, AF_INET6, AF_UNSPEC, IFA_ADDRESS, IFA_BROADCAST, IFA_CACHEINFO, IFA_F_HOMEADDRESS,
    IFA_F_MANAGETEMPADDR, IFA_F_MCAUTOJOIN, IFA_F_NODAD, IFA_F_NOPREFIXROUTE, IFA_F_PERMANENT,
    IFA_F_TEMPORARY, IFA_F_TENTATIVE, IFA_FLAGS, IFA_LABEL, IFA_LOCAL, IFA_PROTO, IFA_RT_PRIORITY,
    NLM_F_CREATE, NLM_F_EXCL, RT_SCOPE_UNIVERSE, RTM_DELADDR, RTM_GETADDR, RTM_NEWADDR,
};
use crate::prefix::{self, Prefix};
use crate::socket::Socket;
use std::net::{IpAddr, Ipv4Addr};

/// The length of `struct ifaddrmsg`.
const STRUCTURE: usize = 8;

/// The flags that whoever adds an address may ask for; the others are the kernel's own.
const ASKED: u32 =
    IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN;

/// An address of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The device.
    pub index: Index,
    /// The address and the length of its network.
    pub local: Prefix,
    /// The other end's address, where there is one other end; `local`'s length is then that of its network.
    pub peer: Option<IpAddr>,
    /// Who hears all of the network, IPv4 only.
    pub broadcast: Option<Ipv4Addr>,
    /// How far the address is good for, `RT_SCOPE_…` of rtnetlink(7): 0 the universe, 253 the link, 254 the host.
    pub scope: u8,
    /// `IFA_F_…` of linux/if_addr.h.
    pub flags: u32,
    /// An IPv4 address's label: the device's name, perhaps with `:` and more behind it.
    pub label: Option<String>,
    /// The metric of the network's route; the kernel's own if it is not given.
    pub metric: Option<u32>,
    /// How long it is preferred, and how long valid, in seconds; `None` for ever.
    pub lifetime: Option<(u32, u32)>,
    /// Who has made it, `IFAPROT_…` of linux/if_addr.h; the kernel tells from Linux 5.18 on.
    pub protocol: Option<u8>,
}

impl Address {
    /// One as a person gives it: good everywhere, with the network's broadcast address, for ever.
    pub fn new(index: Index, local: Prefix) -> Address {
        let broadcast = local.broadcast().filter(|_| !local.address.is_loopback());
        let scope = if local.address.is_loopback() { 254 } else { RT_SCOPE_UNIVERSE };
        Address {
            index,
            local,
            peer: None,
            broadcast,
            scope,
            flags: 0,
            label: None,
            metric: None,
            lifetime: None,
            protocol: None,
        }
    }

    /// The same without duplicate address detection (IPv6): where nobody else can have it, it is good at once.
    #[must_use]
    pub fn without_inquiry(self) -> Address {
        let flags = if self.local.address.is_ipv6() { self.flags | IFA_F_NODAD } else { self.flags };
        Address { flags, ..self }
    }

    /// The scope's name in /etc/iproute2/rt_scopes; `None` for one of an administrator's own.
    pub fn scope_name(&self) -> Option<&'static str> {
        Some(match self.scope {
            0 => "global",
            200 => "site",
            253 => "link",
            254 => "host",
            255 => "nowhere",
            _ => return None,
        })
    }

    /// Does the kernel still ask the network whether another has it (IPv6)?
    pub fn is_tentative(&self) -> bool {
        self.local.address.is_ipv6() && self.flags & IFA_F_TENTATIVE != 0
    }

    /// Does the kernel make it by itself, and again: an IPv6 address of privacy extensions?
    pub fn is_temporary(&self) -> bool {
        self.local.address.is_ipv6() && self.flags & IFA_F_TEMPORARY != 0
    }

    /// Is it permanent, and good everywhere: one that somebody has given, not one of the link's or of a router's?
    pub fn is_for_good(&self) -> bool {
        self.flags & IFA_F_PERMANENT != 0 && self.scope == RT_SCOPE_UNIVERSE
    }

    fn request(&self, kind: u16, flags: u16) -> Request {
        let mut structure = [0; STRUCTURE];
        structure[0] = prefix::family(&self.local.address);
        structure[1] = self.local.length;
        structure[3] = self.scope;
        structure[4..8].copy_from_slice(&self.index.to_ne_bytes());
        let mut request = Request::new(kind, flags, &structure);
        let local = prefix::octets(&self.local.address);
        request.put(IFA_LOCAL, &local);
        request.put(IFA_ADDRESS, &self.peer.as_ref().map_or(local, prefix::octets));
        request
    }
}

/// The addresses of a device, or of all in the socket's network namespace, IPv4 before IPv6, in the kernel's order.
pub fn list(socket: &mut Socket, index: Option<Index>) -> Result<Vec<Address>, Error> {
    let mut structure = [0; STRUCTURE];
    structure[0] = AF_UNSPEC;
    structure[4..8].copy_from_slice(&index.unwrap_or(0).to_ne_bytes());
    let mut request = Request::new(RTM_GETADDR, 0, &structure);
    socket.list("list the addresses of network devices", &mut request, |answer| {
        // A kernel without strict checking gives those of all devices.
        let is_sought = |found: &Address| index.is_none_or(|index| index == found.index);
        let family = u8_at(answer.payload, 0)?;
        if answer.kind != RTM_NEWADDR || !matches!(family, AF_INET | AF_INET6) {
            return Ok(None);
        }
        address(answer).map(|found| Some(found).filter(is_sought))
    })
}

/// Adds an address to the device of its index; `name` is the device's, for the message. EEXIST: it has it already.
pub fn add(socket: &mut Socket, name: &str, address: &Address) -> Result<(), Error> {
    let mut request = address.request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
    if let Some(broadcast) = address.broadcast {
        request.put(IFA_BROADCAST, &broadcast.octets());
    }
    if let Some(label) = &address.label {
        request.put_text(IFA_LABEL, label);
    }
    if let Some(metric) = address.metric {
        request.put_u32(IFA_RT_PRIORITY, metric);
    }
    if let Some(protocol) = address.protocol {
        request.put(IFA_PROTO, &[protocol]);
    }
    request.put_u32(IFA_FLAGS, address.flags & ASKED);
    if let Some((preferred, valid)) = address.lifetime {
        // struct ifa_cacheinfo; the last two are the kernel's to fill in.
        let mut cache = [0; 16];
        cache[0..4].copy_from_slice(&preferred.to_ne_bytes());
        cache[4..8].copy_from_slice(&valid.to_ne_bytes());
        request.put(IFA_CACHEINFO, &cache);
    }
    let what = format!("add the address {} to `{name}`", address.local);
    socket.acknowledged(Act::AddAddress, &what, &mut request)
}

/// Deletes an address of the device of its index. EADDRNOTAVAIL: it has it not.
pub fn delete(socket: &mut Socket, name: &str, address: &Address) -> Result<(), Error> {
    let mut request = address.request(RTM_DELADDR, 0);
    let what = format!("delete the address {} of `{name}`", address.local);
    socket.acknowledged(Act::DeleteAddress, &what, &mut request)
}

/// Reads an `RTM_NEWADDR`.
fn address(answer: &Answer<'_>) -> Result<Address, Malformed> {
    let payload = answer.payload;
    let (family, length) = (u8_at(payload, 0)?, u8_at(payload, 1)?);
    let (mut local, mut other, mut broadcast, mut label) = (None, None, None, None);
    let (mut metric, mut lifetime, mut protocol) = (None, None, None);
    let mut flags = u32::from(u8_at(payload, 2)?);
    for attribute in attributes(payload, STRUCTURE) {
        let (kind, value) = attribute?;
        match kind {
            IFA_LOCAL => local = Some(prefix::address(family, value)?),
            IFA_ADDRESS => other = Some(prefix::address(family, value)?),
            IFA_BROADCAST => broadcast = Some(prefix::address(family, value)?),
            IFA_LABEL => label = Some(text(value)),
            IFA_FLAGS => flags = u32_at(value, 0)?,
            IFA_RT_PRIORITY => metric = Some(u32_at(value, 0)?),
            IFA_PROTO => protocol = Some(u8_at(value, 0)?),
            IFA_CACHEINFO => lifetime = Some((u32_at(value, 0)?, u32_at(value, 4)?)),
            _ => {}
        }
    }
    // IPv6 has no IFA_LOCAL where there is no peer.
    let own = local.or(other).ok_or(Malformed("an address that is not there"))?;
    let most = if own.is_ipv4() { 32 } else { 128 };
    if length > most {
        return Err(Malformed("a prefix length"));
    }
    Ok(Address {
        index: u32_at(payload, 4)?,
        local: Prefix { address: own, length },
        peer: other.filter(|other| *other != own),
        broadcast: match broadcast {
            Some(IpAddr::V4(broadcast)) => Some(broadcast),
            _ => None,
        },
        scope: u8_at(payload, 3)?,
        flags,
        label,
        metric,
        lifetime: lifetime.filter(|_| flags & IFA_F_PERMANENT == 0),
        protocol,
    })
}

#[cfg(test)]
#[path = "address_tests.rs"]
mod tests;
