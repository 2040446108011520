//! Names as they come and go, and what they stand for.
//!
//! A name is a file or a directory first, and what it stands for comes a moment later, of which inotify(7) says nothing:
//! the table of mounts does, of what is mounted. So a name that comes is told when it stands for something, or when it is
//! gone again, or when it has stood for nothing for too long.

use super::event::{Change, Event, Missed, Which};
use super::places::{Heard, Places};
use super::state::State;
use crate::error::Error;
use crate::id::Identity;
use crate::name::NETNS;
use crate::names::{self, Progress};
use rustix::fd::{AsFd, BorrowedFd};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// So long a name is given to stand for something.
const PATIENCE: Duration = Duration::from_secs(2);
/// So often it is looked whether it does: what a process keeps is mounted nowhere.
const AGAIN: Duration = Duration::from_millis(25);

pub(super) struct Names {
    places: Places,
    /// Those that do not stand for anything yet.
    pending: Vec<Pending>,
    /// Those that were told, and where each is. A set's network namespace has its name in /run/netns too: that is one name.
    told: BTreeMap<OsString, PathBuf>,
}

struct Pending {
    place: PathBuf,
    name: OsString,
    since: Instant,
    again: Instant,
}

impl Names {
    pub(super) fn begin() -> Result<Names, Error> {
        // Sets first: one that has a name in /run/netns as well is told as a set.
        let mut directories = names::directories();
        directories.push(PathBuf::from(NETNS));
        let places =
            Places::begin(directories).map_err(|errno| Error::Netns("watch", NETNS.into(), errno))?;
        Ok(Names { places, pending: Vec::new(), told: BTreeMap::new() })
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

    /// When to look again.
    pub(super) fn due(&self) -> Option<Instant> {
        self.pending.iter().map(|pending| pending.again).min()
    }

    /// Looks at those again that did not stand for anything, and tells those that have not for too long.
    pub(super) fn settle(&mut self, state: &mut State, now: Instant, events: &mut Vec<Event>) {
        for mut pending in std::mem::take(&mut self.pending) {
            if now < pending.again {
                self.pending.push(pending);
            } else if now < pending.since + PATIENCE {
                pending.again = now + AGAIN;
                self.look(pending, state, Change::Came, events);
            } else {
                self.tell(state, pending, Vec::new(), Change::Came, events);
            }
        }
    }

    fn take_in(&mut self, heard: Vec<Heard>, state: &mut State, change: Change, events: &mut Vec<Event>) {
        for one in heard {
            match one {
                Heard::Added(place, name) => {
                    // Those before it first, so that they are told in their order.
                    self.mounted(state, events);
                    let is_known = self.told.contains_key(&name) || self.is_pending(None, &name);
                    if is_known && place == Path::new(NETNS) {
                        continue;
                    }
                    let now = Instant::now();
                    let pending = Pending { place, name, since: now, again: now + AGAIN };
                    self.look(pending, state, change, events);
                }
                Heard::Removed(place, name) => self.removed(&place, name, state, events),
                Heard::Lost => events.push(Event::Missed(Missed::NameEvents)),
            }
        }
    }

    fn is_pending(&self, place: Option<&Path>, name: &OsString) -> bool {
        let is_it =
            |pending: &Pending| pending.name == *name && place.is_none_or(|place| pending.place == place);
        self.pending.iter().any(is_it)
    }

    fn removed(&mut self, place: &Path, name: OsString, state: &mut State, events: &mut Vec<Event>) {
        if let Some(at) =
            self.pending.iter().position(|pending| pending.place == place && pending.name == name)
        {
            // It was there, however shortly.
            let pending = self.pending.remove(at);
            self.tell(state, pending, Vec::new(), Change::Came, events);
        }
        if self.told.get(&name).is_some_and(|told| told == place) {
            self.told.remove(&name);
            events.push(Event::Name { change: Change::Went, name, namespaces: Vec::new() });
        }
    }

    /// Looks at what a name stands for; for nothing yet, it has to wait.
    fn look(&mut self, pending: Pending, state: &mut State, change: Change, events: &mut Vec<Event>) {
        let namespaces = namespaces(&pending.place, &pending.name);
        if namespaces.is_empty() && change == Change::Came {
            self.pending.push(pending);
        } else {
            self.tell(state, pending, namespaces, change, events);
        }
    }

    /// Tells a name, and what it stands for.
    fn tell(
        &mut self,
        state: &mut State,
        pending: Pending,
        namespaces: Vec<Which>,
        change: Change,
        events: &mut Vec<Event>,
    ) {
        let Pending { name, place, .. } = pending;
        for which in &namespaces {
            state.named(*which, &name, change, events);
        }
        self.told.insert(name.clone(), place);
        events.push(Event::Name { change, name, namespaces });
    }
}

impl AsFd for Names {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.places.as_fd()
    }
}

/// The namespaces behind a name.
fn namespaces(place: &Path, name: &OsString) -> Vec<Which> {
    let which = |identity: &Identity| Which { kind: identity.kind, inode: identity.inode, id: identity.id };
    if place == Path::new(NETNS) {
        return Identity::of(place.join(name)).iter().map(which).collect();
    }
    // A set that is being made has not all yet.
    let named = names::find(name).ok().flatten();
    let parts = named.filter(|named| named.progress == Progress::Made).map(|named| named.parts);
    parts.iter().flatten().map(|part| which(&part.identity)).collect()
}
