//! `insula netns`, the face of ip-netns(8), and the link `ip`, which has that one object.
//!
//! Options, abbreviations, output and exit codes are ip(8)'s, so that scripts go on as they are. Names are files in
//! /run/netns, which both tools share: [`insula_namespaces::netns`].

mod abbreviation;
mod batch;
mod exec;
mod fault;
pub mod flags;
mod json;
mod number;
mod object;
mod options;
mod show;
mod verbs;

use crate::planned::{NoPlan, Planned};
use crate::tell;
use fault::{Fault, code};
use insula_namespaces::netns::directory;
use insula_net::network::enter;
use options::{Options, Stop};
use rustix::fd::AsFd;
use std::ffi::OsString;
use std::process::ExitCode;

/// `netns [OPTIONS] [VERB WORDS…]`.
pub fn go(arguments: Vec<OsString>) -> ExitCode {
    called(arguments, flags::command, |words, options| verbs::run(words, options, false))
}

/// `ip [OPTIONS] OBJECT WORDS…`.
pub fn ip(arguments: Vec<OsString>) -> ExitCode {
    called(arguments, flags::ip_command, |words, options| match words {
        [] => Err(Fault::help(flags::IP_USAGE)),
        [object, words @ ..] => object::check(object).and_then(|()| verbs::run(words, options, false)),
    })
}

fn called(
    arguments: Vec<OsString>,
    manual: fn() -> clap::Command,
    go: fn(&[OsString], &Options) -> Result<(), Fault>,
) -> ExitCode {
    let done = match options::parse(arguments) {
        Err(Stop::Help) => return tell::out(&manual().render_help().to_string()),
        Err(Stop::Version) => {
            return tell::out(&format!("{} from insula {}\n", tell::name(), env!("CARGO_PKG_VERSION")));
        }
        Err(Stop::Wrong(fault)) => Err(fault),
        Ok((options, words)) => go_there(&options).and_then(|()| match &options.batch {
            Some(file) => batch::run(file, &options),
            None => go(&words, &options),
        }),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            fault.tell();
            ExitCode::from(fault.code)
        }
    }
}

/// The options and words of `exec` in one namespace, which has a plan; not those of another verb, or of many programs.
fn of_exec(arguments: Vec<OsString>) -> Option<(Options, Vec<OsString>)> {
    let (options, mut words) = options::parse(arguments).ok()?;
    let is_exec = words.first()?.to_str().is_some_and(|verb| abbreviation::abbreviates(verb, "exec"));
    words.remove(0);
    (is_exec && !options.all && options.batch.is_none()).then_some((options, words))
}

/// Do these words have a plan?
pub fn has_plan(arguments: &[OsString]) -> bool {
    of_exec(arguments.to_vec()).is_some()
}

/// The plan of `exec`, not performed.
pub fn planned(arguments: Vec<OsString>) -> Result<Planned, NoPlan> {
    let (options, words) = of_exec(arguments).ok_or(NoPlan::Words)?;
    exec::planned(&words, &options).map_err(|fault| {
        fault.tell();
        NoPlan::Refused
    })
}

/// `-netns NAME`: this process goes there, and stays there.
fn go_there(options: &Options) -> Result<(), Fault> {
    for name in &options.netns {
        let refused = |error| Fault::of(&error).with(code::WRONG);
        let file = directory::open_named(name).map_err(refused)?;
        enter(file.as_fd()).map_err(|errno| {
            let message = format!(
                "enter the network namespace `{}`: {}",
                name.to_string_lossy(),
                insula_launch::error::Named(errno)
            );
            let hint = "this wants CAP_SYS_ADMIN in the user namespace that owns it: be root, or its owner";
            Fault::wrong(message, hint)
        })?;
    }
    Ok(())
}
