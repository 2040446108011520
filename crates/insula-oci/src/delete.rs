//! `delete`: what is left of a container.

use crate::error::Error;
use crate::flags::{Flag, Given, Order};
use crate::global::Global;
use crate::tell;
use crate::verb::Verb;
use insula_runtime::container::delete::delete as take_away;
use insula_runtime::container::{Error as ContainerError, Id};
use std::process::ExitCode;

/// `delete`.
pub const VERB: Verb = Verb {
    name: "delete",
    about: "Delete what is left of a container that has ended",
    usage: "ID",
    flags: &[Flag::switch("force", "Kill it first; that there is none is no error").short('f')],
    order: Order::Anywhere,
    go: delete,
    failed: tell::FAILED,
};

fn delete(global: &Global, given: &Given) -> Result<ExitCode, Error> {
    let id = given.only("delete")?;
    let force = given.has("force");
    // With force a word that can be no id names no container either, as with runc.
    let missing = |error: &Error| force && matches!(error, Error::Container(ContainerError::NoContainer(_)));
    Id::parse(id)?;
    match global.lock(id).and_then(|directory| Ok(take_away(directory, force)?)) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) if missing(&error) => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error),
    }
}
