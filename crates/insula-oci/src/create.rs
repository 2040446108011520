//! `create`, and `run`: the same and `start` in one, watched until its end.

use crate::error::Error;
use crate::explain;
use crate::flags::{Flag, Given, Order};
use crate::global::Global;
use crate::tell;
use crate::verb::Verb;
use insula_runtime::compile::Life;
use insula_runtime::container::check::{check, explain as would};
use insula_runtime::container::create::{Created, Request, create as make};
use insula_runtime::container::{Error as Failed, Id, delete::delete, start::poststart};
use insula_runtime::foreground::{Ended, Foreground, Signals};
use rustix::fd::AsFd;
use std::process::ExitCode;
use std::time::Duration;

const BUNDLE: Flag = Flag::value("bundle", "DIR", "The bundle; without it, the working directory").short('b');
const CONFIG: Flag =
    Flag::value("config", "FILE", "Another configuration than the bundle's config.json (crun)").short('f');
const CONSOLE: Flag = Flag::value("console-socket", "SOCKET", "Send the terminal's other end there");
const NO_PIVOT: Flag = Flag::switch(
    "no-pivot",
    "Enter the root by chroot, where it lies on a ramdisk: the old root stays below",
);
const PIDFD: Flag = Flag::value("pidfd-socket", "SOCKET", "Send a descriptor of the process there");
const KEYRING: Flag = Flag::switch("no-new-keyring", "Keep the caller's session keyring");
const PID_FILE: Flag = Flag::value("pid-file", "FILE", "Write the process's id there");
const PRESERVE: Flag = Flag::value("preserve-fds", "N", "Let the program inherit N descriptors from 3 on");

/// `create`.
pub const CREATE: Verb = Verb {
    name: "create",
    about: "Make a container whose program waits for `start`",
    usage: "ID",
    flags: &[BUNDLE, CONFIG, CONSOLE, PIDFD, NO_PIVOT, KEYRING, PID_FILE, PRESERVE, explain::FLAG],
    order: Order::Anywhere,
    go: create,
    failed: tell::FAILED,
};

/// `run`.
pub const RUN: Verb = Verb {
    name: "run",
    about: "Make a container, start it, and wait for its end",
    usage: "ID",
    flags: &[
        BUNDLE,
        CONFIG,
        CONSOLE,
        Flag::switch("detach", "Do not wait").short('d'),
        Flag::switch("keep", "Do not delete it when it has ended"),
        PIDFD,
        NO_PIVOT,
        KEYRING,
        PID_FILE,
        PRESERVE,
        Flag::switch("no-subreaper", "Accepted: insula-oci never is the reaper of others"),
        explain::FLAG,
    ],
    order: Order::Anywhere,
    go: run,
    failed: tell::FAILED,
};

fn request(global: &Global, given: &Given) -> Result<Request, Error> {
    let no_pivot = given.has("no-pivot");
    if no_pivot {
        tell::warn(
            "--no-pivot: the old root stays below the container's; a program that may mount can come to it",
        );
    }
    if global.by_systemd {
        let reason = "this version makes control groups by the file system alone".to_owned();
        return Err(Error::Flag { flag: "--systemd-cgroup".to_owned(), reason });
    }
    let own = |flag: &str| given.value(flag).filter(|value| !value.is_empty()).map(str::to_owned);
    Ok(Request {
        bundle: own("bundle").unwrap_or_else(|| ".".to_owned()),
        config: own("config"),
        console_socket: own("console-socket"),
        pidfd_socket: own("pidfd-socket"),
        no_pivot,
        pid_file: own("pid-file"),
        preserve_fds: given.number("preserve-fds")?.unwrap_or(0),
        no_new_keyring: given.has("no-new-keyring"),
        ends_with_us: false,
    })
}

fn create(global: &Global, given: &Given) -> Result<ExitCode, Error> {
    let id = Id::parse(given.only("create")?)?;
    let request = request(global, given)?;
    if let Some(form) = explain::form(given)? {
        let compiled = would(&id, &request, Life::Create).map_err(|error| whole(error, &request))?;
        return Ok(explain::out(&compiled.plan, form));
    }
    let root = global.make_root()?;
    let made = make(&root, &id, &request, Life::Create).map_err(|error| whole(error, &request))?;
    no_terminal(&made)?;
    tell::leave(0)
}

/// A configuration's first wrong value is not all that is wrong with it.
fn whole(error: Failed, request: &Request) -> Failed {
    match error {
        Failed::Config(..) => match check(&request.bundle, request.config.as_deref()) {
            Ok(faults) if !faults.is_empty() => Failed::Invalid(faults),
            _ => error,
        },
        error => error,
    }
}

/// A terminal whose other end nobody was to be sent would hang up at once.
fn no_terminal(made: &Created) -> Result<(), Error> {
    match made.console {
        None => Ok(()),
        Some(_) => Err(Error::Flag {
            flag: "--console-socket".to_owned(),
            reason: "cannot allocate tty if runc will detach without setting console socket".to_owned(),
        }),
    }
}

fn run(global: &Global, given: &Given) -> Result<ExitCode, Error> {
    let id = Id::parse(given.only("run")?)?;
    let detach = given.has("detach");
    let request = Request { ends_with_us: false, ..request(global, given)? };
    if let Some(form) = explain::form(given)? {
        let compiled = would(&id, &request, Life::Run).map_err(|error| whole(error, &request))?;
        return Ok(explain::out(&compiled.plan, form));
    }
    let root = global.make_root()?;
    let signals = if detach { None } else { Some(Signals::block().map_err(Error::Watch)?) };
    let mut made = make(&root, &id, &request, Life::Run).map_err(|error| whole(error, &request))?;
    if made.record.has_poststart {
        poststart(&made.directory, &insula_runtime::container::status(&made.directory)?)?;
    }
    let Some(signals) = signals else {
        no_terminal(&made)?;
        tell::leave(0)
    };
    // Other commands may look at it and kill it while it runs.
    made.directory.unlock();
    let foreground = Foreground {
        child: made.running.pidfd.as_fd(),
        interactive: made.console.is_some(),
        console: made.console.take(),
        stop_signal: libc::SIGTERM,
        stop_timeout: Duration::MAX,
        timeout: None,
    };
    let ended = foreground.watch(signals).map_err(Error::Watch)?;
    if !given.has("keep") {
        // Somebody may have deleted it in the meantime.
        match global.lock(id.as_str()).and_then(|directory| Ok(delete(directory, true)?)) {
            Ok(()) | Err(Error::Container(insula_runtime::container::Error::NoContainer(_))) => {}
            Err(error) => tell::warn(&error.to_string()),
        }
    }
    tell::leave(match ended {
        Ended::Exited(code) => code,
        Ended::Signaled(signal) => 128u8.saturating_add(u8::try_from(signal).unwrap_or(0)),
        Ended::TimedOut => tell::FAILED,
    })
}
