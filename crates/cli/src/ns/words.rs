//! What the verbs of `insula ns` share of their command lines: a name, values that are text, `--explain`, a failure.

use crate::face::given::Given;
use crate::tell;
use insula_namespaces::error::Error;
use insula_oci::escaped;
use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

/// How a plan is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text,
    /// As data.
    Json,
}

/// The one name that a verb takes.
pub fn one_name<'a>(words: &'a [OsString], verb: &str) -> Result<&'a str, Error> {
    match words {
        [name] => name_of(name),
        [] => Err(refused(verb, "", "a name is missing", &format!("`insula ns {verb} NAME`"))),
        [_, more, ..] => Err(refused(
            verb,
            &more.to_string_lossy(),
            "this is one word too many",
            &format!("`insula ns {verb} NAME`"),
        )),
    }
}

/// A name as text; what is no text is no name of a set.
pub fn name_of(word: &OsStr) -> Result<&str, Error> {
    word.to_str().ok_or_else(|| {
        refused(
            &word.to_string_lossy(),
            "",
            "this can be no name",
            "a name is letters, digits, `_`, `.`, `+` and `-`",
        )
    })
}

/// `--explain[=json]`.
pub fn explain(given: &Given) -> Result<Option<Form>, Error> {
    let Some((_, value)) = given.flags.iter().rfind(|(flag, _)| *flag == "explain") else { return Ok(None) };
    match value.as_deref().map(OsStr::to_string_lossy).as_deref() {
        None | Some("text") => Ok(Some(Form::Text)),
        Some("json") => Ok(Some(Form::Json)),
        Some(other) => {
            Err(refused("--explain", other, "this is no form", "write `--explain` or `--explain=json`"))
        }
    }
}

/// The value of a flag.
pub fn text<'a>(flag: &str, value: Option<&'a OsStr>) -> Result<&'a str, Error> {
    let value = value.unwrap_or_default();
    let shown = || value.to_string_lossy().into_owned();
    value
        .to_str()
        .ok_or_else(|| refused(&format!("--{flag}"), &shown(), "this is no text", "write it in UTF-8"))
}

/// A word that makes no sense.
pub fn refused(what: &str, value: &str, reason: &str, cure: &str) -> Error {
    let what = if value.is_empty() { what.to_owned() } else { format!("{what} {value}") };
    Error::Asked { what, reason: reason.to_owned(), hint: Some(cure.to_owned()) }
}

/// Tells an error; returns the exit code.
pub fn failed(error: &Error) -> ExitCode {
    let message = escaped(&error.to_string()).to_string();
    tell::refusal(&message, error.found().as_ref(), error.hint().as_deref(), tell::FAILED)
}
