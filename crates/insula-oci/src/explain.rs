//! `--explain`: what a command would do, and none of it.

use crate::error::Error;
use crate::flags::{Flag, Given};
use crate::tell;
use insula_launch::plan::Plan;
use insula_runtime::explain;
use std::process::ExitCode;

/// The flag of `create`, `run` and `exec`.
pub const FLAG: Flag = Flag::maybe("explain", "json", "Print the plan, and do none of it");

/// How the plan is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text,
    /// As data.
    Json,
}

/// Was it asked for, and how?
pub fn form(given: &Given) -> Result<Option<Form>, Error> {
    match given.value("explain") {
        None => Ok(None),
        Some("" | "text") => Ok(Some(Form::Text)),
        Some("json") => Ok(Some(Form::Json)),
        Some(other) => {
            let reason = format!("`{other}` is none of text and json");
            Err(Error::Flag { flag: "--explain".to_owned(), reason })
        }
    }
}

/// Prints it.
pub fn out(plan: &Plan, form: Form) -> ExitCode {
    tell::out(&match form {
        Form::Text => explain::text(plan),
        Form::Json => explain::json(plan),
    })
}
