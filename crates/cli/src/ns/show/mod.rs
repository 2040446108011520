//! `insula ns show`: what one namespace is, or each of a name or a process: identity, owner, names, members, and what its
//! kind can tell of itself.

mod json;
mod shown;
mod text;

use super::asked;
use crate::parse::parse;
use crate::tell;
use clap::{ArgMatches, Command};
use insula_namespaces::error::Error;
use insula_namespaces::names;
use insula_namespaces::scan::{self, Look};
use shown::Shown;
use std::ffi::OsString;
use std::process::ExitCode;

/// The definition.
pub fn flags() -> Command {
    asked::verb(
        "show",
        "Show what a namespace is: identity, owner, names, members, and what its kind can tell",
    )
    .arg(asked::subject())
    .arg(asked::kind())
    .arg(asked::json())
    .after_help(asked::WORDS)
}

/// `insula ns show WORDS…`.
pub fn go(rest: Vec<OsString>) -> ExitCode {
    match parse(flags(), rest) {
        Ok(matches) => show(&matches).unwrap_or_else(|error| asked::failed(&error)),
        Err(code) => code,
    }
}

fn show(matches: &ArgMatches) -> Result<ExitCode, Error> {
    let subject = asked::find(matches)?;
    let snapshot = scan::take(&Look { ids: true, ..Look::HOLDERS })?;
    // Whose store cannot be read has no names to tell, and all the rest to show.
    let names = names::all().unwrap_or_default();
    let all: Vec<Shown<'_>> = subject.parts.iter().map(|part| Shown::of(&snapshot, part, &names)).collect();
    if matches.get_flag("json") {
        let unseen = (snapshot.unseen, snapshot.seen);
        return Ok(tell::out(&format!("{:#}\n", json::of(&subject, &all, unseen))));
    }
    let code = tell::out(&text::of(&subject, &all));
    asked::note_unseen(&snapshot);
    Ok(code)
}
