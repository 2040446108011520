//! The network namespaces that a way may lead through, and what is asked of each: opened when the way gets there.

use crate::address::{self, Address};
use crate::error::Error;
use crate::firewall::{self, Ruleset};
use crate::link::{self, Index, Link};
use crate::nsid;
use crate::socket::Socket;
use crate::visit::{self, Wanted};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::fstat;
use rustix::io::Errno;
use std::net::IpAddr;

/// A network namespace by its file.
#[derive(Debug)]
pub struct Place {
    /// What it is called in a sentence: "`a`", "the host's network".
    pub name: String,
    /// A file of it.
    pub file: OwnedFd,
}

impl Place {
    /// Device and inode of the file.
    pub fn numbers(&self) -> Option<(u64, u64)> {
        fstat(&self.file).ok().map(|stat| (stat.st_dev, stat.st_ino))
    }
}

/// One that is open.
#[derive(Debug)]
pub struct Site {
    /// What it is called in a sentence.
    pub name: String,
    /// rtnetlink(7).
    pub route: Socket,
    /// sock_diag(7); `None`: the kernel has none.
    pub diagnosis: Option<Socket>,
    /// Its devices.
    pub links: Vec<Link>,
    /// Their addresses.
    pub addresses: Vec<Address>,
    /// The rules of its firewall, once somebody asked; an errno: they may not be read, or there can be none.
    rules: Option<Result<Ruleset, Errno>>,
    filter: Option<Socket>,
}

impl Site {
    fn open(place: &Place) -> Result<Site, Error> {
        let wanted = [Wanted::Route, Wanted::Diagnosis, Wanted::Netfilter];
        let files = visit::sockets(place.file.as_fd(), &place.name, &wanted)?;
        let mut files = files.into_iter().map(|file| file.map(Socket::of));
        let mut next = || files.next().unwrap_or(Err(Errno::IO));
        let mut route = next().map_err(|errno| {
            crate::socket::refused(crate::error::Act::Socket, "open a netlink socket", errno, None)
        })?;
        let (diagnosis, filter) = (next().ok(), next().ok());
        let (links, addresses) = (link::list(&mut route)?, address::list(&mut route, None)?);
        Ok(Site { name: place.name.clone(), route, diagnosis, links, addresses, rules: None, filter })
    }

    /// A device.
    pub fn link(&self, index: Index) -> Option<&Link> {
        self.links.iter().find(|link| link.index == index)
    }

    /// A device's name.
    pub fn device(&self, index: Index) -> String {
        self.link(index).map_or_else(|| format!("device {index}"), |link| link.name.clone())
    }

    /// Is this address its own?
    pub fn has(&self, address: IpAddr) -> bool {
        self.addresses.iter().any(|own| own.local.address == address)
    }

    /// Its addresses but those of loopback and of one link, IPv4 first.
    pub fn reachable(&self) -> Vec<IpAddr> {
        let is_wide = |address: &&Address| {
            !address.local.address.is_loopback() && address.scope < 253 && !address.is_tentative()
        };
        let mut all: Vec<IpAddr> =
            self.addresses.iter().filter(is_wide).map(|own| own.local.address).collect();
        all.sort_by_key(IpAddr::is_ipv6);
        all
    }

    /// The rules of its firewall; an errno: they may not be read.
    pub fn rules(&mut self) -> &Result<Ruleset, Errno> {
        let filter = &mut self.filter;
        self.rules.get_or_insert_with(|| match filter {
            None => Ok(Ruleset::default()),
            Some(socket) => match firewall::load(socket) {
                Ok(rules) => Ok(rules),
                // A kernel without nf_tables has no rules.
                Err(Error::Refused { errno: Errno::INVAL | Errno::OPNOTSUPP | Errno::NOENT, .. }) => {
                    Ok(Ruleset::default())
                }
                Err(error) => Err(error.errno().unwrap_or(Errno::IO)),
            },
        })
    }
}

/// All that may be on the way.
#[derive(Debug)]
pub struct Sites {
    places: Vec<Place>,
    open: Vec<Option<Site>>,
}

/// Which of [`Sites`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At(usize);

impl Sites {
    /// Each namespace once, under the first of its names.
    pub fn new(places: Vec<Place>) -> Sites {
        let mut once: Vec<Place> = Vec::new();
        for place in places {
            if !once.iter().any(|known| known.numbers() == place.numbers()) {
                once.push(place);
            }
        }
        let open = once.iter().map(|_| None).collect();
        Sites { places: once, open }
    }

    /// Where the way begins.
    pub fn first(&self) -> At {
        At(0)
    }

    /// The one with these numbers.
    pub fn find(&self, numbers: (u64, u64)) -> Option<At> {
        self.places.iter().position(|known| known.numbers() == Some(numbers)).map(At)
    }

    /// The file of one.
    pub fn place(&self, at: At) -> &Place {
        &self.places[at.0]
    }

    /// Opens one, the first time.
    pub fn site(&mut self, at: At) -> Result<&mut Site, Error> {
        let slot = &mut self.open[at.0];
        if slot.is_none() {
            *slot = Some(Site::open(&self.places[at.0])?);
        }
        Ok(slot.as_mut().expect("it was filled right above"))
    }

    /// The other end of a device: in which namespace, and which device there; `None`: it has none, or it is none of ours.
    pub fn other_end(&mut self, at: At, link: &Link) -> Result<Option<(At, Index)>, Error> {
        let Some(peer) = link.peer.filter(|_| link.kind.as_deref() == Some("veth")) else { return Ok(None) };
        let Some(id) = link.peer_nsid else { return Ok(Some((at, peer))) };
        for number in 0..self.places.len() {
            let Ok(file) = self.places[number].file.try_clone() else { continue };
            let found = nsid::get(&mut self.site(at)?.route, file.as_fd());
            // One that may not be entered is as good as unknown.
            if found.is_ok_and(|found| found == Some(id)) && self.site(At(number)).is_ok() {
                return Ok(Some((At(number), peer)));
            }
        }
        Ok(None)
    }
}
