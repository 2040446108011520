//! Who listens on a port: sock_diag(7), of any process of a network namespace, without any right over it.

use crate::error::Error;
use crate::message::{Answer, Malformed, Request, u8_at, u32_at};
use crate::number::{AF_INET, AF_INET6, SOCK_DIAG_BY_FAMILY};
use crate::prefix;
use crate::socket::Socket;
use std::net::IpAddr;

/// A protocol with ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// tcp(7).
    Tcp,
    /// udp(7).
    Udp,
}

impl Protocol {
    /// Its number, `IPPROTO_…`.
    pub fn number(self) -> u8 {
        match self {
            Protocol::Tcp => 6,
            Protocol::Udp => 17,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        }
    }
}

/// A socket that takes what comes for a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listener {
    /// The address; unspecified: every one.
    pub address: IpAddr,
    /// The device that it is bound to (socket(7), `SO_BINDTODEVICE`).
    pub device: Option<u32>,
    /// The owner's uid, as we see it.
    pub uid: u32,
}

impl Listener {
    /// Does it take what comes for an address? An IPv6 socket for every address takes IPv4 as well, unless it says not to
    /// (ipv6(7), `IPV6_V6ONLY`), which is not told here: a second socket on the port would be needed.
    pub fn takes(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V6(all), _) if all.is_unspecified() => true,
            (IpAddr::V4(all), IpAddr::V4(_)) if all.is_unspecified() => true,
            (IpAddr::V6(mapped), IpAddr::V4(address)) => mapped == address.to_ipv6_mapped(),
            (own, address) => own == address,
        }
    }
}

/// `TCP_LISTEN` and `TCP_CLOSE` of linux/tcp.h, as bits: a UDP socket without a peer is in the second.
const LISTEN: u32 = 1 << 10;
const CLOSE: u32 = 1 << 7;

/// Who listens on a port. The socket is of sock_diag(7).
pub fn on(diagnosis: &mut Socket, protocol: Protocol, port: u16) -> Result<Vec<Listener>, Error> {
    let mut found = Vec::new();
    for family in [AF_INET, AF_INET6] {
        // struct inet_diag_req_v2: family, protocol, extensions, padding, states, struct inet_diag_sockid of 48 bytes.
        let mut structure = [0; 56];
        structure[0] = family;
        structure[1] = protocol.number();
        let states = if protocol == Protocol::Tcp { LISTEN } else { CLOSE };
        structure[4..8].copy_from_slice(&states.to_ne_bytes());
        let mut request = Request::new(SOCK_DIAG_BY_FAMILY, 0, &structure);
        let listed = diagnosis.list("list the sockets that listen", &mut request, |answer| {
            (answer.kind == SOCK_DIAG_BY_FAMILY).then(|| socket(answer)).transpose()
        })?;
        found.extend(listed.into_iter().filter(|(own, _)| *own == port).map(|(_, listener)| listener));
    }
    Ok(found)
}

/// struct inet_diag_msg: family, state, timer, retransmissions; the sockid: two ports, two addresses, device, cookie;
/// then expiry, two queues, uid, inode.
fn socket(answer: &Answer<'_>) -> Result<(u16, Listener), Malformed> {
    let payload = answer.payload;
    let family = u8_at(payload, 0)?;
    let port = payload.get(4..6).and_then(|port| port.try_into().ok()).ok_or(Malformed("a port"))?;
    let length = if family == AF_INET { 4 } else { 16 };
    let address = prefix::address(family, payload.get(8..8 + length).ok_or(Malformed("an address"))?)?;
    let device = Some(u32_at(payload, 40)?).filter(|device| *device != 0);
    Ok((u16::from_be_bytes(port), Listener { address, device, uid: u32_at(payload, 64)? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_takes_what_is_for_its_address() {
        let takes = |own: &str, address: &str| {
            let listener = Listener { address: own.parse().unwrap(), device: None, uid: 0 };
            listener.takes(address.parse().unwrap())
        };
        assert!(takes("0.0.0.0", "10.0.0.1") && !takes("0.0.0.0", "fd00::1"));
        assert!(takes("::", "10.0.0.1") && takes("::", "fd00::1"));
        assert!(takes("::ffff:10.0.0.1", "10.0.0.1") && !takes("::ffff:10.0.0.1", "10.0.0.2"));
        assert!(takes("127.0.0.1", "127.0.0.1") && !takes("127.0.0.1", "10.0.0.1"));
    }
}
