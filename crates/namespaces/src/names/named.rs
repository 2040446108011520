//! A name and what is behind it, as it is written down and as it is found.

use super::keeper::{self, Keeper};
use super::part::{Part, State};
use super::pins::{self, Known};
use super::record::{Origin, Process, Progress, Record};
use super::trouble::{Stale, Trouble};
use crate::error::Error;
use crate::id::Identity;
use crate::name::NETNS;
use insula_launch::plan::Kind;
use rustix::fd::{AsFd, OwnedFd};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What keeps the namespaces of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// Mounts: they stay without a process, until the machine starts anew.
    Pinned,
    /// A process: they end with it.
    Kept {
        /// Its pid.
        pid: i32,
    },
    /// A mount in /run/netns that is no set's: `ip netns` or `insula netns` made it.
    Netns,
}

/// A name, and its one to eight namespaces.
#[derive(Debug, Clone)]
pub struct Named {
    /// The name.
    pub name: OsString,
    /// Its namespaces, each kind once, in the order of [`Kind::ALL`].
    pub parts: Vec<Part>,
    /// What keeps them.
    pub hold: Hold,
    /// When it was made, in seconds since 1970; `None`: nobody wrote that down.
    pub created_s: Option<u64>,
    /// How it was made; `None` likewise.
    pub origin: Option<Origin>,
    /// Made, or left half made or half removed by a command that was killed, or at work.
    pub progress: Progress,
    /// Another command is at work on it now.
    pub is_busy: bool,
    /// The first process of its pid namespace, or its keeper, if it lives.
    pub holder: Option<Process>,
    /// The store that it is in.
    pub(super) store: String,
    /// It was made under this boot.
    pub(super) of_this_boot: bool,
    /// Its keeper, as it was written down: alive or not.
    pub(super) keeper: Option<Process>,
    /// The cookie of its network namespace, where that has no id.
    pub(super) cookie: Option<u64>,
}

impl Named {
    /// Of a record, without a look at the namespaces themselves.
    pub(super) fn recorded(store: &str, name: &str, record: &Record) -> Named {
        let of_this_boot = record.is_of_this_boot();
        let known = record.parts.iter().filter_map(|(kind, identity)| {
            Some(Part { kind: *kind, identity: identity.clone()?, state: State::Unseen })
        });
        let holder = record.holder_here().filter(|_| of_this_boot);
        Named {
            name: name.into(),
            parts: known.collect(),
            hold: match record.kept {
                true => Hold::Kept { pid: record.holder.map_or(0, |holder| holder.pid) },
                false => Hold::Pinned,
            },
            created_s: Some(record.created_s),
            origin: Some(record.origin),
            progress: record.progress,
            is_busy: false,
            holder,
            store: store.to_owned(),
            of_this_boot,
            keeper: record.holder,
            cookie: record.cookie,
        }
    }

    /// A name in /run/netns that no set has. One that is no namespace was left behind.
    pub(super) fn netns(name: OsString) -> Named {
        let path = Path::new(NETNS).join(&name);
        let found = Identity::of(&path).ok().filter(|identity| identity.kind == Kind::Net);
        let progress = if found.is_some() { Progress::Made } else { Progress::Making };
        let part = |identity| Part { kind: Kind::Net, identity, state: State::Live };
        Named {
            name,
            parts: found.into_iter().map(part).collect(),
            hold: Hold::Netns,
            created_s: None,
            origin: None,
            progress,
            is_busy: false,
            holder: None,
            store: String::new(),
            of_this_boot: true,
            keeper: None,
            cookie: None,
        }
    }

    /// Looks at each namespace.
    pub(super) fn examined(mut self) -> Named {
        self.holder = self.holder.filter(Process::lives);
        if self.hold == Hold::Netns {
            return self;
        }
        let states: Vec<State> = match self.hold {
            _ if !self.of_this_boot => self.parts.iter().map(|_| State::Stale(Stale::OtherBoot)).collect(),
            Hold::Kept { .. } => self.kept_states(),
            _ => {
                self.parts.iter().map(|part| pins::state(&self.pin(part.kind), part, self.known())).collect()
            }
        };
        self.parts.iter_mut().zip(states).for_each(|(part, state)| part.state = state);
        self
    }

    fn known(&self) -> Known {
        Known { init: self.keeper, cookie: self.cookie }
    }

    /// The name as text.
    pub fn shown(&self) -> String {
        self.name.to_string_lossy().into_owned()
    }

    /// The kinds that it has.
    pub fn kinds(&self) -> Vec<Kind> {
        self.parts.iter().map(|part| part.kind).collect()
    }

    /// Is any of its namespaces not there any more?
    pub fn is_stale(&self) -> bool {
        self.parts.iter().any(|part| matches!(part.state, State::Stale(_)))
    }

