//! `insula run`: from words to a [`Request`](request::Request), and from that to an OCI [`Spec`](insula_oci::Spec).

pub mod caps;
pub mod device;
pub mod duration;
pub mod env;
pub mod error;
pub mod flags;
mod joined;
pub mod mount;
pub mod name;
pub mod namespace;
pub mod path;
pub mod request;
pub mod resolve;
pub mod root;
pub mod seccomp;
pub mod security;
pub mod spec;
pub mod sysctl;
pub mod time_offset;
pub mod tmpfs;
pub mod ulimit;
pub mod user;
pub mod volume;

use crate::parse::parse;
use crate::planned::{NoPlan, Planned};
use crate::tell;
use insula_launch::host::Host;
use insula_launch::journal::Error as JournalError;
use insula_oci::{Spec, annotation};
use insula_runtime::compile::{Attachment, Compiled, Life, compile};
use insula_runtime::container::shield::before_create;
use insula_runtime::enter;
use insula_runtime::error::Error as RuntimeError;
use insula_runtime::explain;
use insula_runtime::foreground::{Ended, Foreground, Signals, check_tty};
use insula_runtime::named;
use request::{Explain, Request};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{FlockOperation, Mode, OFlags, flock, mkdir, open};
use rustix::io::Errno;
use std::ffi::OsString;
use std::process::ExitCode;

/// `insula run WORDS…`.
pub fn go(rest: Vec<OsString>) -> ExitCode {
    let command = flags::command();
    let arguments = rest.clone();
    let matches = match parse(command, rest) {
        Ok(matches) => matches,
        Err(code) => return code,
    };
    let dashed = flags::is_dashed(&matches, &arguments);
    let request = match Request::from_matches(&matches, dashed) {
        Ok(request) => request,
        Err(error) => return tell::error(&error.to_string(), None, tell::FAILED),
    };
    let host = Host::new();
    match attempt(&request, &host) {
        Err(error) if may_try_identity(&request, &host, &error) => {
            // The failed attempt has left nothing, so that a second one is a first one.
            tell::warn(
                "ids are not shifted: a file system here cannot translate them; root inside is root's id outside",
            );
            let mut request = request;
            request.namespaces.user = namespace::UserNs::Identity;
            attempt(&request, &host).unwrap_or_else(|error| failed(&error))
        }
        done => done.unwrap_or_else(|error| failed(&error)),
    }
}

/// Was it that a file system cannot translate ids, where nobody asked for translation?
fn may_try_identity(request: &Request, host: &Host, error: &RuntimeError) -> bool {
    let RuntimeError::Launch(failure) = error else { return false };
    request.namespaces.user == namespace::UserNs::Auto && host.ids().may_map_any() && failure.refuses_idmap()
}

/// The plan of these words, not performed.
pub fn planned(rest: Vec<OsString>) -> Result<Planned, NoPlan> {
    let arguments = rest.clone();
    let matches = parse(flags::command(), rest).map_err(|_| NoPlan::Words)?;
    let dashed = flags::is_dashed(&matches, &arguments);
    let words = |text: &str, hint: Option<&str>| {
        tell::error(text, hint, tell::FAILED);
        NoPlan::Words
    };
    let request = Request::from_matches(&matches, dashed).map_err(|error| words(&error.to_string(), None))?;
    let host = Host::new();
    // What is held stays open until the plan's own descriptors are.
    let (mut spec, _held) =
        resolve::spec(&request, &host).map_err(|error| words(&error.to_string(), error.hint().as_deref()))?;
    let mut besides = Vec::new();
    if let Some(keep) = spec.annotations.remove(annotation::KEEP) {
        besides.push(format!("keep what is written in `{keep}`: here it is kept in memory"));
    }
    if let Some(name) = &request.name {
        besides.push(format!("write down the container's name `{name}`"));
    }
    let refused = |error: RuntimeError| {
        failed(&error);
        NoPlan::Refused
    };
    let compiled =
        compile(&spec, &host, &attachment(&request)).map_err(RuntimeError::Invalid).map_err(refused)?;
    let kit = enter::kit(&compiled).map_err(refused)?;
    Ok(Planned { plan: compiled.plan, kit, besides })
}

/// How the process is attached to this one.
fn attachment(request: &Request) -> Attachment {
    Attachment {
        null_stdin: !request.interactive && !request.tty,
        die_with_parent: true,
        cwd_is_default: request.workdir.is_none(),
        preserve_fds: 0,
        ..Attachment::default()
    }
}

