//! `insula ns new NAME`.

pub mod flags;
mod request;

use crate::face::{self, given::Given};
use crate::ns::{shape, words};
use crate::planned::{NoPlan, Planned};
use crate::tell;
use insula_namespaces::error::Error;
use insula_namespaces::names;
use insula_namespaces::unshare::Caller;
use insula_runtime::explain;
use std::ffi::OsString;
use std::process::ExitCode;

/// `insula ns new WORDS…`.
pub fn go(rest: Vec<OsString>) -> ExitCode {
    match face::parse(&flags::TABLE, rest, tell::FAILED) {
        Ok(given) => attempt(&given).unwrap_or_else(|error| words::failed(&error)),
        Err(code) => code,
    }
}

/// The plan of these words, not performed.
pub fn planned(rest: Vec<OsString>) -> Result<Planned, NoPlan> {
    let given = face::parse(&flags::TABLE, rest, tell::FAILED).map_err(|_| NoPlan::Words)?;
    let refused = |no_plan| {
        move |error: Error| {
            words::failed(&error);
            no_plan
        }
    };
    let name = words::one_name(&given.words, "new").map_err(refused(NoPlan::Words))?;
    let request = request::read(&given, Caller::look()).map_err(refused(NoPlan::Words))?;
    let (plan, kit) = names::rehearsal(name, &request).map_err(refused(NoPlan::Refused))?;
    Ok(Planned { plan, kit, besides: vec![format!("write `{name}` down where names are kept")] })
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
