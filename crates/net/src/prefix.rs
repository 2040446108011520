//! An address and how many of its bits are the network: `10.0.0.1/24`, `fd00::1/64`.

use crate::error::Error;
use crate::message::Malformed;
use crate::number::{AF_INET, AF_INET6};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// An address with a prefix length, or a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Prefix {
    /// The address.
    pub address: IpAddr,
    /// How many bits are the network's: up to 32, or 128.
    pub length: u8,
}

impl Prefix {
    /// The address's network: the host's bits are 0.
    #[must_use]
    pub fn network(self) -> Prefix {
        let address = match self.address {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.length)).unwrap_or(0);
                IpAddr::V4((u32::from(address) & mask).into())
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.length)).unwrap_or(0);
                IpAddr::V6((u128::from(address) & mask).into())
            }
        };
        Prefix { address, ..self }
    }

    /// The network's last address, which all of its hosts hear; for IPv4 with more than two addresses.
    pub fn broadcast(self) -> Option<Ipv4Addr> {
        match self.address {
            IpAddr::V4(address) if self.length < 31 => {
                Some((u32::from(address) | (u32::MAX >> self.length)).into())
            }
            _ => None,
        }
    }
}

impl FromStr for Prefix {
    type Err = Error;

    /// Reads `ADDRESS/LENGTH`.
    fn from_str(text: &str) -> Result<Prefix, Error> {
        let refused = |reason| Error::Value { text: text.to_owned(), reason };
        let (address, length) =
            text.split_once('/').ok_or(refused("the prefix is missing, as in 10.0.0.1/24 or fd00::1/64"))?;
        let address: IpAddr =
            address.parse().map_err(|_| refused("it is no address, as 10.0.0.1/24 or fd00::1/64 are"))?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let digits = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
        let length = length.parse().ok().filter(|length| digits && *length <= most);
        let reason = if most == 32 { "the prefix is 0 to 32 bits" } else { "the prefix is 0 to 128 bits" };
        Ok(Prefix { address, length: length.ok_or(refused(reason))? })
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

/// The family of an address (`AF_…`).
pub(crate) fn family(address: &IpAddr) -> u8 {
    if address.is_ipv4() { AF_INET } else { AF_INET6 }
}

/// An address as the kernel has it.
pub(crate) fn octets(address: &IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// An address of a family, from as many bytes as it has.
pub(crate) fn address(family: u8, bytes: &[u8]) -> Result<IpAddr, Malformed> {
    const PART: Malformed = Malformed("an address");
    match family {
        AF_INET => <[u8; 4]>::try_from(bytes).map(|bytes| Ipv4Addr::from(bytes).into()).map_err(|_| PART),
        AF_INET6 => <[u8; 16]>::try_from(bytes).map(|bytes| Ipv6Addr::from(bytes).into()).map_err(|_| PART),
        _ => Err(PART),
    }
}

#[cfg(test)]
mod tests {
    use super::Prefix;

    #[test]
    fn a_prefix_is_read_as_it_is_shown() {
        for text in ["10.0.0.1/24", "0.0.0.0/0", "10.0.0.1/32", "fd00::1/64", "::/0", "::1/128"] {
            assert_eq!(text.parse::<Prefix>().map(|prefix| prefix.to_string()).as_deref(), Ok(text));
        }
        for text in [
            "10.0.0.1",
            "10.0.0/24",
            "10.0.0.1/33",
            "::1/129",
            "10.0.0.1/",
            "/24",
            "a/8",
            "10.0.0.1/+8",
            "10.0.0.1/-1",
        ] {
            assert!(text.parse::<Prefix>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_network_and_its_broadcast() {
        let table = [
            ("10.1.2.3/8", "10.0.0.0/8", Some("10.255.255.255")),
            ("10.1.2.3/30", "10.1.2.0/30", Some("10.1.2.3")),
            ("10.1.2.3/31", "10.1.2.2/31", None),
            ("10.1.2.3/32", "10.1.2.3/32", None),
            ("10.1.2.3/0", "0.0.0.0/0", Some("255.255.255.255")),
            ("fd00::1/64", "fd00::/64", None),
            ("fd00::1/0", "::/0", None),
        ];
        for (text, network, broadcast) in table {
            let prefix: Prefix = text.parse().unwrap();
            assert_eq!(prefix.network().to_string(), network);
            assert_eq!(prefix.broadcast().map(|address| address.to_string()).as_deref(), broadcast, "{text}");
        }
    }
}
