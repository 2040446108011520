//! `exec`: another process in a container that runs.

use super::cgroup;
use super::create::{agent, send_console, send_pidfd, write_pid_file};
use super::directory::Directory;
use super::error::Error;
use super::shield;
use super::status::{Found, status};
use super::subgroups::Subgroups;
use crate::compile::{Attachment, CgroupPlace, Compiled, Entry, Life, compile_exec};
use crate::enter::{self, Doors};
use insula_launch::fault::{Call, Fault};
use insula_launch::host::Host;
use insula_launch::kit::Kit;
use insula_launch::perform::Running;
use insula_launch::plan::Kind;
use insula_launch::step::{Errand, OnCommit};
use insula_oci::{Process, Spec, Status};
use rustix::fd::OwnedFd;
use rustix::fs::stat;
use rustix::io::Errno;

/// What `exec` is asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The socket that is sent the terminal's other end.
    pub console_socket: Option<String>,
    /// The socket that is sent a descriptor of the process.
    pub pidfd_socket: Option<String>,
    /// Where the process's id is written.
    pub pid_file: Option<String>,
    /// Descriptors from 3 on that the program inherits.
    pub preserve_fds: u32,
    /// The groups below the container's own that it joins, which are there.
    pub subgroups: Subgroups,
    /// A paused container is joined too: the process runs when it is resumed.
    pub ignore_paused: bool,
}

/// A process that runs in the container.
#[derive(Debug)]
pub struct Joined {
    /// The process, our child.
    pub running: Running,
    /// The terminal's other end, if it has a terminal and nobody was to be sent it.
    pub console: Option<OwnedFd>,
}

/// The container that a process is to join, looked at: its configuration is what the process begins with. To be called
/// before anything is taken from standard input: this program may begin again in it (`shield`).
pub fn target(directory: &Directory, request: &Request) -> Result<(Found, Spec), Error> {
    let found = status(directory)?;
    match found.status {
        Status::Running | Status::Created => {}
        Status::Paused if request.ignore_paused => {}
        Status::Paused => {
            let words = "cannot exec in a paused container (use --ignore-paused to override)";
            return Err(Error::Status { id: found.record.id, status: Status::Paused, words });
        }
        status => {
            let words = "cannot exec in a stopped container";
            return Err(Error::Status { id: found.record.id, status, words });
        }
    }
    shield::before_exec(found.record.process.map_or(0, |process| process.pid))?;
    let bundle = super::bundle::Bundle::kept(&found.record.bundle, directory.config()?)?;
    Ok((found, bundle.spec))
}

/// Runs `process` in the container.
pub fn exec(found: &Found, spec: Spec, process: Process, request: &Request) -> Result<Joined, Error> {
    if found.status == Status::Created
        && shield::may_trace(&process)
        && !spec.process.as_ref().is_some_and(shield::may_trace)
    {
        // The process that waits there was not kept out of such a one's reach.
        let words = "cannot give CAP_SYS_PTRACE in a container that is not started";
        return Err(Error::Status { id: found.record.id.clone(), status: Status::Created, words });
    }
    // Held open while its files in /proc are: they are this process's, whoever has the pid next.
    let pidfd = found.pidfd()?;
    let (compiled, mut doors) = prepared(found, spec, process, request)?;
    doors.agent = agent(&compiled)?;
    let joined = launch(&compiled, doors, request)?;
    drop(pidfd);
    Ok(joined)
}

/// What [`exec`] would do: none of it is done.
pub fn explain(found: &Found, spec: Spec, process: Process, request: &Request) -> Result<Compiled, Error> {
    let pidfd = found.pidfd()?;
    let (compiled, _) = prepared(found, spec, process, request)?;
    drop(pidfd);
    Ok(compiled)
}

/// The plan, and what it needs open.
fn prepared(
    found: &Found,
    mut spec: Spec,
    process: Process,
    request: &Request,
) -> Result<(Compiled, Doors), Error> {
    spec.process = Some(process);
    let pid = found.record.process.map_or(0, |process| process.pid);
    let mut doors = Doors::default();
    let mut place = None;
    if let Some(group) = cgroup::open(&found.record)? {
        doors.cgroup = request.subgroups.doors(&group, pid)?;
        place = Some(CgroupPlace {
            name: group.name().to_string(),
            doors: doors.cgroup.len(),
            mounts: Vec::new(),
        });
    } else if !request.subgroups.is_own() {
        let reason = "the container has no control group".to_owned();
        return Err(Error::Subgroup(found.record.id.clone(), reason));
    }
    let attachment = Attachment {
        preserve_fds: request.preserve_fds,
        life: Life::Run,
        cgroup: place,
        state: Some(found.state()),
        ..Attachment::default()
    };
    let compiled = compile_exec(&spec, &Host::new(), &attachment, &entry(pid)?).map_err(Error::Invalid)?;
    Ok((compiled, doors))
}

/// Its namespaces that are not ours.
fn entry(pid: i32) -> Result<Entry, Error> {
    let mut entry = Entry::default();
    for kind in Kind::ALL {
        let path = format!("/proc/{pid}/ns/{}", kind.name());
        let theirs = match stat(path.as_str()) {
            // This kernel has no such kind.
            Err(Errno::NOENT) => continue,
            theirs => theirs.map_err(|errno| Error::Namespace { path: path.clone(), errno })?,
        };
        let ours = stat(format!("/proc/self/ns/{}", kind.name()).as_str())
            .map_err(|errno| Error::Namespace { path: path.clone(), errno })?;
        if (ours.st_dev, ours.st_ino) != (theirs.st_dev, theirs.st_ino) {
            entry.namespaces.push((kind, path));
        }
    }
    Ok(entry)
}

fn launch(compiled: &Compiled, doors: Doors, request: &Request) -> Result<Joined, Error> {
    let mut console = None;
    let mut refused = None;
    let mut commit = |_: Errand<'_>, kit: &mut Kit, pid: i32| {
        let sent = request.pidfd_socket.as_deref().map_or(Ok(()), |path| send_pidfd(path, pid, b"setns"));
        let write = |()| request.pid_file.as_deref().map_or(Ok(()), |path| write_pid_file(path, pid));
        let written = sent.and_then(write);
        console = compiled.console.and_then(|slot| kit.take(slot));
        let done = written.and_then(|()| match (&console, &request.console_socket) {
            (Some(master), Some(path)) => send_console(master, path),
            _ => Ok(()),
        });
        done.map_err(|error| {
            refused = Some(error);
            Fault { call: Call::Write, errno: Errno::CANCELED }
        })
    };
    let running = enter::launch_with(compiled, doors, Some(OnCommit(&mut commit)));
    match (running, refused) {
        (Ok(running), _) => {
            Ok(Joined { running, console: console.filter(|_| request.console_socket.is_none()) })
        }
        (Err(_), Some(refused)) => Err(refused),
        (Err(error), None) => Err(error.into()),
    }
}
