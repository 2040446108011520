//! Moves a device to another network namespace, and keeps what it has.
//!
//! The kernel moves a device bare: it takes it down and drops its addresses and routes. So they are read before and given
//! back after, through a socket in the namespace that it has come to. What it can keep there, and what not, stands in
//! `docs/design/008-netlink.md`.

use crate::address::{self, Address};
use crate::error::{Act, Error};
use crate::link::{self, Index, Link};
use crate::network::Network;
use crate::route::{self, Route};
use crate::socket::{Socket, refused};
use rustix::fd::AsFd;
use rustix::fs::fstat;
use rustix::io::Errno;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long an IPv6 address may be under inquiry before it is good as a route's source: duplicate address detection is one
/// second by default, and begins at up to one.
const INQUIRY: Duration = Duration::from_millis(2_500);

/// How a move went.
#[derive(Debug)]
pub struct Moved {
    /// The device as it is now.
    pub link: Link,
    /// What it had before and has not now.
    pub lost: Vec<Lost>,
}

/// A thing that a device could not keep.
#[derive(Debug)]
pub struct Lost {
    /// What it is: "the route default via 10.0.0.1".
    pub what: String,
    /// Why.
    pub why: Reason,
}

/// Why a thing could not be kept.
#[derive(Debug)]
pub enum Reason {
    /// What it needs is not where the device is now: in words.
    LeftBehind(&'static str),
    /// The kernel refused it there.
    Refused(Error),
}

/// What a device has that a move takes from it.
#[derive(Debug)]
struct Belongings {
    is_up: bool,
    addresses: Vec<Address>,
    routes: Vec<Route>,
    master: Option<Link>,
}

/// Moves the device `name` from one network namespace to another, there under the name `new` if one is given. Its addresses,
/// and that it is up, are kept, or the move is undone. Routes that make no sense there are lost, and told.
///
/// A signal that kills in the middle leaves the device in one of the two, and perhaps bare: block those that can be.
pub fn relocate(from: &mut Network, to: &mut Network, name: &str, new: Option<&str>) -> Result<Moved, Error> {
    let link = link::by_name(&mut from.socket, name)?
        .ok_or_else(|| Error::NoDevice { name: name.to_owned(), network: from.name.clone() })?;
    // It may have been asked for by another of its names (`altname` of ip-link(8)), which goes with it.
    let name = link.name.as_str();
    let goal = new.unwrap_or(name);
    if is_one(from, to) {
        if goal != name {
            link::rename(&mut from.socket, link.index, name, goal)?;
        }
        return Ok(Moved { link: arrived(to, goal)?, lost: Vec::new() });
    }
    let what = format!("move `{name}` to {}", to.name);
    if link.is_loopback() || link.immutable {
        return Err(refused(Act::Move, &what, Errno::INVAL, None));
    }
    if link::by_name(&mut to.socket, goal)?.is_some() {
        return Err(refused(Act::Move, &what, Errno::EXIST, None));
    }
    let had = Belongings::of(&mut from.socket, &link)?;
    let rename = new.filter(|new| *new != name);
    if let Err(first) = link::move_to(&mut from.socket, link.index, &what, to.file.as_fd(), rename) {
        // The kernel renames last. If that failed, since the name was taken meanwhile, the device is gone from here.
        let is_here =
            link::by_index(&mut from.socket, link.index)?.is_some_and(|here| here.name == link.name);
        return Err(if is_here { first } else { undo(from, to, &link, name, &had, first) });
    }
    let mut lost = Vec::new();
    match arrived(to, goal).and_then(|link| had.give(&mut to.socket, &link, name, &mut lost).map(|()| link)) {
        Err(first) => Err(undo(from, to, &link, goal, &had, first)),
        Ok(link) => {
            if let Some(master) = &had.master {
                let what = format!("its place in `{}`", master.name);
                lost.push(Lost { what, why: Reason::LeftBehind("that is in the other namespace") });
            }
            Ok(Moved { link, lost })
        }
    }
}

/// A device that a container was given, and what it had before.
#[derive(Debug)]
pub struct Handed {
    was: Link,
    name: String,
    had: Belongings,
}

/// Gives the device `name` to a container (config-linux.md, "Network Devices"): there it is called `new`, where `%d` is the
/// first number that is free, it is up, and has those of its addresses that are permanent and good everywhere. Nothing else
/// of what it had makes sense there.
pub fn hand_over(from: &mut Network, to: &mut Network, name: &str, new: &str) -> Result<Handed, Error> {
    let was = link::by_name(&mut from.socket, name)?
        .ok_or_else(|| Error::NoDevice { name: name.to_owned(), network: from.name.clone() })?;
    let goal = match new.split_once("%d") {
        Some((before, behind)) => free_name(to, before, behind)?,
        None => new.to_owned(),
    };
    let what = format!("move `{name}` to {} as `{goal}`", to.name);
    if was.is_loopback() || was.immutable {
        return Err(refused(Act::Move, &what, Errno::INVAL, None));
    }
    if link::by_name(&mut to.socket, &goal)?.is_some() {
        return Err(refused(Act::Move, &what, Errno::EXIST, None));
    }
    let had = Belongings::of(&mut from.socket, &was)?;
    let rename = Some(goal.as_str()).filter(|new| *new != was.name);
    link::move_to(&mut from.socket, was.index, &what, to.file.as_fd(), rename)?;
    let addresses = had.addresses.iter().filter(|address| address.is_for_good()).cloned().collect();
    let kept = Belongings { is_up: true, addresses, routes: Vec::new(), master: None };
    match arrived(to, &goal).and_then(|link| kept.give(&mut to.socket, &link, &was.name, &mut Vec::new())) {
        Ok(()) => Ok(Handed { was, name: goal, had }),
        Err(first) => Err(undo(from, to, &was, &goal, &had, first)),
    }
}

/// Takes a device back that was given away, with all that it had.
pub fn take_back(from: &mut Network, to: &mut Network, device: &Handed) -> Result<(), Error> {
    bring_back(from, to, &device.was, &device.name, &device.had)
}

/// The first name of this form that no device has.
fn free_name(to: &mut Network, before: &str, behind: &str) -> Result<String, Error> {
    let taken = link::list(&mut to.socket)?;
    let mut names = (0..).map(|number: u32| format!("{before}{number}{behind}"));
    let free = names.find(|name| !taken.iter().any(|link| link.name == *name));
    Ok(free.unwrap_or_default())
}

/// Are both the same namespace?
fn is_one(from: &Network, to: &Network) -> bool {
    match (fstat(&from.file), fstat(&to.file)) {
        (Ok(from), Ok(to)) => (from.st_dev, from.st_ino) == (to.st_dev, to.st_ino),
        _ => false,
    }
}

/// The device, which must be there.
fn arrived(to: &mut Network, name: &str) -> Result<Link, Error> {
    link::by_name(&mut to.socket, name)?
        .ok_or_else(|| Error::NoDevice { name: name.to_owned(), network: to.name.clone() })
}

/// Brings a device back, with all that it had; the error that says how it stands now.
fn undo(
    from: &mut Network,
    to: &mut Network,
    was: &Link,
    name: &str,
    had: &Belongings,
    first: Error,
) -> Error {
    match bring_back(from, to, was, name, had) {
        Ok(()) => Error::Undone(Box::new(first)),
        Err(undo) => {
            // It may be half way: where is it?
            let is_back = link::by_name(&mut from.socket, &was.name).is_ok_and(|link| link.is_some());
            let (name, network) = if is_back { (&was.name[..], &from.name) } else { (name, &to.name) };
            Error::Stranded {
                name: name.to_owned(),
                network: network.clone(),
                first: Box::new(first),
                undo: Box::new(undo),
            }
        }
    }
}

fn bring_back(
    from: &mut Network,
    to: &mut Network,
    was: &Link,
    name: &str,
    had: &Belongings,
) -> Result<(), Error> {
    let there = arrived(to, name)?;
    let what = format!("bring `{name}` back to {}", from.name);
    let old = Some(was.name.as_str()).filter(|old| *old != name);
    link::move_to(&mut to.socket, there.index, &what, from.file.as_fd(), old)?;
    let back = arrived(from, &was.name)?;
    let mut lost = Vec::new();
    had.give(&mut from.socket, &back, &was.name, &mut lost)?;
    if let Some(master) = &had.master {
        link::set_master(&mut from.socket, back.index, &back.name, master.index)?;
    }
    match lost.into_iter().next() {
        Some(Lost { why: Reason::Refused(error), .. }) => Err(error),
        _ => Ok(()),
    }
}

impl Belongings {
    /// Reads what a device has.
    fn of(socket: &mut Socket, link: &Link) -> Result<Belongings, Error> {
        let mut addresses = address::list(socket, Some(link.index))?;
        // The kernel makes these again, of those that they were made of.
        addresses.retain(|address| !address.is_temporary());
        let mut routes = if link.is_up() { route::list(socket, Some(link.index))? } else { Vec::new() };
        routes.retain(Route::is_static);
        let master = match link.master {
            Some(index) => link::by_index(socket, index)?,
            None => None,
        };
        Ok(Belongings { is_up: link.is_up(), addresses, routes, master })
    }

