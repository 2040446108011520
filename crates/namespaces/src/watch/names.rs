//! Names as they come and go, and what they stand for.
//!
//! A name is a file first, and a namespace is mounted on it a moment later, of which inotify(7) says nothing: the table of
//! mounts does. So a name that comes is told when it stands for something, or when it is gone again, or when it has stood
//! for nothing for too long.

use super::event::{Change, Event, Missed, Which};
use super::places::{Heard, Places};
use super::state::State;
use crate::error::Error;
use crate::id::Identity;
use crate::name::NETNS;
use rustix::fd::{AsFd, BorrowedFd};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// So long a name is given to stand for something.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) struct Names {
    places: Places,
    /// Those that do not stand for anything yet.
    pending: Vec<Pending>,
}

struct Pending {
    place: PathBuf,
    name: OsString,
    since: Instant,
}

impl Names {
    pub(super) fn begin() -> Result<Names, Error> {
        let directories = vec![PathBuf::from(NETNS)];
        let places =
            Places::begin(directories).map_err(|errno| Error::Netns("watch", NETNS.into(), errno))?;
        Ok(Names { places, pending: Vec::new() })
    }

    /// What inotify tells.
    pub(super) fn hear(&mut self, state: &mut State, events: &mut Vec<Event>) -> Result<(), Error> {
        let heard = self.places.heard().map_err(|errno| Error::Netns("watch", NETNS.into(), errno))?;
        self.take_in(heard, state, Change::Came, events);
        Ok(())
    }

    /// Compares with the directories themselves.
    pub(super) fn list(&mut self, state: &mut State, change: Change, events: &mut Vec<Event>) {
        let heard = self.places.list();
        self.take_in(heard, state, change, events);
    }

    /// Something was mounted or unmounted.
    pub(super) fn mounted(&mut self, state: &mut State, events: &mut Vec<Event>) {
        for pending in std::mem::take(&mut self.pending) {
            self.look(pending, state, Change::Came, events);
        }
    }

    /// When patience ends.
    pub(super) fn due(&self) -> Option<Instant> {
        self.pending.iter().map(|pending| pending.since + PATIENCE).min()
    }

    /// Tells those that have stood for nothing for too long.
    pub(super) fn settle(&mut self, state: &mut State, now: Instant, events: &mut Vec<Event>) {
        for pending in std::mem::take(&mut self.pending) {
            if now < pending.since + PATIENCE {
                self.pending.push(pending);
                continue;
            }
            let namespaces = namespaces(&pending.place, &pending.name);
            tell(state, pending.name, namespaces, Change::Came, events);
        }
    }

    fn take_in(&mut self, heard: Vec<Heard>, state: &mut State, change: Change, events: &mut Vec<Event>) {
        for one in heard {
            match one {
                Heard::Added(place, name) => {
                    // Those before it first, so that they are told in their order.
                    self.mounted(state, events);
                    self.look(Pending { place, name, since: Instant::now() }, state, change, events);
                }
                Heard::Removed(place, name) => {
                    let is_it = |pending: &Pending| pending.place == place && pending.name == name;
                    if let Some(at) = self.pending.iter().position(is_it) {
                        // It was there, however shortly.
                        self.pending.remove(at);
                        tell(state, name.clone(), Vec::new(), Change::Came, events);
                    }
                    let change = Change::Went;
                    events.push(Event::Name { change, name, namespaces: Vec::new() });
                }
                Heard::Lost => events.push(Event::Missed(Missed::NameEvents)),
            }
        }
    }

    /// Looks at what a name stands for; for nothing yet, it has to wait.
    fn look(&mut self, pending: Pending, state: &mut State, change: Change, events: &mut Vec<Event>) {
        let namespaces = namespaces(&pending.place, &pending.name);
        if namespaces.is_empty() && change == Change::Came {
            self.pending.push(pending);
        } else {
            tell(state, pending.name, namespaces, change, events);
        }
    }
}

impl AsFd for Names {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.places.as_fd()
    }
}

/// The name, and what it stands for.
fn tell(state: &mut State, name: OsString, namespaces: Vec<Which>, change: Change, events: &mut Vec<Event>) {
    for which in &namespaces {
        state.named(*which, &name, change, events);
    }
    events.push(Event::Name { change, name, namespaces });
}

/// The namespaces behind a name.
fn namespaces(place: &Path, name: &OsString) -> Vec<Which> {
    let identity = Identity::of(place.join(name));
    let which =
        identity.map(|identity| Which { kind: identity.kind, inode: identity.inode, id: identity.id });
    which.into_iter().collect()
}
