//! `start`: the program of a container that is made (runtime.md, "Start").

use super::bundle::Bundle;
use super::create::{Request, attachment, hooks};
use super::directory::Directory;
use super::error::Error;
use super::record::Record;
use super::status::{Found, status};
use crate::compile::{CgroupPlace, Life, compile};
use crate::hooks::{run_each, state_file};
use insula_launch::host::Host;
use insula_launch::late::{self, Answer};
use insula_oci::Status;
use rustix::fd::AsFd;

/// Starts it. The directory is locked by the caller.
pub fn start(directory: &Directory) -> Result<(), Error> {
    let found = status(directory)?;
    match found.status {
        Status::Created => {}
        status => {
            let words = match status {
                Status::Stopped => "cannot start a container that has stopped",
                _ => "cannot start an already running container",
            };
            return Err(Error::Status { id: found.record.id, status, words });
        }
    }
    let gone = || Error::Gone(found.record.id.clone());
    let answer = directory.answer()?.ok_or_else(gone)?;
    let go = directory.go()?.ok_or_else(gone)?;
    let heard = late::start(go.as_fd(), answer.as_fd())
        .map_err(|errno| Error::File("start", found.record.id.clone(), errno))?;
    if heard != Answer::Executed {
        return Err(worded(directory, &found.record, heard));
    }
    poststart(directory, &found)
}

/// The failure in the words of the plan, compiled again from what was kept.
fn worded(directory: &Directory, record: &Record, answer: Answer) -> Error {
    let failure =
        directory.config().and_then(|bytes| Bundle::kept(&record.bundle, bytes)).and_then(|bundle| {
            let place = |name: &str| CgroupPlace { name: name.to_owned(), doors: 0, mounts: Vec::new() };
            let cgroup = record.cgroup.as_ref().map(|group| place(&group.name));
            let attachment = attachment(record, &Request::default(), Life::Create, cgroup);
            let compiled = compile(&bundle.spec, &Host::new(), &attachment).map_err(Error::Invalid)?;
            Ok(late::failure(&compiled.plan, answer))
        });
    match failure {
        Ok(Some(failure)) => Error::Launch(Box::new(failure)),
        Ok(None) => Error::Gone(record.id.clone()),
        Err(error) => error,
    }
}

/// The hooks behind the start. One that fails fails the start, and the container is killed (runtime.md, "Lifecycle", 9).
pub fn poststart(directory: &Directory, found: &Found) -> Result<(), Error> {
    if !found.record.has_poststart {
        return Ok(());
    }
    let bundle = Bundle::kept(&found.record.bundle, directory.config()?)?;
    let hooks = hooks(&bundle).poststart;
    if hooks.is_empty() {
        return Ok(());
    }
    let mut state = found.state();
    state.status = Status::Running;
    // It may be over by now, which the hooks are not to see: for them the container has just been started.
    state.pid = found.record.process.map(|process| process.pid);
    let done = state_file(&state).and_then(|file| run_each("poststart", &hooks, &file));
    done.inspect_err(|_| {
        if let Ok(pidfd) = found.pidfd() {
            let _ = insula_sys::signal::pidfd_send_signal(pidfd.as_fd(), libc::SIGKILL);
        }
    })
}
