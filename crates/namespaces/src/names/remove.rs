//! Takes what a name holds away: its process, its mounts, its record, in this order, and goes on after an error.
//!
//! The record says first that the name is being removed, and goes last. So whenever we are killed, what is left is known.

use super::named::Named;
use super::part::State;
use super::record::{Origin, Process, Progress, Record};
use super::rights::{may_mount, undisturbed};
use super::store::{Locked, Store};
use super::trouble::Trouble;
use super::{pins, word};
use crate::error::Error;
use crate::id::Identity;
use crate::name;
use crate::netns::delete::{self, Devices, Returned};
use crate::netns::directory::{self, Directory};
use crate::netns::{leftover, processes};
use insula_launch::plan::Kind;
use insula_sys::signal::pidfd_send_signal;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::AsFd;
use rustix::fs::{AtFlags, CWD, Mode, OFlags, open, unlink, unlinkat};
use rustix::io::Errno;
use rustix::mount::{UnmountFlags, unmount};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::ffi::OsStr;
use std::path::Path;

/// More mounts than this on one file are no accident.
const MOST_MOUNTS: usize = 64;
/// How long a killed process may take to end, in seconds: a network namespace with many devices takes its time.
const PATIENCE_S: i64 = 10;

/// How a name is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removal {
    /// Kill what runs in its pid namespace; and a name that is not there is no error.
    pub force: bool,
    /// What becomes of hardware in its network namespace.
    pub devices: Devices,
}

/// Removes a name. What came back of its network is returned even where the rest fails.
pub fn remove(name: &OsStr, how: Removal) -> (Vec<Returned>, Vec<Error>) {
    let mut returned = Vec::new();
    let errors = match removed(name, how, &mut returned) {
        Ok(errors) => errors,
        Err(error) => vec![error],
    };
    (returned, errors)
}

fn removed(name: &OsStr, how: Removal, returned: &mut Vec<Returned>) -> Result<Vec<Error>, Error> {
    let store = match name.to_str().filter(|text| word::check(text).is_ok()) {
        Some(text) => Store::existing()?.map(|store| (store, text)),
        None => None,
    };
    if let Some((store, text)) = &store
        && let Some(locked) = store.lock_existing(text)?
    {
        return of_set(store, &locked, how, returned);
    }
    if name::is_valid(name) && directory::path(name).symlink_metadata().is_ok() {
        let (back, done) = delete::delete(name, how.devices);
        returned.extend(back);
        return Ok(done.err().into_iter().collect());
    }
    if how.force { Ok(Vec::new()) } else { Err(Error::name(&name.to_string_lossy(), Trouble::Nothing)) }
}

fn of_set(
    store: &Store,
    locked: &Locked<'_>,
    how: Removal,
    returned: &mut Vec<Returned>,
) -> Result<Vec<Error>, Error> {
    let record = match locked.record()? {
        Ok(record) => record,
        Err(Trouble::Unreadable) if !how.force => return Err(Error::name(&locked.name, Trouble::Unreadable)),
        Err(_) => return Ok(clear_unrecorded(store, locked)),
    };
    let named = Named::recorded(&store.path, &locked.name, &record).examined();
    if record.progress == Progress::Made {
        let inside = inside(&named);
        if record.origin == Origin::New && !how.force && !inside.is_empty() {
            return Err(Error::name(&locked.name, Trouble::Populated(inside)));
        }
        let has_network = named.parts.iter().any(|part| part.kind == Kind::Net && part.state == State::Live);
        if has_network && how.devices != Devices::Leave && may_mount() {
            delete::save_devices(&locked.name, || named.open(Kind::Net), how.devices, returned)?;
        }
    }
    Ok(undisturbed(|| clear(store, locked, &record)))
}

/// The processes in its pid namespace, but for its holder.
pub(super) fn inside(named: &Named) -> Vec<u32> {
    let pids = named.parts.iter().find(|part| part.kind == Kind::Pid && part.state == State::Live);
    let Some(pids) = pids else { return Vec::new() };
    let holder = named.holder.and_then(|holder| u32::try_from(holder.pid).ok());
    let is_inside = |pid: &u32| {
        let file = rustix::fs::stat(format!("/proc/{pid}/ns/pid").as_str());
        let is_there =
            file.is_ok_and(|file| (file.st_dev, file.st_ino) == (pids.identity.device, pids.identity.inode));
        is_there && Some(*pid) != holder
    };
    let mut found: Vec<u32> = processes::all().into_iter().filter(is_inside).collect();
    found.sort_unstable();
    found
}

