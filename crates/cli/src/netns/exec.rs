//! `exec`: this process becomes the program in the namespace; with `-all`, or in a batch, a child of it does.

use super::fault::{Fault, code};
use super::options::{Explain, Options};
use crate::planned::Planned;
use crate::tell;
use insula_launch::perform::perform;
use insula_namespaces::netns::directory;
use insula_namespaces::netns::exec::{Request, compile, prepare};
use insula_namespaces::netns::view::View;
use insula_oci::escaped;
use insula_runtime::explain;
use insula_sys::birth::{exit_now, fork};
use insula_sys::signal;
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::{Errno, fcntl_dupfd_cloexec};
use rustix::process::{Signal, WaitId, WaitIdOptions, waitid};
use std::convert::Infallible;
use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// `exec NAME cmd…`, or with `-all` `exec cmd…`. Returns only if the program was not started in this process.
pub fn exec(words: &[OsString], options: &Options, in_batch: bool) -> Result<(), Fault> {
    let missing = |what| Fault::failed(format!("`exec`: {what} is missing"), "`exec NAME PROGRAM [ARG…]`");
    if options.all {
        let [_, ..] = words else { return Err(missing("a program")) };
        return for_all(words, options);
    }
    let [name, words @ ..] = words else { return Err(missing("a name")) };
    let [_, ..] = words else { return Err(missing("a program")) };
    if let Some(how) = options.explain {
        return shown(name, words, options, how);
    }
    if !in_batch {
        return Err(become_program(name, words, options));
    }
    match in_child(name, words, options)? {
        0 => Ok(()),
        code => Err(Fault::quiet(code)),
    }
}

/// In each namespace, one after the other, whatever the program says of it.
fn for_all(words: &[OsString], options: &Options) -> Result<(), Fault> {
    let mut worst = Ok(());
    for name in directory::names()?.unwrap_or_default() {
        tell::out(&format!("\nnetns: {}\n", escaped(&name.to_string_lossy())));
        if let Some(how) = options.explain {
            shown(&name, words, options, how)?;
        } else if let Err(fault) = in_child(&name, words, options) {
            // As with `ip` only a program that a signal has ended counts as a failure; the next is started all the same.
            fault.tell();
            worst = Err(Fault::quiet(code::FAILED));
        }
    }
    worst
}

/// Prints what would be done.
fn shown(name: &OsStr, words: &[OsString], options: &Options, how: Explain) -> Result<(), Fault> {
    drop(directory::open_named(name).map_err(|error| Fault::of(&error).with(code::WRONG))?);
    let (plan, _) = compile(request(name, words, options)?).ok_or_else(no_program)?;
    tell::out(&match how {
        Explain::Text => explain::text(&plan),
        Explain::Json => explain::json(&plan),
    });
    Ok(())
}

/// Becomes the program; returns why it could not.
fn become_program(name: &OsStr, words: &[OsString], options: &Options) -> Fault {
    let performed = request(name, words, options).and_then(|request| {
        let (plan, opens) = compile(request).ok_or_else(no_program)?;
        let kit =
            prepare(&plan, &opens, standard_error).map_err(|error| Fault::of(&error).with(code::WRONG))?;
        match perform(&plan, kit) {
            // The plan has no fork.
            Ok(_) => Ok(()),
            // ip(8) has 1 for a program that is not there, 255 for a namespace that cannot be entered.
            Err(failure) => {
                let code = if failure.of_program().is_some() { code::FAILED } else { code::WRONG };
                Err(Fault::of(&failure.into()).with(code))
            }
        }
    });
    match performed {
        Err(fault) => fault,
        Ok(()) => Fault::quiet(code::WRONG),
    }
}

/// The plan of `exec NAME cmd…`, not performed.
pub fn planned(words: &[OsString], options: &Options) -> Result<Planned, Fault> {
    let [name, words @ ..] = words else {
        return Err(Fault::failed("`exec`: a name is missing", "`exec NAME PROGRAM [ARG…]`"));
    };
    let (plan, opens) = compile(request(name, words, options)?).ok_or_else(no_program)?;
    let kit = prepare(&plan, &opens, standard_error).map_err(|error| Fault::of(&error))?;
    Ok(Planned { plan, kit, besides: Vec::new() })
}

/// A child becomes the program; its exit code.
fn in_child(name: &OsStr, words: &[OsString], options: &Options) -> Result<u8, Fault> {
    let failed = |what: &str, errno: Errno| {
        let error = std::io::Error::from(errno);
        Fault::failed(format!("{what}: {error}"), "the limit of processes may be reached (`ulimit -u`)")
    };
    // Ignored by our caller, it would make the kernel reap the child before we have waited for it.
    signal::set_default(Signal::CHILD.as_raw())
        .map_err(|error| failed("hear of children", Errno::from_io_error(&error).unwrap_or(Errno::INVAL)))?;
    let born = fork(|| -> Infallible {
        become_program(name, words, options).tell();
        exit_now(code::FAILED.into())
    });
    let born = born.map_err(|errno| failed("fork", errno))?;
    loop {
        match waitid(WaitId::PidFd(born.pidfd.as_fd()), WaitIdOptions::EXITED) {
            Err(Errno::INTR) | Ok(None) => {}
            Err(errno) => return Err(failed("wait for the program", errno)),
            Ok(Some(status)) => {
                if let Some(code) = status.exit_status() {
                    return Ok(u8::try_from(code & 0xff).unwrap_or(code::FAILED));
                }
                let signal = status.terminating_signal().unwrap_or_default();
                let message = format!("`{}` was ended by signal {signal}", words[0].to_string_lossy());
                return Err(Fault::bare(message, code::FAILED));
            }
        }
    }
}

fn request(name: &OsStr, words: &[OsString], options: &Options) -> Result<Request, Fault> {
    let names = options.netns.iter().map(OsString::as_os_str).chain([name]);
    let environment = std::env::vars_os().filter_map(|(key, value)| {
        let mut pair = key.into_vec();
        pair.push(b'=');
        pair.extend(value.as_bytes());
        CString::new(pair).ok()
    });
    let program = words.iter().map(|word| CString::new(word.as_bytes()));
    Ok(Request {
        views: names.map(View::of).collect(),
        words: program.collect::<Result<_, _>>().map_err(|_| no_program())?,
        environment: environment.collect(),
        path: std::env::var_os("PATH").and_then(|path| CString::new(path.into_vec()).ok()),
        called: tell::name(),
    })
}

/// Where a step may complain: our standard error.
fn standard_error() -> Option<OwnedFd> {
    fcntl_dupfd_cloexec(rustix::stdio::stderr(), 3).ok()
}

fn no_program() -> Fault {
    Fault::failed("`exec`: a word has a NUL byte", "no program can be given one")
}
