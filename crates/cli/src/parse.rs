//! Parses the words of one command, by its one definition.

use crate::tell;
use std::ffi::OsString;
use std::process::ExitCode;

/// The matches; `Err` is the exit code after help or an error was told.
pub fn parse(command: clap::Command, rest: Vec<OsString>) -> Result<clap::ArgMatches, ExitCode> {
    let words = std::iter::once(OsString::from("insula")).chain(rest);
    command.try_get_matches_from(words).map_err(|error| tell::clap(&error))
}
