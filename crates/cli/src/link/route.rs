//! `insula link route add|del DESTINATION [via GATEWAY] [dev DEV] [src ADDRESS] [metric N]`.

use super::device::{Device, texts};
use super::error::Error;
use super::room::Rooms;
use clap::ArgMatches;
use insula_net::prefix::Prefix;
use insula_net::route::{self, Route};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What can be written behind the destination.
const FORM: &str = "via GATEWAY, dev DEV, src ADDRESS, metric N";

/// How to get there, as it is written.
#[derive(Debug, Default, PartialEq, Eq)]
struct How {
    gateway: Option<IpAddr>,
    device: Option<Device>,
    source: Option<IpAddr>,
    metric: Option<u32>,
}

/// Adds or deletes a route.
pub fn route(matches: &ArgMatches) -> Result<String, Error> {
    let text = |id: &str| matches.get_one::<String>(id).map_or("", String::as_str);
    let words: Vec<&str> = texts(matches, "HOW").map(String::as_str).collect();
    let how = how(&words)?;
    let destination = destination(text("DESTINATION"), how.gateway)?;
    if how.gateway.is_none() && how.device.is_none() && text("VERB") == "add" {
        let word = text("DESTINATION").to_owned();
        return Err(Error::Form { word, reason: "neither a gateway nor a device is given", form: FORM });
    }
    let given = [how.gateway, how.source].into_iter().flatten();
    if let Some(other) = given.into_iter().find(|other| other.is_ipv4() != destination.address.is_ipv4()) {
        return Err(Error::Conflict {
            what: format!("`{other}` is of another family than the destination"),
            cure: "write all of one family, IPv4 or IPv6",
        });
    }
    let mut rooms = Rooms::new()?;
    let within = matches.get_one::<String>("in");
    let (room, index) = match &how.device {
        Some(device) => {
            let room = device.room(&mut rooms, "in", within)?;
            (room, Some(device.find(rooms.network(room))?.index))
        }
        None => (rooms.room(within.map_or(super::room::HOST, String::as_str))?, None),
    };
    let mut route = Route::new(destination, how.gateway, index);
    route.source = how.source;
    route.metric = how.metric;
    let socket = &mut rooms.network(room).socket;
    if text("VERB") == "add" {
        route::add(socket, &route)?
    } else {
        route::delete(socket, &route)?
    }
    Ok(String::new())
}

/// Reads a destination; `default` is of the gateway's family. The host's bits have to be 0, as the kernel wants it.
fn destination(word: &str, gateway: Option<IpAddr>) -> Result<Prefix, Error> {
    if word == "default" {
        let address = match gateway {
            Some(IpAddr::V6(_)) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
            _ => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        };
        return Ok(Prefix { address, length: 0 });
    }
    let alone = word.parse::<IpAddr>().ok();
    let prefix = match alone {
        Some(address) => Prefix { address, length: if address.is_ipv4() { 32 } else { 128 } },
        None => word.parse()?,
    };
    if prefix.network() == prefix {
        return Ok(prefix);
    }
    let reason = "it is an address in a network, not the network: bits behind the prefix are set";
    Err(Error::Form { word: word.to_owned(), reason, form: "the network's first address, as 10.0.0.0/24" })
}

/// Reads the words behind the destination.
fn how(words: &[&str]) -> Result<How, Error> {
    let mut how = How::default();
    for pair in words.chunks(2) {
        let refused = |reason| Error::Form { word: pair.join(" "), reason, form: FORM };
        let [word, value] = pair else { return Err(refused("its value is missing")) };
        match *word {
            "via" => how.gateway = Some(value.parse().map_err(|_| refused("it is no address"))?),
            "src" => how.source = Some(value.parse().map_err(|_| refused("it is no address"))?),
            "dev" => how.device = Some(Device::bare(value)?),
            "metric" => how.metric = Some(value.parse().map_err(|_| refused("it is no number"))?),
            _ => return Err(refused("it is no such word")),
        }
    }
    Ok(how)
}

#[cfg(test)]
mod tests {
    use super::{destination, how};

    #[test]
    fn the_words_are_those_of_ip_route() {
        let all = how(&["via", "10.0.0.1", "dev", "a:eth0", "src", "10.0.0.2", "metric", "7"]).unwrap();
        assert_eq!(all.gateway, Some([10, 0, 0, 1].into()));
        assert_eq!(all.device.map(|device| device.name).as_deref(), Some("eth0"));
        assert_eq!((all.source, all.metric), (Some([10, 0, 0, 2].into()), Some(7)));
        for words in [&["via"][..], &["via", "x"], &["metric", "-1"], &["table", "7"], &["dev", "a/b"]] {
            assert!(how(words).is_err(), "{words:?}");
        }
    }

    #[test]
    fn a_destination_is_a_network() {
        for (word, gateway, shown) in [
            ("default", None, "0.0.0.0/0"),
            ("default", Some("fd00::1"), "::/0"),
            ("10.0.0.0/8", None, "10.0.0.0/8"),
            ("10.0.0.1", None, "10.0.0.1/32"),
            ("fd00::1", None, "fd00::1/128"),
        ] {
            let gateway = gateway.map(|gateway| gateway.parse().unwrap());
            assert_eq!(destination(word, gateway).unwrap().to_string(), shown);
        }
        for word in ["10.0.0.1/8", "fd00::1/64", "x", "10.0.0.0/33", ""] {
            assert!(destination(word, None).is_err(), "{word}");
        }
    }
}