/// Resolves the request, then prints, explains or performs it.
fn attempt(request: &Request, host: &Host) -> Result<ExitCode, RuntimeError> {
    // What is held stays open until the end of this function.
    let (spec, _held) = match resolve::spec(request, host) {
        Ok(resolved) => resolved,
        Err(error) => return Ok(tell::error(&error.to_string(), error.hint().as_deref(), tell::FAILED)),
    };
    if request.print_config {
        return Ok(match serde_json::to_string_pretty(&spec) {
            Ok(text) => tell::out(&(text + "\n")),
            Err(error) => tell::error(&error.to_string(), None, tell::FAILED),
        });
    }
    perform(request, &spec, host)
}

/// Compiles and performs, or explains.
fn perform(request: &Request, spec: &Spec, host: &Host) -> Result<ExitCode, RuntimeError> {
    let compiled = compile(spec, host, &attachment(request)).map_err(RuntimeError::Invalid)?;
    match request.explain {
        Some(Explain::Text) => return Ok(tell::out(&explain::text(&compiled.plan))),
        Some(Explain::Json) => return Ok(tell::out(&explain::json(&compiled.plan))),
        None => {}
    }
    before_create(spec, Life::Foreground).map_err(RuntimeError::Launch)?;
    check_tty(request.interactive, request.tty).map_err(RuntimeError::Watch)?;
    tell::leave(match watch(request, spec, &compiled)? {
        Ended::Exited(code) => code,
        Ended::Signaled(signal) => tell::SIGNALED.saturating_add(u8::try_from(signal).unwrap_or(0)),
        Ended::TimedOut => tell::TIMED_OUT,
    })
}

/// Launches, and watches until the end.
fn watch(request: &Request, spec: &Spec, compiled: &Compiled) -> Result<Ended, RuntimeError> {
    // What commands that were killed have left is undone first; what resists is told, and stands in nobody's way.
    for error in named::sweep() {
        tell::warn(&insula_oci::escaped(&error.to_string()).to_string());
    }
    let _keep = spec.annotations.get(annotation::KEEP).map(|keep| hold_keep(keep)).transpose()?;
    let name = request.name.as_deref().map(named::Named::take).transpose().map_err(RuntimeError::Journal)?;
    let signals = Signals::block().map_err(RuntimeError::Watch)?;
    let mut running = enter::launch(compiled)?;
    if let Some(name) = &name {
        name.record(running.pid).map_err(RuntimeError::Journal)?;
    }
    let console = compiled.console.and_then(|slot| running.kit.take(slot));
    let foreground = Foreground {
        child: running.pidfd.as_fd(),
        console,
        interactive: request.interactive,
        stop_signal: request.stop_signal,
        stop_timeout: request.stop_timeout,
        timeout: request.timeout,
    };
    let ended = foreground.watch(signals).map_err(RuntimeError::Watch)?;
    for error in name.map_or_else(Vec::new, named::Named::end) {
        tell::warn(&insula_oci::escaped(&error.to_string()).to_string());
    }
    Ok(ended)
}

/// Makes the directory of `--keep`, if its parent is there, and holds it: two overlays that write to one upper layer
/// destroy each other's changes.
fn hold_keep(path: &str) -> Result<OwnedFd, RuntimeError> {
    let failed = |what| move |errno| RuntimeError::Journal(JournalError::File(what, path.to_owned(), errno));
    match mkdir(path, Mode::from_raw_mode(0o755)) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(errno) => return Err(failed("make the directory")(errno)),
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = open(path, flags, Mode::empty()).map_err(failed("open the directory"))?;
    match flock(&directory, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(directory),
        Err(Errno::WOULDBLOCK) => Err(RuntimeError::Journal(JournalError::Taken(path.to_owned()))),
        Err(errno) => Err(failed("lock")(errno)),
    }
}

fn failed(error: &RuntimeError) -> ExitCode {
    let code = match enter::program_fault(error).map(|fault| fault.errno) {
        Some(Errno::NOENT | Errno::NOTDIR) => tell::NOT_FOUND,
        Some(_) => tell::NOT_EXECUTABLE,
        None => tell::FAILED,
    };
    tell::refusal(&error.to_string(), error.cause(), error.hint().as_deref(), code)
}

/// Is this spec a view of the machine's own root?
pub fn is_host_view(spec: &Spec) -> bool {
    spec.annotations.get(annotation::ROOT).is_some_and(|root| root == annotation::ROOT_HOST)
}
