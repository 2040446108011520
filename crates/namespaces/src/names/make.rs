//! Makes a name: what is written down, the birth, the mounts or the keeper, in an order that survives a sudden death.
//!
//! 1. The name's directory is made and locked, and its record says what is about to be.
//! 2. One process is born in the new namespaces, and holds its end of a pipe. Before anything is kept, the record gets to
//!    know which namespaces they are. As root they are then mounted.
//! 3. A byte on the pipe tells the process to stay, if it is needed; and the record says that the name is made.
//!
//! Killed before the byte, we leave a process that reads the end of the pipe, and ends. Killed after it, we leave a record
//! that is not complete, by which the process is found and ended.

use super::compile::{Compiled, Facts, compile};
use super::named::Named;
use super::record::{Origin, Progress, Record};
use super::request::Request;
use super::rights::{may_mount, undisturbed};
use super::store::{Locked, SOCKET, Store};
use super::trouble::Trouble;
use super::{cookie, remove, stage, word};
use crate::error::Error;
use crate::id::Identity;
use crate::netns::directory::Directory;
use crate::netns::leftover;
use crate::unshare::{Caller, denies_setgroups};
use insula_launch::error::{Place, preparing};
use insula_launch::kit::Kit;
use insula_launch::perform::{Running, perform};
use insula_launch::plan::{Kind, Plan};
use insula_sys::nsfs;
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, socket_with};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{WaitId, WaitIdOptions, waitid};
use std::ffi::OsStr;

/// How often a mount namespace is made until one can be mounted here.
const TRIES: u32 = 16;

/// Makes it.
pub fn new(name: &str, request: &Request) -> Result<Named, Error> {
    word::check(name).map_err(|trouble| Error::name(name, trouble))?;
    // What contradicts itself is refused before anything is made.
    plan(name, request)?;
    let store = Store::make()?;
    let pinned = ready(&store, request.keeper)?;
    undisturbed(|| {
        let locked = store.lock_new(name)?;
        clear_way(&store, &locked, &request.kinds, pinned).inspect_err(|_| locked.give_back())?;
        let mut tries = 0;
        let record = loop {
            tries += 1;
            match make(&store, &locked, request, pinned) {
                Err(error) if tries < TRIES && is_too_young(&error) => {}
                Err(error) => {
                    // What resists is still written down.
                    locked.give_back();
                    return Err(error);
                }
                Ok(record) => break record,
            }
        };
        Ok(Named::recorded(&store.path, name, &record).examined())
    })
}

/// Makes it once. Where that fails nothing is left but the lock; the first failure is told, and what resists is for `gc`.
fn make(store: &Store, locked: &Locked<'_>, request: &Request, pinned: bool) -> Result<Record, Error> {
    let copy = (pinned && request.kinds.contains(&Kind::Mnt)).then(|| stage::without_names(store)).flatten();
    let compiled = compile(&locked.name, request, &facts(&store.path, pinned, copy.is_some()))?;
    let mut record = Record::intent(&request.kinds, Origin::New, !pinned);
    locked.write(&record)?;
    if pinned {
        stage::place(store, &locked.name)?;
    }
    birth(locked, compiled, copy.into_iter().collect(), &mut record)
        .inspect_err(|_| undo(store, locked, &record))?;
    Ok(record)
}

/// Takes back what was made of a name, as far as it was written down.
pub(super) fn undo(store: &Store, locked: &Locked<'_>, intent: &Record) {
    let written = locked.record().ok().and_then(Result::ok);
    let _ = remove::clear_contents(store, locked, written.as_ref().unwrap_or(intent));
}

/// Was it that the mount namespace has the lower id by chance? Where the kernel tells no ids, `new-mounts` cannot see that.
fn is_too_young(error: &Error) -> bool {
    let Error::Launch(failure) = error else { return false };
    matches!(failure.place, Place::Step { name: "pin", .. })
        && matches!(failure.errno(), Some(Errno::LOOP | Errno::INVAL))
        && failure.what.contains("the mnt namespace")
}

/// The plan of a request, for people: as it would be made here and now.
pub fn plan(name: &str, request: &Request) -> Result<Plan, Error> {
    word::check(name).map_err(|trouble| Error::name(name, trouble))?;
    let pinned = may_mount() && !request.keeper;
    compile(name, request, &facts(&store_path()?, pinned, pinned)).map(|compiled| compiled.plan)
}

/// Where the store is, or would be made.
pub(super) fn store_path() -> Result<String, Error> {
    let none = || format!("{}/names", insula_launch::host::state::root());
    Ok(Store::existing()?.map_or_else(none, |store| store.path))
}

/// Prepares the store for names of mounts. `false`: a process has to keep them.
pub(super) fn ready(store: &Store, keeper: bool) -> Result<bool, Error> {
    if keeper || !may_mount() {
        return Ok(false);
    }
    match stage::prepare(store) {
        Ok(()) => Ok(true),
        // A root of a user namespace, in a mount namespace that is not its own.
        Err(Error::File(_, _, Errno::PERM)) => Ok(false),
        Err(error) => Err(error),
    }
}

