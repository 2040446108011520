//! `B:PORT`: an address or a word for a network namespace, and a port.

use insula_namespaces::error::Error;
use std::net::{IpAddr, Ipv6Addr};

/// What can be written.
const FORM: &str = "write NAME:PORT, PID:PORT, ADDRESS:PORT, or [IPV6]:PORT";

/// Whom, and the port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// An address.
    Address(IpAddr, u16),
    /// A word for a network namespace.
    Namespace(String, u16),
}

/// Reads it.
pub fn target(text: &str) -> Result<Target, Error> {
    let no = |reason| refuse(text, reason, Some(FORM));
    let (whom, port) = text.rsplit_once(':').ok_or_else(|| no("the port is missing"))?;
    let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let port =
        port.parse().ok().filter(|port| digits && *port > 0).ok_or_else(|| no("a port is 1 to 65535"))?;
    if let Some(inside) = whom.strip_prefix('[') {
        let address = inside.strip_suffix(']').and_then(|address| address.parse::<Ipv6Addr>().ok());
        let address = address.ok_or_else(|| no("there is no IPv6 address between the brackets"))?;
        return Ok(Target::Address(address.into(), port));
    }
    if whom.is_empty() {
        return Err(no("nothing is in front of the colon"));
    }
    // A path may have colons.
    if whom.contains(':') && !whom.contains('/') {
        return Err(no("an IPv6 address stands in brackets"));
    }
    Ok(match whom.parse() {
        Ok(address) => Target::Address(address, port),
        Err(_) => Target::Namespace(whom.to_owned(), port),
    })
}

/// A word that makes no sense.
pub fn refuse(what: &str, reason: &str, hint: Option<&str>) -> Error {
    Error::Asked { what: what.to_owned(), reason: reason.to_owned(), hint: hint.map(str::to_owned) }
}

#[cfg(test)]
mod tests {
    use super::{Target, target};

    #[test]
    fn a_target_is_an_address_or_a_word_with_a_port() {
        let address = |text: &str, port| Target::Address(text.parse().unwrap(), port);
        let word = |text: &str, port| Target::Namespace(text.to_owned(), port);
        let table = [
            ("10.0.0.2:80", address("10.0.0.2", 80)),
            ("[fd00::2]:80", address("fd00::2", 80)),
            ("[::1]:65535", address("::1", 65535)),
            ("blue:80", word("blue", 80)),
            ("1234:53", word("1234", 53)),
            ("/proc/1/ns/net:1", word("/proc/1/ns/net", 1)),
            ("/a:b:1", word("/a:b", 1)),
        ];
        for (text, meaning) in table {
            assert_eq!(target(text).unwrap(), meaning, "{text}");
        }
        for text in [
            "",
            "blue",
            "blue:",
            "blue:0",
            "blue:65536",
            "blue:+1",
            ":80",
            "fd00::2:80",
            "[blue]:80",
            "[::1:80",
        ] {
            assert!(target(text).is_err(), "{text}");
        }
    }
}
