//! The verbs: one table, from which dispatch and help come.

use crate::error::Error;
use crate::flags::{self, Order};
use crate::global::{self, Global};
use crate::verb::Verb;
use crate::{
    check, checkpoint, create, delete, events, exec, features, kill, list, spec, start, state, tell, update,
};
use std::ffi::OsString;
use std::process::ExitCode;

const VERBS: &[Verb] = &[
    create::CREATE,
    create::RUN,
    start::VERB,
    state::VERB,
    kill::VERB,
    delete::VERB,
    exec::VERB,
    list::LIST,
    list::PS,
    start::PAUSE,
    start::RESUME,
    update::VERB,
    events::VERB,
    spec::VERB,
    check::VERB,
    checkpoint::CHECKPOINT,
    checkpoint::RESTORE,
    features::VERB,
];

/// The whole command line, without the name of the program.
pub fn go(words: Vec<OsString>) -> ExitCode {
    let given = match flags::parse(&[global::FLAGS], words, Order::StopAfter(1)) {
        Ok(given) => given,
        Err(error) => return failed(&error, tell::FAILED),
    };
    if given.has("version") {
        return tell::out(&version());
    }
    let (global, log) = match Global::read(&given) {
        Ok(both) => both,
        Err(error) => return failed(&error, tell::FAILED),
    };
    tell::log_to(log);
    let Some((name, rest)) =
        given.words.split_first().filter(|(name, _)| *name != "help" && !given.has("help"))
    else {
        return tell::out(&overview());
    };
    match VERBS.iter().find(|verb| verb.name == name) {
        Some(verb) => call(verb, &global, rest),
        None => failed(&Error::Verb(name.clone()), tell::FAILED),
    }
}

fn call(verb: &Verb, global: &Global, rest: &[String]) -> ExitCode {
    let words = rest.iter().map(OsString::from).collect();
    let given = match flags::parse(&[verb.flags], words, verb.order) {
        Ok(given) => given,
        Err(error) => return failed(&error, verb.failed),
    };
    if given.has("help") {
        return tell::out(&help(verb));
    }
    (verb.go)(global, &given).unwrap_or_else(|error| failed(&error, verb.failed))
}

fn failed(error: &Error, code: u8) -> ExitCode {
    tell::error(&error.to_string(), error.cause().as_deref(), error.hint().as_deref(), code)
}

fn version() -> String {
    format!("insula-oci version {}\nspec: {}\n", env!("CARGO_PKG_VERSION"), insula_oci::VERSION)
}

fn overview() -> String {
    let mut text = String::from(
        "insula-oci: containers by the specification of the Open Container Initiative\n\nUsage: insula-oci [FLAGS…] COMMAND [FLAGS…] [WORDS…]\n\nCommands:\n",
    );
    for verb in VERBS {
        text.push_str(&format!("  {:<12} {}\n", verb.name, verb.about));
    }
    text.push_str("\nFlags:\n");
    text.push_str(&flags::help(global::FLAGS));
    text.push_str("\n`insula-oci COMMAND --help` tells what a command takes.\n");
    text
}

fn help(verb: &Verb) -> String {
    format!(
        "{}\n\nUsage: insula-oci {} [FLAGS…] {}\n\nFlags:\n{}",
        verb.about,
        verb.name,
        verb.usage,
        flags::help(verb.flags)
    )
}
