//! Where a container is in its life, found by looking.

use super::directory::Directory;
use super::error::Error;
use super::record::{Process, Record};
use insula_launch::host::process::start_time;
use insula_launch::late;
use insula_oci::{State, Status};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

/// A container that was looked at.
#[derive(Debug)]
pub struct Found {
    /// Its record.
    pub record: Record,
    /// Where it is.
    pub status: Status,
}

impl Found {
    /// The answer to `state` (runtime.md, "State").
    pub fn state(&self) -> State {
        let pid = self.record.process.filter(|_| self.status != Status::Stopped).map(|process| process.pid);
        State {
            oci_version: self.record.oci_version.clone(),
            id: self.record.id.clone(),
            status: self.status,
            pid,
            bundle: self.record.bundle.clone(),
            annotations: self.record.annotations.clone(),
        }
    }

    /// The pidfd of its first process; whoever has the pid by now is not taken for it.
    pub fn pidfd(&self) -> Result<OwnedFd, Error> {
        let gone = || Error::Gone(self.record.id.clone());
        let process = self.record.process.ok_or_else(gone)?;
        let pid = Pid::from_raw(process.pid).ok_or_else(gone)?;
        let pidfd = match pidfd_open(pid, PidfdFlags::empty()) {
            Err(Errno::SRCH) => return Err(gone()),
            pidfd => {
                pidfd.map_err(|errno| Error::File("open the process", process.pid.to_string(), errno))?
            }
        };
        // Behind the open: the process of the descriptor is the one that was meant, or it ends here.
        if lives(process) { Ok(pidfd) } else { Err(gone()) }
    }
}

/// Looks at a container.
pub fn status(directory: &Directory) -> Result<Found, Error> {
    let Some(record) = directory.record()? else {
        return Err(Error::NoContainer(directory.id().to_string()));
    };
    let status = of(directory, &record)?;
    Ok(Found { record, status })
}

fn of(directory: &Directory, record: &Record) -> Result<Status, Error> {
    let Some(process) = record.process else {
        // Somebody is at it; or was, and is dead.
        let is_made = !record.is_of_another_boot() && directory.is_locked();
        return Ok(if is_made { Status::Creating } else { Status::Stopped });
    };
    if record.is_of_another_boot() || !lives(process) {
        return Ok(Status::Stopped);
    }
    if let Some(answer) = directory.answer()?
        && late::is_waiting(answer.as_fd()).map_err(|errno| Error::File("ask", "answer".to_owned(), errno))?
    {
        return Ok(Status::Created);
    }
    let is_frozen = record
        .cgroup
        .as_ref()
        .and_then(|group| group.freezer.as_deref())
        .is_some_and(super::cgroup::is_frozen);
    Ok(if is_frozen { Status::Paused } else { Status::Running })
}

/// Does this very process run, more than as a zombie?
pub(super) fn lives(process: Process) -> bool {
    start_time(process.pid) == Some(process.start)
}
