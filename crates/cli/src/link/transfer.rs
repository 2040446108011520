//! `insula link move DEV NS`.

use super::device::Device;
use super::error::Error;
use super::room::Rooms;
use crate::tell;
use clap::ArgMatches;
use insula_net::link;
use insula_net::moving::{Lost, Reason, relocate};
use insula_oci::escaped;

/// Moves a device, and tells what it has lost by it.
pub fn transfer(matches: &ArgMatches) -> Result<String, Error> {
    let text = |id: &str| matches.get_one::<String>(id).map_or("", String::as_str);
    let device = Device::bare(text("DEV"))?;
    let new = matches.get_one::<String>("name");
    if let Some(new) = new {
        insula_net::name::check(new)?;
    }
    let mut rooms = Rooms::new()?;
    let from = device.room(&mut rooms, "from", matches.get_one("from"))?;
    let to = rooms.room(text("TO"))?;
    let Some((from, to)) = rooms.both(from, to) else {
        // It is there already: what is left is its name.
        let network = rooms.network(from);
        let link = device.find(network)?;
        if let Some(new) = new.filter(|new| **new != link.name) {
            link::rename(&mut network.socket, link.index, &link.name, new)?;
        }
        return Ok(String::new());
    };
    let moved = relocate(from, to, &device.name, new.map(String::as_str))?;
    for lost in &moved.lost {
        tell::warn(&escaped(&told(&moved.link.name, lost)).to_string());
    }
    Ok(String::new())
}

/// A loss in words.
fn told(name: &str, lost: &Lost) -> String {
    match &lost.why {
        Reason::LeftBehind(why) => format!("`{name}` has lost {}: {why}", lost.what),
        Reason::Refused(error) => format!("`{name}` has lost a route: {error}"),
    }
}