pub(super) fn facts(store: &str, pinned: bool, copy: bool) -> Facts {
    let own = open("/proc/self/ns/mnt", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
    let mounts_id = own.ok().and_then(|own| nsfs::id(own.as_fd()).ok());
    let denies_setgroups = denies_setgroups();
    Facts { caller: Caller::look(), store: store.to_owned(), pinned, copy, mounts_id, denies_setgroups }
}

/// Makes way: nothing has the name, or what a killed command has left of it is removed.
pub(super) fn clear_way(
    store: &Store,
    locked: &Locked<'_>,
    kinds: &[Kind],
    pinned: bool,
) -> Result<(), Error> {
    match locked.record()? {
        Ok(record) if record.progress == Progress::Made => {
            return Err(Error::name(&locked.name, Trouble::Taken));
        }
        Ok(record) => {
            remove::clear_contents(store, locked, &record).into_iter().next().map_or(Ok(()), Err)?
        }
        // An empty directory; what cannot be read is not ours to guess at.
        Err(Trouble::Left) => {}
        Err(trouble) => return Err(Error::name(&locked.name, trouble)),
    }
    if !pinned {
        // What is in /run/netns is root's; a set goes before it.
        return Ok(());
    }
    let name = OsStr::new(&locked.name);
    if kinds.contains(&Kind::Net) {
        Directory::make()?;
        let directory = Directory::open()?;
        let is_locked = directory.lock();
        directory.share()?;
        return leftover::clear(name, is_locked);
    }
    match crate::netns::directory::path(name).symlink_metadata() {
        Ok(_) => Err(Error::name(&locked.name, Trouble::Taken)),
        Err(_) => Ok(()),
    }
}

/// The birth, and all that follows. `opened` is what the plan wants open, in its order.
pub(super) fn birth(
    locked: &Locked<'_>,
    compiled: Compiled,
    opened: Vec<OwnedFd>,
    record: &mut Record,
) -> Result<(), Error> {
    let plan = compiled.plan;
    let mut kit = Kit::with(&plan.slots);
    let mut put = |slot, file| kit.put(slot, file).map_err(preparing("keep a descriptor"));
    let (theirs, ours) = pipe_with(PipeFlags::CLOEXEC).map_err(preparing("make the lifeline"))?;
    let sealed =
        insula_launch::init::sealed().map_err(preparing("put the init into a sealed memory file"))?;
    put(compiled.init, sealed)?;
    put(compiled.lifeline, theirs)?;
    put(compiled.record, locked.open_to_add()?)?;
    if let Some(slot) = compiled.socket {
        put(slot, listening(locked)?)?;
    }
    for (slot, file) in compiled.opened.into_iter().zip(opened) {
        put(slot, file)?;
    }
    #[cfg(debug_assertions)]
    insula_launch::injected::arm();
    let running = perform(&plan, kit)?;
    complete(locked, record, &running, ours)
}

/// Lets the holder stay, if it is needed, and the name be.
fn complete(
    locked: &Locked<'_>,
    record: &mut Record,
    running: &Running,
    lifeline: OwnedFd,
) -> Result<(), Error> {
    *record = locked.record()?.map_err(|trouble| Error::name(&locked.name, trouble))?;
    let has_pids = record.parts.iter().any(|(kind, _)| *kind == Kind::Pid);
    let is_needed = record.kept || has_pids && record.origin == Origin::New;
    if is_needed {
        let told = rustix::io::write(&lifeline, b"!");
        told.map_err(|errno| Error::from(preparing("tell the holder to stay")(errno)))?;
    } else {
        drop(lifeline);
        // It ends by itself.
        let _ = waitid(WaitId::PidFd(running.pidfd.as_fd()), WaitIdOptions::EXITED);
        record.holder = None;
    }
    record.cookie = cookie(&locked.name, record);
    record.progress = Progress::Made;
    locked.write(record)
}

/// That of a network namespace in /run/netns that has no id.
fn cookie(name: &str, record: &Record) -> Option<u64> {
    let is_without = |(kind, identity): &(Kind, Option<Identity>)| {
        *kind == Kind::Net && identity.as_ref().is_some_and(|identity| identity.id.is_none())
    };
    if record.kept || !record.parts.iter().any(is_without) {
        return None;
    }
    crate::netns::directory::open_named(OsStr::new(name)).ok().and_then(|file| cookie::of(file.as_fd()))
}

/// A socket in the name's directory. The holder itself will listen there.
fn listening(locked: &Locked<'_>) -> Result<OwnedFd, Error> {
    let failed = |what| move |errno| Error::File(what, format!("the socket of `{}`", locked.name), errno);
    let socket = socket_with(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
        None,
    )
    .map_err(failed("make"))?;
    // An address has 107 bytes (unix(7)), a path may have more.
    let address = SocketAddrUnix::new(format!("/proc/self/fd/{}/{SOCKET}", locked.directory().as_raw_fd()));
    address.and_then(|address| bind(&socket, &address)).map_err(failed("bind"))?;
    Ok(socket)
}
