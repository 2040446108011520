//! Network devices of ours that a container gets. If its creation fails behind the move they come back; else they are its
//! own, and go the way of its network namespace (config-linux.md, "Namespace Lifecycle and Container Termination").

use super::error::Error;
use insula_net::moving::{Handed, hand_over, take_back};
use insula_net::network::{Network, enter};
use rustix::fd::AsFd;
use rustix::fs::{Mode, OFlags, open};

/// Devices that were moved, and both namespaces.
#[derive(Debug)]
pub(super) struct Moved {
    here: Network,
    there: Network,
    devices: Vec<Handed>,
}

/// Moves each device to the network namespace of `pid`, under its new name. What was moved comes back if one cannot be.
pub(super) fn hand(devices: &[(String, String)], pid: i32) -> Result<Moved, Error> {
    let here = Network::here("the runtime's network namespace").map_err(Error::Devices)?;
    let path = format!("/proc/{pid}/ns/net");
    let file = open(path.as_str(), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
        .map_err(|errno| Error::Namespace { path, errno })?;
    let there = Network::enter(file, "the container's network namespace").map_err(Error::Devices);
    // A socket stays where it was opened, and so may we.
    enter(here.file.as_fd())
        .map_err(|errno| Error::Namespace { path: "/proc/self/ns/net".to_owned(), errno })?;
    let mut moved = Moved { here, there: there?, devices: Vec::new() };
    for (old, new) in devices {
        match hand_over(&mut moved.here, &mut moved.there, old, new) {
            Ok(device) => moved.devices.push(device),
            Err(error) => {
                let first = Error::Devices(error);
                return Err(match moved.back() {
                    Ok(()) => first,
                    Err(second) => Error::Several(vec![first, second]),
                });
            }
        }
    }
    Ok(moved)
}

impl Moved {
    /// Brings them back, with all that they had.
    pub(super) fn back(mut self) -> Result<(), Error> {
        let mut errors = Vec::new();
        for device in self.devices.drain(..).rev() {
            errors.extend(take_back(&mut self.here, &mut self.there, &device).map_err(Error::Devices).err());
        }
        match errors.len() {
            0 => Ok(()),
            1 => Err(errors.remove(0)),
            _ => Err(Error::Several(errors)),
        }
    }
}
