//! `insula nsenter`: nsenter(1), flag for flag.

pub mod flags;
pub mod request;

use crate::face::status::Status;
use crate::planned::{NoPlan, Planned};
use crate::{face, tell};
use insula_launch::own_file::keep_out_of_reach;
use insula_launch::plan::Kind;
use insula_namespaces::enter;
use insula_namespaces::error::Error;
use insula_namespaces::wait::{Manner, end_like, until_end};
use insula_oci::escaped;
use insula_runtime::explain;
use request::{Asked, Explain};
use rustix::io::Errno;
use std::ffi::OsString;
use std::process::ExitCode;

/// What nsenter(1) ends with where it fails itself.
pub const FAILED: u8 = 1;

/// `insula nsenter WORDS…`.
pub fn go(rest: Vec<OsString>) -> ExitCode {
    let given = match face::parse(&flags::TABLE, rest, FAILED) {
        Ok(given) => given,
        Err(code) => return code,
    };
    perform(request::read(given))
}

/// Explains or performs what was read, and tells what fails. Another command that enters namespaces ends so too.
pub fn perform(asked: Result<Asked, Error>) -> ExitCode {
    asked.and_then(|asked| attempt(&asked)).unwrap_or_else(|error| failed(&error))
}

/// Explains or performs it.
fn attempt(asked: &Asked) -> Result<ExitCode, Error> {
    let (facts, doors) = enter::look(&asked.request)?;
    let compiled = enter::compile(&asked.request, &facts);
    match asked.explain {
        Some(Explain::Text) => return Ok(tell::out(&explain::text(&compiled.plan))),
        Some(Explain::Json) => return Ok(tell::out(&explain::json(&compiled.plan))),
        None => {}
    }
    // What is executed is chosen by whoever the namespaces belong to: it may be our own program, by /proc/self/exe.
    if facts.joins.iter().any(|join| matches!(join.seen.kind, Kind::Mnt | Kind::Pid)) {
        keep_out_of_reach().map_err(Error::from)?;
    }
    let status = asked.status.map(Status::on).transpose()?;
    let told = |error: &Error| status.iter().for_each(|status| status.failed(error, code(error)));
    // It returns where the plan forks; else this process is the program now.
    let running = enter::launch(&compiled, doors).inspect_err(told)?;
    status.iter().for_each(|status| status.started(&running));
    let manner = Manner { forward: Vec::new(), stop_with_child: true };
    let ended = until_end(&running, &manner)
        .map_err(|errno| Error::File("wait for", "the child".to_owned(), errno))?;
    status.iter().for_each(|status| status.ended(ended));
    end_like(ended, FAILED)
}

/// The plan of these words, not performed.
pub fn planned(rest: Vec<OsString>) -> Result<Planned, NoPlan> {
    let given = face::parse(&flags::TABLE, rest, FAILED).map_err(|_| NoPlan::Words)?;
    compiled(request::read(given))
}

/// The plan of what was read, not performed.
pub fn compiled(asked: Result<Asked, Error>) -> Result<Planned, NoPlan> {
    let refused = |error: Error| {
        failed(&error);
        NoPlan::Refused
    };
    let asked = asked.map_err(|error| {
        failed(&error);
        NoPlan::Words
    })?;
    let (facts, doors) = enter::look(&asked.request).map_err(refused)?;
    let compiled = enter::compile(&asked.request, &facts);
    let kit = enter::kit(&compiled, doors).map_err(refused)?;
    Ok(Planned { plan: compiled.plan, kit, besides: Vec::new() })
}

fn failed(error: &Error) -> ExitCode {
    let message = escaped(&error.to_string()).to_string();
    tell::refusal(&message, error.cause(), error.hint().as_deref(), code(error))
}

fn code(error: &Error) -> u8 {
    match error.of_program() {
        Some(Errno::NOENT) => tell::NOT_FOUND,
        Some(_) => tell::NOT_EXECUTABLE,
        None => FAILED,
    }
}
