//! `insula nsenter`: nsenter(1), flag for flag.

pub mod flags;
mod request;

use crate::{explain, face, tell};
use insula_namespaces::enter::{self, Request};
use insula_namespaces::error::Error;
use insula_namespaces::wait::{Manner, end_like, until_end};
use insula_oci::escaped;
use request::Explain;
use rustix::io::Errno;
use std::ffi::OsString;
use std::process::ExitCode;

/// What nsenter(1) ends with where it fails itself.
const FAILED: u8 = 1;

/// `insula nsenter WORDS…`.
pub fn go(rest: Vec<OsString>) -> ExitCode {
    let given = match face::parse(&flags::TABLE, rest, FAILED) {
        Ok(given) => given,
        Err(code) => return code,
    };
    let done = request::request(given).and_then(|(request, explain)| attempt(&request, explain));
    done.unwrap_or_else(|error| failed(&error))
}

/// Explains or performs it.
fn attempt(request: &Request, explain: Option<Explain>) -> Result<ExitCode, Error> {
    let (facts, doors) = enter::look(request)?;
    let compiled = enter::compile(request, &facts);
    match explain {
        Some(Explain::Text) => return Ok(tell::out(&explain::text(&compiled.plan))),
        Some(Explain::Json) => return Ok(tell::out(&explain::json(&compiled.plan))),
        None => {}
    }
    // It returns where the plan forks; else this process is the program now.
    let running = enter::launch(&facts, &compiled, doors)?;
    let manner = Manner { forward: Vec::new(), stop_with_child: true };
    let ended = until_end(&running, &manner)
        .map_err(|errno| Error::File("wait for the child", running.pid.to_string(), errno))?;
    end_like(ended, FAILED)
}

fn failed(error: &Error) -> ExitCode {
    let code = match error {
        Error::Launch(failure) => match failure.of_program() {
            Some(Errno::NOENT) => tell::NOT_FOUND,
            Some(_) => tell::NOT_EXECUTABLE,
            None => FAILED,
        },
        _ => FAILED,
    };
    tell::error(&escaped(&error.to_string()).to_string(), error.hint().as_deref(), code)
}