    /// The file on which the namespace of this kind is mounted; `None`: it has none, or a process holds it. What is found
    /// there has to be compared with the name's, as [`Named::open`] does.
    pub fn path(&self, kind: Kind) -> Option<PathBuf> {
        let has = self.parts.iter().any(|part| part.kind == kind);
        (has && !matches!(self.hold, Hold::Kept { .. })).then(|| self.pin(kind))
    }

    /// Where a mount keeps a namespace of this kind.
    pub(super) fn pin(&self, kind: Kind) -> PathBuf {
        match self.hold {
            Hold::Netns => Path::new(NETNS).join(&self.name),
            _ => pins::path(&self.store, &self.shown(), kind),
        }
    }

    /// Opens the namespace of a kind. What is not the one that was named is refused, with the cause and the cure.
    pub fn open(&self, kind: Kind) -> Result<OwnedFd, Error> {
        let mut opened = self.open_all(&[kind])?;
        opened.pop().map(|(_, file)| file).ok_or_else(|| self.error(Trouble::Lacks(kind)))
    }

    /// Opens the namespaces of these kinds, all or none.
    pub fn open_all(&self, kinds: &[Kind]) -> Result<Vec<(Kind, OwnedFd)>, Error> {
        if self.progress != Progress::Made {
            return Err(self.error(if self.is_busy { Trouble::Busy } else { Trouble::Left }));
        }
        let wanted = kinds.iter().map(|kind| {
            let part = self.parts.iter().find(|part| part.kind == *kind);
            part.ok_or_else(|| self.error(Trouble::Lacks(*kind)))
        });
        let wanted = wanted.collect::<Result<Vec<&Part>, Error>>()?;
        if let Some(part) = wanted.first().filter(|_| !self.of_this_boot) {
            return Err(self.error(Trouble::Stale(part.kind, Stale::OtherBoot)));
        }
        if matches!(self.hold, Hold::Kept { .. }) {
            return self.open_kept(&wanted);
        }
        wanted.into_iter().map(|part| Ok((part.kind, self.open_pin(part)?))).collect()
    }

    fn ask(&self) -> Result<Vec<(Kind, OwnedFd)>, Trouble> {
        let kind = self.parts.first().map_or(Kind::User, |part| part.kind);
        let directory = format!("{}/set/{}", self.store, self.shown());
        keeper::ask(&Keeper { directory, process: self.holder, kind })
    }

    /// How the namespaces that a process keeps are found: they are there as long as it is.
    fn kept_states(&self) -> Vec<State> {
        let given = match self.ask() {
            Ok(given) => given,
            Err(Trouble::Stale(_, why)) => return self.parts.iter().map(|_| State::Stale(why)).collect(),
            Err(_) => return self.parts.iter().map(|_| State::Unseen).collect(),
        };
        let state = |part: &Part| match given.iter().find(|(kind, _)| *kind == part.kind) {
            Some((_, file)) => {
                pins::compare(file.as_fd(), part, Known::default()).map_or(State::Live, State::Stale)
            }
            None => State::Stale(Stale::Another),
        };
        self.parts.iter().map(state).collect()
    }

    fn open_kept(&self, wanted: &[&Part]) -> Result<Vec<(Kind, OwnedFd)>, Error> {
        let mut given = self.ask().map_err(|trouble| self.error(trouble))?;
        let mut opened = Vec::new();
        for part in wanted {
            let at = given.iter().position(|(kind, _)| *kind == part.kind);
            let stale = |why| self.error(Trouble::Stale(part.kind, why));
            let (kind, file) = given.swap_remove(at.ok_or_else(|| stale(Stale::Another))?);
            match pins::compare(file.as_fd(), part, Known::default()) {
                None => opened.push((kind, file)),
                Some(why) => return Err(stale(why)),
            }
        }
        Ok(opened)
    }

    fn open_pin(&self, part: &Part) -> Result<OwnedFd, Error> {
        let path = self.pin(part.kind);
        match pins::open(&path, part, self.known()) {
            Ok(Ok(file)) => Ok(file),
            Ok(Err(stale)) => Err(self.error(Trouble::Stale(part.kind, stale))),
            Err(errno) => Err(Error::File("open the namespace", path.display().to_string(), errno)),
        }
    }

    /// Says the record the same of both?
    pub(super) fn is_written_as(&self, other: &Named) -> bool {
        let parts = |named: &Named| {
            named
                .parts
                .iter()
                .map(|part| (part.kind, part.identity.id, part.identity.inode))
                .collect::<Vec<_>>()
        };
        self.progress == other.progress && self.keeper == other.keeper && parts(self) == parts(other)
    }

    /// An error about this name.
    pub(super) fn error(&self, trouble: Trouble) -> Error {
        Error::name(&self.shown(), trouble)
    }
}
