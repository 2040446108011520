//! Names for namespaces of any kind, and for whole sets of them: `insula ns`.
//!
//! A name is a set of one to eight namespaces. As root they are *pinned*: mounted on files, where they stay without a
//! process; network namespaces in /run/netns, as names that `ip netns` knows as well. Where one may not mount, a small
//! process *keeps* them ([`keeper`]), and they end with it. What is written down of a name ([`record`]) says which
//! namespaces are meant; whatever else is found in their place is never entered. A name in /run/netns that no set has is a
//! name too. docs/design/011-names.md tells why it is so.

mod attach;
mod compile;
mod cookie;
mod gc;
mod keeper;
mod make;
mod named;
mod part;
mod pins;
mod record;
mod rehearsal;
mod remove;
mod request;
mod rights;
mod stage;
mod store;
pub mod trouble;
mod word;

pub use attach::{Attach, attach};
pub use compile::{Facts, compile};
pub use gc::{Finding, Held, Outcome, Reason, gc};
pub use make::{new, plan};
pub use named::{Hold, Named};
pub use part::{Part, State};
pub use record::{Origin, Process, Progress};
pub use rehearsal::rehearsal;
pub use remove::{Removal, remove};
pub use request::Request;
pub use rights::may_mount;
pub use store::directories;
pub use trouble::{Stale, Trouble};
pub use word::check;

use crate::error::Error;
use crate::name;
use crate::netns::directory;
use insula_launch::plan::Kind;
use record::Record;
use rustix::fd::OwnedFd;
use std::ffi::{OsStr, OsString};
use store::Store;

/// A name that is made anew more often than this while it is opened is not waited for.
const TRIES: usize = 8;

/// All names that this user has: sets, and what is in /run/netns besides. Sorted. Each namespace is looked at.
pub fn all() -> Result<Vec<Named>, Error> {
    let mut all = Vec::new();
    if let Some(store) = Store::existing()? {
        for name in store.names()? {
            match recorded(&store, &name) {
                // It is told with the others, and refused where it is used.
                Err(Error::Name { trouble: Trouble::Unreadable, .. }) => {
                    all.push(Named::recorded(&store.path, &name, &Record::none()));
                }
                named => all.extend(named?.map(Named::examined)),
            }
        }
    }
    for name in directory::names()?.unwrap_or_default() {
        if !all.iter().any(|named| named.name == name && named.kinds().contains(&Kind::Net)) {
            all.push(Named::netns(name));
        }
    }
    all.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(all)
}

/// The name, if there is one. Each namespace is looked at.
pub fn find(name: impl AsRef<OsStr>) -> Result<Option<Named>, Error> {
    Ok(read(name)?.map(Named::examined))
}

/// The same without a look: [`Named::open`] looks at what it opens.
pub fn read(name: impl AsRef<OsStr>) -> Result<Option<Named>, Error> {
    let name = name.as_ref();
    if let Some(text) = name.to_str().filter(|text| check(text).is_ok())
        && let Some(store) = Store::existing()?
        && let Some(named) = recorded(&store, text)?
    {
        return Ok(Some(named));
    }
    let is_there = name::is_valid(name) && directory::path(name).symlink_metadata().is_ok();
    Ok(is_there.then(|| Named::netns(name.to_owned())))
}

/// Opens the namespace of a kind that has this name; `None`: nothing has the name, or it has no such kind.
pub fn open(kind: Kind, name: &OsStr) -> Result<Option<OwnedFd>, Error> {
    match read(name)? {
        Some(named) if named.kinds().contains(&kind) || named.progress != Progress::Made => {
            named.open(kind).map(Some)
        }
        // A set without a network, and beside it a name of ip's.
        Some(named) if named.hold != Hold::Netns && kind == Kind::Net => {
            let is_there = directory::path(name).symlink_metadata().is_ok();
            is_there.then(|| Named::netns(OsString::from(name)).open(kind)).transpose()
        }
        _ => Ok(None),
    }
}

/// Opens namespaces of a name, all or none: these kinds, or all that it has where none is named.
pub fn open_all(name: &OsStr, kinds: &[Kind]) -> Result<Vec<(Kind, OwnedFd)>, Error> {
    let nothing = || Error::name(&name.to_string_lossy(), Trouble::Nothing);
    let mut named = read(name)?.ok_or_else(nothing)?;
    for _ in 0..TRIES {
        let opened = match kinds {
            [] => named.open_all(&named.kinds()),
            kinds => named.open_all(kinds),
        };
        let Err(Error::Name { trouble: Trouble::Stale(..) | Trouble::Silent(_), .. }) = opened else {
            return opened;
        };
        // It may have been removed, or made anew, between the look at the record and at the namespaces. A file in /run/netns
        // without a record looks alike, whether a killed command has left it or one at work has it for the set that it makes.
        let is_at_work = named.hold == Hold::Netns && is_at_work(name)?;
        let again = read(name)?.ok_or_else(nothing)?;
        if again.is_written_as(&named) && !is_at_work {
            return opened;
        }
        named = again;
    }
    Err(named.error(Trouble::Busy))
}

/// Is a command at work on a set of this name?
fn is_at_work(name: &OsStr) -> Result<bool, Error> {
    let (Some(name), Some(store)) = (name.to_str(), Store::existing()?) else { return Ok(false) };
    match store.lock_idle(name) {
        Ok(_) => Ok(false),
        Err(Error::Name { trouble: Trouble::Busy, .. }) => Ok(true),
        Err(error) => Err(error),
    }
}

/// A name of the store; `None`: it has none such, or nothing was written down of it as yet. What a killed command has left
/// there is told as that.
fn recorded(store: &Store, name: &str) -> Result<Option<Named>, Error> {
    let named = |record: &Record| Some(Named::recorded(&store.path, name, record));
    match store.record(name)? {
        None | Some(Err(Trouble::Left)) => return Ok(None),
        Some(Err(trouble)) => return Err(Error::name(name, trouble)),
        Some(Ok(record)) if record.progress == Progress::Made => return Ok(named(&record)),
        Some(Ok(_)) => {}
    }
    // At work, or left behind: what is written down once nobody is at work on it tells.
    let (record, is_busy) = match store.lock_idle(name) {
        Ok(Some(locked)) => (locked.record()?, false),
        Ok(None) => return Ok(None),
        Err(Error::Name { trouble: Trouble::Busy, .. }) => match store.record(name)? {
            Some(record) => (record, true),
            None => return Ok(None),
        },
        Err(error) => return Err(error),
    };
    match record {
        Ok(record) => Ok(named(&record).map(|named| Named { is_busy, ..named })),
        Err(Trouble::Left) => Ok(None),
        Err(trouble) => Err(Error::name(name, trouble)),
    }
}
