//! `insula unshare`: unshare(1), flag for flag, and a few more.

pub mod flags;
pub mod id_words;
mod request;
mod signal_name;

use crate::face::status::Status;
use crate::planned::{NoPlan, Planned};
use crate::{face, tell};
use insula_launch::kit::Kit;
use insula_launch::plan::Plan;
use insula_namespaces::error::Error;
use insula_namespaces::unshare::{Caller, compile, launch, warnings};
use insula_namespaces::wait::{Manner, end_like, until_end};
use insula_oci::escaped;
use insula_runtime::explain;
use request::{Asked, Explain};
use rustix::io::Errno;
use rustix::process::Signal;
use std::ffi::OsString;
use std::process::ExitCode;

/// unshare(1)'s own failures.
const FAILED: u8 = 1;

/// `insula unshare WORDS…`.
pub fn go(rest: Vec<OsString>) -> ExitCode {
    let given = match face::parse(&flags::TABLE, rest, FAILED) {
        Ok(given) => given,
        Err(code) => return code,
    };
    let caller = Caller::look();
    let asked = request::read(given, caller);
    let asked = asked.and_then(|asked| compile(&asked.request, caller).map(|plan| (asked, plan)));
    let (asked, plan) = match asked {
        Ok(both) => both,
        Err(error) => return failed(&error),
    };
    match asked.explain {
        Some(Explain::Text) => return tell::out(&explain::text(&plan)),
        Some(Explain::Json) => return tell::out(&explain::json(&plan)),
        None => {}
    }
    // A person at a terminal; a script knows what it does.
    if rustix::termios::isatty(rustix::stdio::stderr()) {
        warnings(&asked.request).iter().for_each(|warning| tell::warn(warning));
    }
    perform(&asked, &plan)
}

/// The plan of these words, not performed.
pub fn planned(rest: Vec<OsString>) -> Result<Planned, NoPlan> {
    let given = face::parse(&flags::TABLE, rest, FAILED).map_err(|_| NoPlan::Words)?;
    let caller = Caller::look();
    let plan = request::read(given, caller).and_then(|asked| compile(&asked.request, caller));
    let plan = plan.map_err(|error| {
        failed(&error);
        NoPlan::Words
    })?;
    let kit = Kit::with(&plan.slots);
    Ok(Planned { plan, kit, besides: Vec::new() })
}

/// Becomes the program, or waits for it and ends as it does.
fn perform(asked: &Asked, plan: &Plan) -> ExitCode {
    let status = match asked.status.map(Status::on).transpose() {
        Ok(status) => status,
        Err(error) => return failed(&error),
    };
    let running = match launch(plan) {
        Ok(running) => running,
        Err(error) => {
            if let Some(status) = status {
                status.failed(&error, code(&error));
            }
            return failed(&error);
        }
    };
    if let Some(status) = &status {
        status.started(&running);
    }
    let forward = [Signal::INT.as_raw(), Signal::TERM.as_raw()];
    let forward = if asked.forward_signals { forward.to_vec() } else { Vec::new() };
    match until_end(&running, &Manner { forward, stop_with_child: false }) {
        Ok(ended) => {
            if let Some(status) = &status {
                status.ended(ended);
            }
            end_like(ended, FAILED)
        }
        Err(errno) => failed(&Error::File("wait for", "the child".to_owned(), errno)),
    }
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