/// Removes what has a name's paths, where nothing readable says what it is. What is in /run/netns is not known to be ours.
pub(super) fn clear_unrecorded(store: &Store, locked: &Locked<'_>) -> Vec<Error> {
    let kinds = Kind::ALL.into_iter().filter(|kind| *kind != Kind::Net).map(|kind| (kind, None));
    let mut record = Record { parts: kinds.collect(), ..Record::none() };
    record.progress = Progress::Removing;
    clear(store, locked, &record)
}

/// Removes all of a name that is locked. What resists is returned, and is still written down.
pub(super) fn clear(store: &Store, locked: &Locked<'_>, record: &Record) -> Vec<Error> {
    let errors = clear_contents(store, locked, record);
    if errors.is_empty() { locked.forget().err().into_iter().collect() } else { errors }
}

/// The same, and the name stays locked, to be made anew.
pub(super) fn clear_contents(store: &Store, locked: &Locked<'_>, record: &Record) -> Vec<Error> {
    let mut record = record.clone();
    record.progress = Progress::Removing;
    if let Err(error) = locked.write(&record) {
        return vec![error];
    }
    let mut errors = Vec::new();
    if record.is_of_this_boot() {
        // One that we attached was another's before, and stays.
        let is_ours = record.kept || record.origin == Origin::New;
        if let Some(holder) = record.holder_here().filter(|_| is_ours) {
            errors.extend(end(&holder, &locked.name).err());
        }
    }
    if !record.kept {
        for (kind, identity) in &record.parts {
            let path = pins::path(&store.path, &locked.name, *kind);
            errors.extend(take_off(*kind, identity.as_ref(), record.cookie, &path, &locked.name).err());
        }
        let directory = store.below(&format!("pin/{}", locked.name));
        match unlinkat(CWD, directory.as_str(), AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => errors.push(Error::File("remove", directory, errno)),
        }
    }
    if errors.is_empty() {
        errors.extend(locked.forget_record().err());
    }
    errors
}

/// Ends a process, if it is the one that is meant, and waits for that.
pub(super) fn end(process: &Process, name: &str) -> Result<(), Error> {
    let failed = |errno| Error::process(format!("end the holder of `{name}`"), process.pid, errno);
    let Some(pid) = Pid::from_raw(process.pid) else { return Ok(()) };
    let pidfd = match pidfd_open(pid, PidfdFlags::empty()) {
        Err(Errno::SRCH) => return Ok(()),
        pidfd => pidfd.map_err(failed)?,
    };
    // After it is open: what it says then is said of this one.
    if !process.lives() {
        return Ok(());
    }
    match pidfd_send_signal(pidfd.as_fd(), 9)
        .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
    {
        Ok(()) | Err(Errno::SRCH) => {}
        Err(errno) => return Err(failed(errno)),
    }
    match poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&Timespec { tv_sec: PATIENCE_S, tv_nsec: 0 }))
    {
        Ok(0) => Err(failed(Errno::TIMEDOUT)),
        _ => Ok(()),
    }
}

/// Takes the mounts off a file, and removes it.
fn take_off(
    kind: Kind,
    identity: Option<&Identity>,
    cookie: Option<u64>,
    path: &Path,
    name: &str,
) -> Result<(), Error> {
    // In /run/netns others give names too: what is not ours stays.
    if kind == Kind::Net {
        match Identity::of(path) {
            Ok(found)
                if identity.is_some_and(|ours| found.same(ours)) && !is_anothers(path, &found, cookie) => {}
            Ok(_) => return Ok(()),
            // An empty file of ours is cleared away, and one of others left alone.
            Err(_) => {
                if let Ok(directory) = Directory::open() {
                    let _ = leftover::clear(OsStr::new(name), directory.lock());
                }
                return Ok(());
            }
        }
    }
    uncover(path);
    match unlink(path) {
        Ok(()) | Err(Errno::NOENT | Errno::NOTDIR) => Ok(()),
        Err(Errno::BUSY) => Err(Error::name(name, Trouble::Resists(path.display().to_string()))),
        Err(errno) => Err(Error::File("remove", path.display().to_string(), errno)),
    }
}

/// The same inode, and another network namespace.
fn is_anothers(path: &Path, found: &Identity, cookie: Option<u64>) -> bool {
    let file = open(path, OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK, Mode::empty());
    file.is_ok_and(|file| pins::is_anothers_inode(file.as_fd(), found, cookie))
}

/// Takes off what is mounted on it. Where that is refused, the unlink is as well, and says why.
fn uncover(path: &Path) {
    for _ in 0..MOST_MOUNTS {
        if unmount(path, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW).is_err() {
            return;
        }
    }
}