    /// Gives it back to the device where it is now; `name` is what it was called before. What of the routes cannot be is
    /// added to `lost`.
    fn give(&self, socket: &mut Socket, now: &Link, name: &str, lost: &mut Vec<Lost>) -> Result<(), Error> {
        for address in &self.addresses {
            let label = address.label.as_ref().and_then(|label| relabelled(label, name, &now.name));
            let address = Address { index: now.index, label, ..address.clone() };
            match address::add(socket, &now.name, &address) {
                // The kernel may have been quicker with one that it makes itself.
                Err(error) if error.errno() == Some(Errno::EXIST) => {}
                added => added?,
            }
        }
        if self.is_up {
            link::set_up(socket, now.index, &now.name)?;
        }
        self.give_routes(socket, now.index, lost);
        Ok(())
    }

    fn give_routes(&self, socket: &mut Socket, index: Index, lost: &mut Vec<Lost>) {
        let (shared, own): (Vec<&Route>, Vec<&Route>) = self.routes.iter().partition(|route| route.is_shared);
        lost.extend(shared.into_iter().map(|route| Lost {
            what: format!("the route {route}"),
            why: Reason::LeftBehind("it goes by several devices"),
        }));
        let mut own: Vec<Route> = own.into_iter().map(|route| route.by(index)).collect();
        // A gateway may be behind another route of these. So those without one come first, and the rest is tried again
        // as long as that helps.
        own.sort_by_key(|route| route.gateway.is_some());
        let mut refusals = Vec::new();
        while !own.is_empty() {
            let before = own.len();
            refusals.clear();
            own.retain(|route| match add_route(socket, index, route) {
                Ok(()) => false,
                Err(error) => {
                    refusals.push(error);
                    true
                }
            });
            if own.len() == before {
                break;
            }
        }
        let refused = own.into_iter().zip(refusals);
        lost.extend(
            refused.map(|(route, error)| Lost {
                what: format!("the route {route}"),
                why: Reason::Refused(error),
            }),
        );
    }
}

/// Adds a route; where its source is an IPv6 address under inquiry, when that is over.
fn add_route(socket: &mut Socket, index: Index, route: &Route) -> Result<(), Error> {
    let deadline = Instant::now() + INQUIRY;
    loop {
        match route::add(socket, route) {
            Err(error) if error.errno() == Some(Errno::EXIST) => return Ok(()),
            Err(error) if error.errno() == Some(Errno::INVAL) && Instant::now() < deadline => {
                let source = route.source;
                let waits =
                    |address: &Address| Some(address.local.address) == source && address.is_tentative();
                let has_carrier = link::by_index(socket, index)?.is_some_and(|link| link.has_carrier());
                if !has_carrier || !address::list(socket, Some(index))?.iter().any(waits) {
                    return Err(error);
                }
                sleep(Duration::from_millis(20));
            }
            done => return done,
        }
    }
}

/// An IPv4 address's label under the device's new name; `None` where there is no room for it.
fn relabelled(label: &str, old: &str, new: &str) -> Option<String> {
    let rest = label.strip_prefix(old)?;
    Some(format!("{new}{rest}")).filter(|label| label.len() <= crate::name::MOST_BYTES)
}

#[cfg(test)]
mod tests {
    use super::relabelled;

    #[test]
    fn a_label_follows_the_name() {
        assert_eq!(relabelled("eth0", "eth0", "e1").as_deref(), Some("e1"));
        assert_eq!(relabelled("eth0:x", "eth0", "e1").as_deref(), Some("e1:x"));
        assert_eq!(relabelled("eth0:x", "eth0", "fourteen-bytes"), None);
        assert_eq!(relabelled("other", "eth0", "e1"), None);
    }
}
