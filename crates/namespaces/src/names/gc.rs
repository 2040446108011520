//! Clears away what is of no use: what killed commands have left, and names whose namespaces are not there any more.

use super::named::Named;
use super::part::State;
use super::record::{Origin, Progress};
use super::remove;
use super::store::Store;
use super::trouble::{Stale, Trouble};
use crate::error::Error;
use crate::netns::directory::{self, Directory};
use crate::netns::leftover;
use crate::scan::{self, By, Holder, Look, Snapshot};
use insula_launch::plan::Kind;
use std::ffi::OsString;
use std::path::Path;

/// Why a name is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// A command that was killed has left it half made or half removed.
    Left,
    /// A namespace of it is not there any more.
    Stale(Kind, Stale),
}

/// What was done about it.
#[derive(Debug)]
pub enum Outcome {
    /// It is gone, or would be.
    Removed,
    /// Processes run in its pid namespace, which nobody has asked to end.
    Populated(Vec<u32>),
    /// It resists.
    Failed(Vec<Error>),
}

/// Something of no use.
#[derive(Debug)]
pub struct Finding {
    /// The name.
    pub name: OsString,
    /// Why.
    pub reason: Reason,
    /// What became of it.
    pub outcome: Outcome,
    /// Namespaces of it that live on, and what holds them besides the name.
    pub held: Vec<Held>,
}

/// A namespace that lives on.
#[derive(Debug)]
pub struct Held {
    /// Its kind.
    pub kind: Kind,
    /// Its inode.
    pub inode: u64,
    /// The processes in it.
    pub processes: Vec<u32>,
    /// What else holds it.
    pub others: Vec<By>,
}

/// Looks through all names of this user, and removes what is of no use unless `dry`. What another command is at work on is
/// passed over.
pub fn gc(dry: bool) -> Result<Vec<Finding>, Error> {
    let mut findings = Vec::new();
    let store = Store::existing()?;
    if let Some(store) = &store {
        let mut snapshot = None;
        for name in store.all_names()? {
            findings.extend(one(store, &name, dry, &mut snapshot)?);
        }
    }
    for name in directory::names()?.unwrap_or_default() {
        // A set's own, which is being made.
        let is_of_set =
            |store: &Store| name.to_str().is_some_and(|name| matches!(store.record(name), Ok(Some(_))));
        if !store.as_ref().is_some_and(is_of_set) {
            findings.extend(of_netns(name, dry)?);
        }
    }
    Ok(findings)
}

fn one(
    store: &Store,
    name: &str,
    dry: bool,
    snapshot: &mut Option<Snapshot>,
) -> Result<Option<Finding>, Error> {
    let locked = match store.lock_idle(name) {
        // Without a record: mounts whose name was removed by hand.
        Ok(None) => store.lock_new(name)?,
        Ok(Some(locked)) => locked,
        Err(Error::Name { trouble: Trouble::Busy, .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let finding = |reason, outcome, held| Some(Finding { name: name.into(), reason, outcome, held });
    let outcome =
        |errors: Vec<Error>| if errors.is_empty() { Outcome::Removed } else { Outcome::Failed(errors) };
    let record = match locked.record()? {
        Ok(record) => record,
        Err(Trouble::Left) => {
            let errors = if dry { Vec::new() } else { remove::clear_unrecorded(store, &locked) };
            return Ok(finding(Reason::Left, outcome(errors), Vec::new()));
        }
        Err(trouble) => {
            return Ok(finding(Reason::Left, Outcome::Failed(vec![Error::name(name, trouble)]), Vec::new()));
        }
    };
    let named = Named::recorded(&store.path, name, &record).examined();
    let reason = match named.parts.iter().find_map(|part| match part.state {
        State::Stale(why) => Some((part.kind, why)),
        _ => None,
    }) {
        _ if record.progress != Progress::Made => Reason::Left,
        Some((kind, why)) => Reason::Stale(kind, why),
        None => return Ok(None),
    };
    let inside = if reason == Reason::Left { Vec::new() } else { remove::inside(&named) };
    if !inside.is_empty() && record.origin == Origin::New {
        return Ok(finding(reason, Outcome::Populated(inside), Vec::new()));
    }
    let held = held(&named, snapshot)?;
    let errors = if dry { Vec::new() } else { remove::clear(store, &locked, &record) };
    Ok(finding(reason, outcome(errors), held))
}

/// A file in /run/netns that is no namespace.
fn of_netns(name: OsString, dry: bool) -> Result<Option<Finding>, Error> {
    let named = Named::netns(name.clone());
    if named.progress == Progress::Made {
        return Ok(None);
    }
    let outcome = match Directory::open() {
        _ if dry => Outcome::Removed,
        Ok(directory) => match leftover::clear(&name, directory.lock()) {
            Ok(()) => Outcome::Removed,
            Err(error) => Outcome::Failed(vec![error]),
        },
        Err(error) => Outcome::Failed(vec![error]),
    };
    Ok(Some(Finding { name, reason: Reason::Left, outcome, held: Vec::new() }))
}

/// Those of its namespaces that live, and what holds each besides the name itself.
fn held(named: &Named, snapshot: &mut Option<Snapshot>) -> Result<Vec<Held>, Error> {
    let live: Vec<_> = named.parts.iter().filter(|part| part.state == State::Live).collect();
    if live.is_empty() {
        return Ok(Vec::new());
    }
    if snapshot.is_none() {
        *snapshot = Some(scan::take(&Look::HOLDERS)?);
    }
    let Some(snapshot) = snapshot.as_ref() else { return Ok(Vec::new()) };
    // Alive, or dead and not waited for yet.
    let own = named.keeper.and_then(|holder| u32::try_from(holder.pid).ok());
    let of = |part: &&super::part::Part| {
        let inode = part.identity.inode;
        let in_it = |process: &&scan::Process| {
            process.namespace(part.kind) == Some(inode) && Some(process.pid) != own
        };
        let pin = named.path(part.kind);
        let others = snapshot.held_by(inode).iter().filter(|holder| !is_ours(holder, pin.as_deref(), own));
        let held = Held {
            kind: part.kind,
            inode,
            processes: snapshot.processes.iter().filter(in_it).map(|process| process.pid).collect(),
            others: others.map(|holder| holder.by.clone()).collect(),
        };
        (!held.processes.is_empty() || !held.others.is_empty()).then_some(held)
    };
    Ok(live.iter().filter_map(of).collect())
}

/// Is it the name itself that holds: its mount (in any mount namespace, from which it goes as well) or its holder?
fn is_ours(holder: &Holder, pin: Option<&Path>, own: Option<u32>) -> bool {
    match &holder.by {
        By::Mount { point, .. } => Some(point.as_path()) == pin,
        By::Fd { pid, .. } | By::Socket { pid, .. } | By::ForChildren { pid } | By::Thread { pid, .. } => {
            Some(*pid) == own
        }
    }
}
