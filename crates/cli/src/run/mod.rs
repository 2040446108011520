//! `insula run`: from words to a [`Request`](request::Request), and from that to an OCI [`Spec`](insula_oci::Spec).

pub mod caps;
pub mod device;
pub mod duration;
pub mod env;
pub mod error;
pub mod flags;
pub mod mount;
pub mod name;
pub mod namespace;
pub mod path;
pub mod request;
pub mod resolve;
pub mod root;
pub mod signal;
pub mod size;
pub mod spec;
pub mod sysctl;
pub mod time_offset;
pub mod tmpfs;
pub mod ulimit;
pub mod user;
pub mod volume;

use crate::{explain, tell, words};
use insula_launch::host::Host;
use insula_oci::{Spec, annotation};
use insula_runtime::compile::{Attachment, Compiled, compile};
use insula_runtime::enter;
use insula_runtime::error::Error as RuntimeError;
use insula_runtime::foreground::{Ended, Foreground, Signals, check_tty};
use request::{Explain, Request};
use rustix::fd::AsFd;
use rustix::io::Errno;
use std::ffi::OsString;
use std::process::ExitCode;

/// `insula run WORDS…`.
pub fn go(rest: Vec<OsString>) -> ExitCode {
    let command = flags::command();
    let arguments = rest.clone();
    let matches = match words::parse(command, rest) {
        Ok(matches) => matches,
        Err(code) => return code,
    };
    let dashed = flags::is_dashed(&matches, &arguments);
    let request = match Request::from_matches(&matches, dashed) {
        Ok(request) => request,
        Err(error) => return tell::error(&error.to_string(), None, tell::FAILED),
    };
    let host = Host::new();
    let spec = match resolve::spec(&request, &host) {
        Ok(spec) => spec,
        Err(error) => return tell::error(&error.to_string(), error.hint(), tell::FAILED),
    };
    if request.print_config {
        return match serde_json::to_string_pretty(&spec) {
            Ok(text) => tell::out(&(text + "\n")),
            Err(error) => tell::error(&error.to_string(), None, tell::FAILED),
        };
    }
    perform(&request, &spec, &host)
}

/// Compiles and performs, or explains.
fn perform(request: &Request, spec: &Spec, host: &Host) -> ExitCode {
    let attachment = Attachment {
        null_stdin: !request.interactive && !request.tty,
        die_with_parent: true,
        cwd_is_default: request.workdir.is_none(),
        preserve_fds: 0,
    };
    let compiled = match compile(spec, host, &attachment) {
        Ok(compiled) => compiled,
        Err(faults) => return failed(&RuntimeError::Invalid(faults)),
    };
    match request.explain {
        Some(Explain::Text) => return tell::out(&explain::text(&compiled.plan)),
        Some(Explain::Json) => return tell::out(&explain::json(&compiled.plan)),
        None => {}
    }
    if let Err(error) = check_tty(request.interactive, request.tty) {
        return tell::error(&error.to_string(), error.hint(), tell::FAILED);
    }
    match watch(request, &compiled) {
        Ok(Ended::Exited(code)) => ExitCode::from(code),
        Ok(Ended::Signaled(signal)) => {
            ExitCode::from(tell::SIGNALED.saturating_add(u8::try_from(signal).unwrap_or(0)))
        }
        Ok(Ended::TimedOut) => ExitCode::from(tell::TIMED_OUT),
        Err(error) => failed(&error),
    }
}

/// Launches, and watches until the end.
fn watch(request: &Request, compiled: &Compiled) -> Result<Ended, RuntimeError> {
    let signals = Signals::block().map_err(RuntimeError::Watch)?;
    let mut running = enter::launch(compiled)?;
    let console = compiled.console.and_then(|slot| running.kit.take(slot));
    let foreground = Foreground {
        child: running.pidfd.as_fd(),
        console,
        interactive: request.interactive,
        stop_signal: request.stop_signal,
        stop_timeout: request.stop_timeout,
        timeout: request.timeout,
    };
    foreground.watch(signals).map_err(RuntimeError::Watch)
}

fn failed(error: &RuntimeError) -> ExitCode {
    let code = match enter::program_fault(error).map(|fault| fault.errno) {
        Some(Errno::NOENT | Errno::NOTDIR) => tell::NOT_FOUND,
        Some(_) => tell::NOT_EXECUTABLE,
        None => tell::FAILED,
    };
    tell::error(&error.to_string(), error.hint().as_deref(), code)
}

/// Is this spec a view of the machine's own root?
pub fn is_host_view(spec: &Spec) -> bool {
    spec.annotations.get(annotation::ROOT).is_some_and(|root| root == annotation::ROOT_HOST)
}
