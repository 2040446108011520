//! `delete`: what is left of a container (runtime.md, "Delete"). It works from the record alone, and goes on after an error.

use super::bundle::Bundle;
use super::cgroup;
use super::create::hooks;
use super::directory::Directory;
use super::error::Error;
use super::kill::PATIENCE;
use super::status::{Found, status};
use crate::hooks::{run_each, state_file};
use insula_cgroup::{Group, kill_all, remove, thaw};
use insula_oci::{State, Status};
use insula_sys::signal::pidfd_send_signal;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::AsFd;
use rustix::io::Errno;

/// Deletes it. `force` kills what still lives; without, only a container that has stopped, or was never started, goes.
pub fn delete(directory: Directory, force: bool) -> Result<(), Error> {
    let found = match status(&directory) {
        Ok(found) => found,
        // Killed before the record was written: there is nothing yet that it would name.
        Err(Error::NoContainer(_)) => return directory.remove(),
        Err(_) if force => return without_record(directory),
        Err(error) => return Err(error),
    };
    match found.status {
        Status::Stopped => {}
        // As runc does: who was never started is no loss.
        Status::Created => end(&found)?,
        _ if force => end(&found)?,
        status => {
            let words = "cannot delete container that is not stopped";
            return Err(Error::Status { id: found.record.id, status, words });
        }
    }
    let mut errors: Vec<Error> = remove_cgroup(&found).err().into_iter().collect();
    // A group that could not be removed has to be found by the next attempt.
    let keeps = !errors.is_empty();
    if found.record.has_poststop {
        errors.extend(poststop(&directory, &found.state()).err());
    }
    if !keeps {
        errors.extend(directory.remove().err());
    }
    match errors.len() {
        0 => Ok(()),
        1 => Err(errors.remove(0)),
        _ => Err(Error::Several(errors)),
    }
}

/// A record that cannot be read names nothing any more. What the kept configuration says of the group is as good: with the
/// group all processes end.
fn without_record(directory: Directory) -> Result<(), Error> {
    let spec = directory.config().and_then(|bytes| Bundle::kept("/", bytes)).map(|bundle| bundle.spec);
    let linux = spec.ok().and_then(|spec| spec.linux).unwrap_or_default();
    let name = cgroup::name(&linux, directory.id())?;
    empty(cgroup::open_named(&name)?)?;
    directory.remove()
}

/// Kills the first process, and waits for its end.
fn end(found: &Found) -> Result<(), Error> {
    let pidfd = match found.pidfd() {
        Err(Error::Gone(_)) => return Ok(()),
        pidfd => pidfd?,
    };
    match pidfd_send_signal(pidfd.as_fd(), libc::SIGKILL) {
        Ok(()) => {}
        Err(error) if Errno::from_io_error(&error) == Some(Errno::SRCH) => return Ok(()),
        Err(error) => {
            return Err(Error::Signal(libc::SIGKILL, Errno::from_io_error(&error).unwrap_or(Errno::IO)));
        }
    }
    if found.status == Status::Paused
        && let Some(group) = cgroup::open(&found.record)?
    {
        thaw(&group, PATIENCE).map_err(Error::Cgroup)?;
    }
    let patience = Timespec { tv_sec: i64::try_from(PATIENCE.as_secs()).unwrap_or(10), tv_nsec: 0 };
    match poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&patience)) {
        Ok(0) => Err(Error::Signal(libc::SIGKILL, Errno::TIMEDOUT)),
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(errno) => Err(Error::Signal(libc::SIGKILL, errno)),
    }
}

/// Kills what is left in the group, and removes it with all below it.
fn remove_cgroup(found: &Found) -> Result<(), Error> {
    if found.record.is_of_another_boot() {
        return Ok(());
    }
    empty(cgroup::remove_idle(&found.record)?)
}

fn empty(group: Option<Group>) -> Result<(), Error> {
    let Some(group) = group else { return Ok(()) };
    kill_all(&group, PATIENCE).map_err(Error::Cgroup)?;
    remove(&group, true, PATIENCE)
        .map_err(|errors| Error::Several(errors.into_iter().map(Error::Cgroup).collect()))
}

/// The hooks behind the end. Errors are told, and stop neither the others nor the removal (runtime.md, "Lifecycle", 13).
fn poststop(directory: &Directory, state: &State) -> Result<(), Error> {
    let bundle = Bundle::kept(&state.bundle, directory.config()?)?;
    let state = State { status: Status::Stopped, pid: None, ..state.clone() };
    let file = state_file(&state)?;
    let errors: Vec<Error> = hooks(&bundle)
        .poststop
        .iter()
        .filter_map(|hook| run_each("poststop", std::slice::from_ref(hook), &file).err())
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(Error::Several(errors)) }
}
