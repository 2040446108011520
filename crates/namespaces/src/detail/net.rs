//! The devices of a network namespace and their addresses, asked through a socket that a visitor has opened in it.

use super::ask::Asked;
use super::told::{Detail, Hidden, Net, Told};
use insula_net::address::{self, Address};
use insula_net::link::{self, Link};
use insula_net::nsid;
use insula_net::socket::Socket;
use rustix::io::Errno;
use std::collections::BTreeMap;

pub(super) fn ask(asked: &Asked<'_>) -> Told {
    let nsid = asked.file.and_then(|file| nsid::get(&mut Socket::open().ok()?, file).ok().flatten());
    let open = || Socket::open().map(|socket| (Vec::new(), Some(socket.into_file())));
    let look = || open().map_err(|error| error.errno().unwrap_or(Errno::IO));
    let devices = asked.visit("its devices", look).and_then(|mut visit| {
        let socket = visit.file.take().ok_or("the visitor brought no socket".to_owned());
        let listed = socket.map(Socket::given).and_then(|mut socket| list(&mut socket));
        listed.map_err(|why| Hidden { what: "its devices", why })
    });
    match devices {
        Ok(devices) => Told { detail: Detail::Net(Net { nsid, devices: Some(devices) }), hidden: Vec::new() },
        Err(hidden) => Told { detail: Detail::Net(Net { nsid, devices: None }), hidden: vec![hidden] },
    }
}

fn list(socket: &mut Socket) -> Result<Vec<(Link, Vec<Address>)>, String> {
    let links = link::list(socket).map_err(|error| error.to_string())?;
    let mut of: BTreeMap<u32, Vec<Address>> = BTreeMap::new();
    for address in address::list(socket, None).map_err(|error| error.to_string())? {
        of.entry(address.index).or_default().push(address);
    }
    Ok(links
        .into_iter()
        .map(|link| (of.remove(&link.index).unwrap_or_default(), link))
        .map(|(a, l)| (l, a))
        .collect())
}
