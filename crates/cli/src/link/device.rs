//! The word for a device: `[NS:]DEV[=ADDRESS/PREFIX,…]`.

use super::error::Error;
use super::room::{HOST, Room, Rooms};
use insula_net::link::{self, Link};
use insula_net::name;
use insula_net::network::Network;
use insula_net::prefix::Prefix;

/// A device, as a word has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// The word for its network namespace, where it has one.
    pub netns: Option<String>,
    /// Its name.
    pub name: String,
    /// The addresses that it is to have.
    pub addresses: Vec<Prefix>,
}

impl Device {
    /// Reads a word. What is in front of the last `:` before any `=` is a network namespace: no device has a `:` in its name.
    pub fn parse(word: &str) -> Result<Device, Error> {
        let (front, addresses) = match word.split_once('=') {
            Some((front, addresses)) => (front, Some(addresses)),
            None => (word, None),
        };
        let (netns, device) = match front.rsplit_once(':') {
            Some((netns, device)) => (Some(netns.to_owned()), device),
            None => (None, front),
        };
        name::check(device)?;
        if netns.as_deref() == Some("") {
            let form = "NS:DEV, where NS is a name, a pid, a path or `host`";
            return Err(Error::Form {
                word: word.to_owned(),
                reason: "nothing is in front of the colon",
                form,
            });
        }
        let addresses = addresses.map_or(Ok(Vec::new()), |all| all.split(',').map(str::parse).collect())?;
        Ok(Device { netns, name: device.to_owned(), addresses })
    }

    /// The same where addresses make no sense.
    pub fn bare(word: &str) -> Result<Device, Error> {
        let device = Device::parse(word)?;
        if device.addresses.is_empty() {
            return Ok(device);
        }
        let reason = "addresses are given by `insula link addr`, `pair` and `bridge` only";
        Err(Error::Form { word: word.to_owned(), reason, form: "[NS:]DEV" })
    }

    /// Its namespace; `flag` is that of those that name none, with the flag's own name. Two that contradict are refused.
    pub fn room(&self, rooms: &mut Rooms, flag: &str, given: Option<&String>) -> Result<Room, Error> {
        match (&self.netns, given) {
            (Some(own), Some(given)) if own != given => Err(Error::Conflict {
                what: format!("`{own}:{}` contradicts `--{flag} {given}`", self.name),
                cure: "name one network namespace",
            }),
            (Some(word), _) | (None, Some(word)) => rooms.room(word),
            (None, None) => rooms.room(HOST),
        }
    }

    /// The device, which has to be there.
    pub fn find(&self, network: &mut Network) -> Result<Link, Error> {
        find(network, &self.name)
    }
}

/// The device of this name, which has to be there.
pub fn find(network: &mut Network, name: &str) -> Result<Link, Error> {
    let found = link::by_name(&mut network.socket, name)?;
    Ok(found.ok_or_else(|| insula_net::error::Error::NoDevice {
        name: name.to_owned(),
        network: network.name.clone(),
    })?)
}

/// The values of an argument.
pub fn texts<'m>(matches: &'m clap::ArgMatches, id: &str) -> impl Iterator<Item = &'m String> {
    matches.get_many::<String>(id).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::Device;

    #[test]
    fn a_word_has_three_parts() {
        let table = [
            ("eth0", None, "eth0", ""),
            ("a:eth0", Some("a"), "eth0", ""),
            ("host:eth0", Some("host"), "eth0", ""),
            ("/proc/1/ns/net:eth0", Some("/proc/1/ns/net"), "eth0", ""),
            ("/x:y/net:eth0", Some("/x:y/net"), "eth0", ""),
            ("eth0=10.0.0.1/24", None, "eth0", "10.0.0.1/24"),
            ("12:eth0=10.0.0.1/24,fd00::1/64", Some("12"), "eth0", "10.0.0.1/24,fd00::1/64"),
        ];
        for (word, netns, name, addresses) in table {
            let device = Device::parse(word).unwrap_or_else(|error| panic!("{word}: {error}"));
            let all: Vec<String> = device.addresses.iter().map(ToString::to_string).collect();
            assert_eq!(
                (device.netns.as_deref(), &device.name[..], &all.join(",")[..]),
                (netns, name, addresses)
            );
        }
        for word in ["", ":eth0", "a:", "a:eth0=", "eth0=10.0.0.1", "eth0=10.0.0.1/24,", "a b", "eth0=1/2/3"]
        {
            assert!(Device::parse(word).is_err(), "{word}");
        }
        assert!(Device::bare("eth0=10.0.0.1/24").is_err());
    }
}
