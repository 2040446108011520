//! `kill`: a signal to a container (runtime.md, "Kill").

use super::cgroup;
use super::directory::Directory;
use super::error::Error;
use super::status::{Found, status};
use insula_cgroup::{kill_all, signal, thaw};
use insula_oci::Status;
use insula_sys::signal::pidfd_send_signal;
use rustix::fd::AsFd;
use rustix::io::Errno;
use std::time::Duration;

/// How long the end of all processes of a group is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Sends `number` to the first process, or with `all` to every process of the container.
pub fn kill(directory: &Directory, number: i32, all: bool) -> Result<(), Error> {
    let found = status(directory)?;
    if all {
        return everyone(&found, number);
    }
    if matches!(found.status, Status::Stopped | Status::Creating) {
        return Err(Error::Gone(found.record.id));
    }
    // Where the pids are another's, the end of the first process ends nobody else: as runc, all are killed.
    if number == libc::SIGKILL && !found.record.own_pids {
        return everyone(&found, number);
    }
    send(&found, number)
}

/// To the first process.
pub(super) fn send(found: &Found, number: i32) -> Result<(), Error> {
    let pidfd = found.pidfd()?;
    pidfd_send_signal(pidfd.as_fd(), number).map_err(|error| match Errno::from_io_error(&error) {
        Some(Errno::SRCH) => Error::Gone(found.record.id.clone()),
        errno => Error::Signal(number, errno.unwrap_or(Errno::IO)),
    })?;
    // What is frozen hears of its death only when it is thawed (version 1; version 2 kills frozen processes).
    if number == libc::SIGKILL
        && found.status == Status::Paused
        && let Some(group) = cgroup::open(&found.record)?
    {
        thaw(&group, PATIENCE).map_err(Error::Cgroup)?;
    }
    Ok(())
}

/// To all processes of its group, and to its first process where it has none.
fn everyone(found: &Found, number: i32) -> Result<(), Error> {
    match cgroup::open(&found.record)? {
        Some(group) if number == libc::SIGKILL => kill_all(&group, PATIENCE).map_err(Error::Cgroup),
        Some(group) => signal(&group, number).map(drop).map_err(Error::Cgroup),
        None => send(found, number),
    }
}
