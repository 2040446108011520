//! `insula cgroup`: control groups, cgroups(7), by name, on every kind of machine alike.

mod act;
mod error;
mod exec;
mod flags;
mod limits;
mod list;
mod owner;
mod show;
mod units;

use crate::parse::parse;
use crate::planned::{NoPlan, Planned};
use crate::tell;
use error::Error;
use std::ffi::OsString;
use std::process::ExitCode;

/// One verb.
struct Verb {
    name: &'static str,
    /// Built only for the verb that was called, or for the manuals.
    flags: fn() -> clap::Command,
    go: fn(&clap::ArgMatches) -> Result<ExitCode, Error>,
}

const VERBS: &[Verb] = &[
    Verb { name: "new", flags: flags::new, go: act::new },
    Verb { name: "set", flags: flags::set, go: act::set },
    Verb { name: "exec", flags: flags::exec, go: exec::exec },
    Verb { name: "join", flags: flags::join, go: act::join },
    Verb { name: "show", flags: flags::show, go: show::show },
    Verb { name: "ls", flags: flags::ls, go: list::ls },
    Verb { name: "freeze", flags: flags::freeze, go: act::freeze },
    Verb { name: "thaw", flags: flags::thaw, go: act::thaw },
    Verb { name: "kill", flags: flags::kill, go: act::kill },
    Verb { name: "rm", flags: flags::rm, go: act::rm },
];

/// The whole table, for help, manuals and completions.
pub fn command() -> clap::Command {
    let root = clap::Command::new("cgroup")
        .about("Make control groups by name: limit, join, show, freeze, kill, remove")
        .bin_name("insula cgroup")
        .disable_help_subcommand(true)
        .subcommand_required(true)
        .arg_required_else_help(false);
    VERBS.iter().fold(root, |root, verb| root.subcommand((verb.flags)()))
}

/// Do these words have a plan? Those of `exec` have.
pub fn has_plan(rest: &[OsString]) -> bool {
    rest.first().is_some_and(|verb| verb == "exec")
}

/// The plan of `exec`, not performed.
pub fn planned(rest: &[OsString]) -> Result<Planned, NoPlan> {
    let words = rest.get(1..).unwrap_or_default().to_vec();
    let matches = parse(flags::exec(), words).map_err(|_| NoPlan::Words)?;
    exec::planned(&matches).map_err(|error| {
        tell::error(&error.to_string(), error.hint().as_deref(), tell::FAILED);
        NoPlan::Refused
    })
}

/// `insula cgroup VERB WORDS…`.
pub fn go(rest: Vec<OsString>) -> ExitCode {
    let called = rest.first().and_then(|word| VERBS.iter().find(|verb| word == verb.name));
    let Some(verb) = called else {
        return match parse(command(), rest) {
            Ok(_) => ExitCode::SUCCESS,
            Err(code) => code,
        };
    };
    let matches = match parse((verb.flags)(), rest.into_iter().skip(1).collect()) {
        Ok(matches) => matches,
        Err(code) => return code,
    };
    (verb.go)(&matches).unwrap_or_else(|error| {
        tell::refusal(&error.to_string(), error.cause().as_ref(), error.hint().as_deref(), tell::FAILED)
    })
}
