//! `insula ns`: namespaces with names, of any kind and in whole sets, and what can be asked about them.
//!
//! Each verb is a file or a directory of its own; this table is all that they share. A verb parses its own words, so that
//! `exec` pays for nothing that only `ls` needs.

mod asked;
mod attach;
mod diff;
mod exec;
mod gc;
mod holders;
mod kinds;
mod ls;
mod new;
mod pid;
mod pids;
mod reach;
mod rm;
mod say;
mod shape;
mod show;
mod watch;
mod words;

use crate::parse::parse;
use crate::planned::{NoPlan, Planned};
use std::ffi::OsString;
use std::process::ExitCode;

/// One verb.
struct Verb {
    name: &'static str,
    /// Built only for the verb that was called, or for the manuals.
    flags: fn() -> clap::Command,
    go: fn(Vec<OsString>) -> ExitCode,
}

const VERBS: &[Verb] = &[
    Verb { name: "diff", flags: diff::command, go: diff::go },
    Verb { name: "pid", flags: pid::command, go: pid::go },
    Verb { name: "reach", flags: reach::command, go: reach::go },
    Verb { name: "new", flags: new::flags::command, go: new::go },
    Verb { name: "attach", flags: attach::command, go: attach::go },
    Verb { name: "exec", flags: exec::flags::command, go: exec::go },
    Verb { name: "rm", flags: rm::command, go: rm::go },
    Verb { name: "gc", flags: gc::command, go: gc::go },
    Verb { name: "ls", flags: ls::flags, go: ls::go },
    Verb { name: "show", flags: show::flags, go: show::go },
    Verb { name: "pids", flags: pids::flags, go: pids::go },
    Verb { name: "holders", flags: holders::flags, go: holders::go },
    Verb { name: "watch", flags: watch::flags, go: watch::go },
];

/// The whole table, for help, manuals and completions.
pub fn command() -> clap::Command {
    let root = clap::Command::new("ns")
        .about("Name namespaces, enter them by name, and ask what they are")
        .bin_name("insula ns")
        .disable_help_subcommand(true)
        .subcommand_required(true)
        .arg_required_else_help(false);
    VERBS.iter().fold(root, |root, verb| root.subcommand((verb.flags)()))
}

/// `insula ns VERB WORDS…`.
pub fn go(rest: Vec<OsString>) -> ExitCode {
    let called = rest.first().and_then(|word| VERBS.iter().find(|verb| word == verb.name));
    match called {
        Some(verb) => (verb.go)(rest.into_iter().skip(1).collect()),
        None => match parse(command(), rest) {
            Ok(_) => ExitCode::SUCCESS,
            Err(code) => code,
        },
    }
}

/// Do these words have a plan that can be rehearsed?
pub fn has_plan(words: &[OsString]) -> bool {
    words.first().is_some_and(|verb| verb == "new" || verb == "exec")
}

/// The plan of `new` or `exec`, not performed.
pub fn planned(mut rest: Vec<OsString>) -> Result<Planned, NoPlan> {
    if !has_plan(&rest) {
        return Err(NoPlan::Words);
    }
    match rest.remove(0) {
        verb if verb == "new" => new::planned(rest),
        _ => exec::planned(rest),
    }
}
