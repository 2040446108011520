//! Signals to all of a group, and never to a stranger.
//!
//! Version 2 kills all at once (`cgroup.kill`, Linux 5.14). Elsewhere the group is frozen, so that nothing is forked
//! meanwhile, each process is opened by pidfd_open(2), the list of processes is read once more, and only who is still in
//! it gets the signal: a pid that was given to another process in between is not in the group, or is one of its own.

use crate::directory::Directory;
use crate::error::Error;
use crate::freeze::{event, freeze, thaw};
use crate::group::{Group, Place, not_ours};
use crate::members::{directories, members, processes};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::thread::sleep;
use std::time::{Duration, Instant};

const SIGKILL: i32 = 9;

/// How many processes are held open at a time.
const AT_A_TIME: usize = 128;

/// How long a group is frozen for at most while it is killed: a process that does not stop need not keep the others alive.
const FREEZE: Duration = Duration::from_millis(200);

/// From one pass to the next.
const PAUSE: Duration = Duration::from_millis(2);

/// Kills all processes of the group and below it, and waits until none is left.
pub fn kill_all(group: &Group, patience: Duration) -> Result<(), Error> {
    let end = Instant::now() + patience;
    loop {
        let by_kernel =
            group.unified().is_some_and(|place| place.directory.write("cgroup.kill", "1").is_ok());
        // What version 2 has killed is gone in a moment; what is left is in version 1 alone, or this is an old kernel.
        if by_kernel {
            settle(group, end.min(Instant::now() + FREEZE))?;
        }
        if is_empty(group)? {
            return Ok(());
        }
        let own = i32::try_from(std::process::id()).unwrap_or(0);
        // Frozen by someone, version 1's processes would die only when thawed; and we would not come back ourselves.
        let frozen = members(group)?.iter().all(|member| member.pid != own) && freeze(group, FREEZE).is_ok();
        let sent = send(group, SIGKILL);
        if frozen || group.place("freezer").is_some() {
            let _ = thaw(group, FREEZE);
            thaw_v1(group);
        }
        sent?;
        if settle(group, end.min(Instant::now() + PAUSE))? {
            return Ok(());
        }
        if Instant::now() >= end {
            let left =
                members(group)?.iter().map(|member| member.pid.to_string()).collect::<Vec<_>>().join(", ");
            let path =
                group.places().first().map_or_else(String::new, |place| place.directory.shown().to_owned());
            let seen = format!("after {} ms still there: {left}", patience.as_millis());
            return Err(Error::TimedOut { doing: "kill", path, seen });
        }
    }
}

/// Sends a signal to every process in the group and below it, once; how many got it. Those forked meanwhile may miss it.
pub fn signal(group: &Group, signal: i32) -> Result<usize, Error> {
    send(group, signal)
}

/// On a hybrid machine a group may be frozen by version 1 too, by others.
fn thaw_v1(group: &Group) {
    if let Some(place) = group.place("freezer") {
        for (_, directory) in directories(&place.directory).unwrap_or_default() {
            let _ = directory.write("freezer.state", "THAWED");
        }
    }
}

/// Whether the group has no process in any hierarchy. In version 2 the kernel knows of those that we cannot see as well.
fn is_empty(group: &Group) -> Result<bool, Error> {
    let populated = group.unified().and_then(|place| event(place, "populated"));
    Ok(populated != Some(true) && members(group)?.is_empty())
}

/// Waits until the group is empty, or the time has come; which of them.
fn settle(group: &Group, end: Instant) -> Result<bool, Error> {
    let mut pause = Duration::from_micros(100);
    loop {
        if is_empty(group)? {
            return Ok(true);
        }
        if Instant::now() >= end {
            return Ok(false);
        }
        sleep(pause);
        pause = (pause * 2).min(PAUSE);
    }
}

/// One pass over all directories. A process is in each hierarchy, and gets the signal once.
fn send(group: &Group, signal: i32) -> Result<usize, Error> {
    let mut done: Vec<i32> = Vec::new();
    let mut first = None;
    for place in group.places() {
        for (_, directory) in directories(&place.directory)? {
            let new: Vec<i32> =
                processes(&directory)?.into_iter().filter(|pid| *pid > 0 && !done.contains(pid)).collect();
            for pids in new.chunks(AT_A_TIME) {
                match send_to(place, &directory, pids, signal) {
                    Ok(sent) => done.extend(sent),
                    Err(error) => first = first.or(Some(error)),
                }
            }
        }
    }
    match first {
        Some(error) => Err(error),
        None => Ok(done.len()),
    }
}

/// Opens them, sees that they are still here, and sends.
fn send_to(place: &Place, directory: &Directory, pids: &[i32], signal: i32) -> Result<Vec<i32>, Error> {
    let failed = |doing, pid: i32, errno| {
        let path = format!("{pid}");
        let cause = if errno == Errno::PERM { not_ours(&place.directory) } else { None };
        Error::Call { doing, path, errno, cause }
    };
    let mut open: Vec<(i32, OwnedFd)> = Vec::new();
    for pid in pids {
        let Some(process) = Pid::from_raw(*pid) else { continue };
        match pidfd_open(process, PidfdFlags::empty()) {
            Ok(pidfd) => open.push((*pid, pidfd)),
            // It has ended; EINVAL is a thread that is no process's first.
            Err(Errno::SRCH | Errno::INVAL) => {}
            Err(errno) => return Err(failed("open the process", *pid, errno)),
        }
    }
    let still = processes(directory)?;
    let mut sent = Vec::new();
    for (pid, pidfd) in open.iter().filter(|(pid, _)| still.contains(pid)) {
        match insula_sys::signal::pidfd_send_signal(pidfd.as_fd(), signal) {
            Ok(()) => sent.push(*pid),
            Err(error) => match Errno::from_io_error(&error) {
                Some(Errno::SRCH) => {}
                errno => return Err(failed("signal the process", *pid, errno.unwrap_or(Errno::IO))),
            },
        }
    }
    Ok(sent)
}
