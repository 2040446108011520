//! Gives the namespaces of a process that runs a name.

use super::compile::keepers;
use super::make::{birth, clear_way, ready, undo};
use super::named::Named;
use super::pins;
use super::record::{Origin, Process, Progress, Record};
use super::rights::undisturbed;
use super::store::{Locked, Store};
use super::{cookie, stage, word};
use crate::error::Error;
use crate::id::Identity;
use crate::netns::directory::Directory;
use crate::netns::processes;
use insula_launch::error::Named as Errname;
use insula_launch::fault::{Call, Fault};
use insula_launch::plan::Kind;
use insula_launch::step::pin::{mount_namespace, pin};
use insula_sys::nsfs;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags, fstat, open, stat};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Attach {
    /// The process.
    pub pid: i32,
    /// The kinds; none: those in which it differs from us.
    pub kinds: Vec<Kind>,
    /// A process holds them, even where they could be mounted.
    pub keeper: bool,
}

/// Gives it.
pub fn attach(name: &str, asked: &Attach) -> Result<Named, Error> {
    word::check(name).map_err(|trouble| Error::name(name, trouble))?;
    let opened = open_all(asked)?;
    let store = Store::make()?;
    let pinned = ready(&store, asked.keeper)?;
    undisturbed(|| {
        let locked = store.lock_new(name)?;
        let kinds: Vec<Kind> = opened.iter().map(|(kind, _, _)| *kind).collect();
        clear_way(&store, &locked, &kinds, pinned).inspect_err(|_| locked.give_back())?;
        let mut record = Record::intent(&kinds, Origin::Attached(asked.pid), !pinned);
        // They are there already: what they are is known before anything is kept.
        record.parts = opened.iter().map(|(kind, _, identity)| (*kind, Some(identity.clone()))).collect();
        if pinned {
            // By it a kernel that does not tell (before Linux 6.11) still knows when the pid namespace has ended.
            let without_id = |(kind, _, identity): &&(Kind, OwnedFd, Identity)| {
                *kind == Kind::Net && identity.id.is_none()
            };
            record.cookie = opened.iter().find(without_id).and_then(|(_, file, _)| cookie::of(file.as_fd()));
            record.holder =
                opened.iter().find(|(kind, _, _)| *kind == Kind::Pid).and_then(|(_, file, _)| init_of(file));
        }
        locked.write(&record)?;
        let done = match pinned {
            true => pin_all(&store, &locked, &opened, &mut record),
            false => birth(
                &locked,
                keepers(&kinds),
                opened.into_iter().map(|(_, file, _)| file).collect(),
                &mut record,
            ),
        };
        if done.is_err() {
            // The first failure is told; what resists is for `gc`, and still written down.
            undo(&store, &locked, &record);
            locked.give_back();
        }
        done.map(|()| Named::recorded(&store.path, name, &record).examined())
    })
}

