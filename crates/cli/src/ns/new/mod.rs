//! `insula ns new NAME`.

pub mod flags;
mod request;

use crate::face::{self, given::Given};
use crate::ns::{shape, words};
use crate::{explain, tell};
use insula_namespaces::error::Error;
use insula_namespaces::names;
use insula_namespaces::unshare::Caller;
use std::ffi::OsString;
use std::process::ExitCode;

/// `insula ns new WORDS…`.
pub fn go(rest: Vec<OsString>) -> ExitCode {
    match face::parse(&flags::TABLE, rest, tell::FAILED) {
        Ok(given) => attempt(&given).unwrap_or_else(|error| words::failed(&error)),
        Err(code) => code,
    }
}

fn attempt(given: &Given) -> Result<ExitCode, Error> {
    let name = words::one_name(&given.words, "new")?;
    let request = request::read(given, Caller::look())?;
    if let Some(form) = words::explain(given)? {
        let plan = names::plan(name, &request)?;
        return Ok(tell::out(&if form == words::Form::Json {
            explain::json(&plan)
        } else {
            explain::text(&plan)
        }));
    }
    let named = names::new(name, &request)?;
    Ok(shape::made(&named, given.has("json")))
}