/// Opens the namespaces of the process, and makes sure that it was that process all along.
fn open_all(asked: &Attach) -> Result<Vec<(Kind, OwnedFd, Identity)>, Error> {
    let pid = asked.pid;
    let gone = || Error::Asked {
        what: pid.to_string(),
        reason: "there is no process of this pid here".to_owned(),
        hint: Some("it has ended, or it is outside of our pid namespace".to_owned()),
    };
    let raw = Pid::from_raw(pid).filter(|_| pid > 0).ok_or_else(gone)?;
    let pidfd = match pidfd_open(raw, PidfdFlags::empty()) {
        Err(Errno::SRCH | Errno::NOENT | Errno::INVAL) => return Err(gone()),
        pidfd => pidfd.map_err(|errno| refused("look at", pid, errno))?,
    };
    let mut opened = Vec::new();
    for kind in Kind::ALL {
        if !(asked.kinds.is_empty() || asked.kinds.contains(&kind)) {
            continue;
        }
        let path = format!("/proc/{pid}/{}", kind.file().to_string_lossy());
        let file = match open(path.as_str(), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) {
            // The kernel has no such kind, or the process is gone, which is seen below.
            Err(Errno::NOENT) if asked.kinds.is_empty() => continue,
            file => {
                file.map_err(|errno| refused(&format!("look at the {} namespace", kind.name()), pid, errno))?
            }
        };
        let is_ours =
            stat(format!("/proc/self/{}", kind.file().to_string_lossy()).as_str()).is_ok_and(|own| {
                fstat(&file).is_ok_and(|there| (own.st_dev, own.st_ino) == (there.st_dev, there.st_ino))
            });
        if asked.kinds.is_empty() && is_ours {
            continue;
        }
        let identity =
            Identity::of_file(file.as_fd()).map_err(|errno| Error::File("look at", path, errno))?;
        opened.push((kind, file, identity));
    }
    let has_ended =
        poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))
            .is_ok_and(|n| n > 0);
    if has_ended {
        return Err(gone());
    }
    if opened.is_empty() {
        return Err(Error::Asked {
            what: pid.to_string(),
            reason: "its namespaces are the ones that we are in".to_owned(),
            hint: Some("name the kinds that are wanted all the same, as `--net`".to_owned()),
        });
    }
    Ok(opened)
}

/// The first process of a pid namespace.
fn init_of(pids: &OwnedFd) -> Option<Process> {
    if let Ok(pid) = nsfs::process_of(pids.as_fd(), 1) {
        return Process::of(pid);
    }
    let there = fstat(pids).ok()?;
    let is_init = |pid: &u32| {
        let is_inside = stat(format!("/proc/{pid}/ns/pid").as_str())
            .is_ok_and(|file| (file.st_dev, file.st_ino) == (there.st_dev, there.st_ino));
        let status = if is_inside {
            std::fs::read_to_string(format!("/proc/{pid}/status"))
        } else {
            Ok(String::new())
        };
        // Its pids from our pid namespace down to its own, proc_pid_status(5).
        let mut lines = status.iter().flat_map(|status| status.lines());
        lines.any(|line| {
            line.strip_prefix("NSpid:").is_some_and(|pids| pids.split_whitespace().last() == Some("1"))
        })
    };
    let pid = processes::all().into_iter().find(is_init)?;
    i32::try_from(pid).ok().and_then(Process::of)
}

fn refused(what: &str, pid: i32, errno: Errno) -> Error {
    Error::process(what.to_owned(), pid, errno)
}

fn pin_all(
    store: &Store,
    locked: &Locked<'_>,
    opened: &[(Kind, OwnedFd, Identity)],
    record: &mut Record,
) -> Result<(), Error> {
    stage::place(store, &locked.name)?;
    for (kind, file, _) in opened {
        let path = pins::path(&store.path, &locked.name, *kind);
        // In /run/netns under the lock that `ip` takes.
        let directory = if *kind == Kind::Net { Some(Directory::open()?) } else { None };
        let _is_locked = directory.as_ref().map(Directory::lock);
        let target = CString::new(path.as_os_str().as_bytes()).unwrap_or_default();
        pin(file.as_fd(), &target, Mode::from_raw_mode(pins::MODE))
            .map_err(|fault| not_pinned(*kind, &path, fault))?;
    }
    record.progress = Progress::Made;
    locked.write(record)
}

fn not_pinned(kind: Kind, path: &Path, fault: Fault) -> Error {
    match (kind, fault.call, fault.errno) {
        (Kind::Mnt, Call::OpenTree | Call::MoveMount, errno @ (Errno::INVAL | Errno::LOOP)) => Error::Asked {
            what: "--mount".to_owned(),
            reason: format!("this mount namespace cannot be kept at a file here: {}", Errname(errno)),
            hint: Some(mount_namespace().to_owned()),
        },
        _ => Error::File("mount the namespace on", path.display().to_string(), fault.errno),
    }
}
