//! `insula link`: devices that connect network namespaces, by insula-net's netlink; ip(8) is not called.

mod address;
mod bridge;
mod device;
mod error;
pub mod flags;
mod room;
mod route;
mod show;
mod state;
pub mod table;
mod transfer;
mod veth;

use crate::parse::parse;
use crate::tell;
use clap::ArgMatches;
use error::Error;
use insula_launch::why::Cause;
use insula_oci::escaped;
use insula_sys::signal::{self, SigSet};
use rustix::process::Signal;
use std::ffi::OsString;
use std::process::ExitCode;

/// What a verb does; what it says goes to standard output.
type Verb = fn(&ArgMatches) -> Result<String, Error>;

/// `insula link VERB WORDS…`.
pub fn go(rest: Vec<OsString>) -> ExitCode {
    let matches = match parse(flags::command(), rest) {
        Ok(matches) => matches,
        Err(code) => return code,
    };
    let (verb, matches): (Verb, _) = match matches.subcommand() {
        Some(("pair", matches)) => (veth::pair, matches),
        Some(("move", matches)) => (transfer::transfer, matches),
        Some(("addr", matches)) => (address::address, matches),
        Some(("up", matches)) => (state::up, matches),
        Some(("down", matches)) => (state::down, matches),
        Some(("bridge", matches)) => (bridge::bridge, matches),
        Some(("del", matches)) => (state::delete, matches),
        Some(("route", matches)) => (route::route, matches),
        Some(("show", matches)) => (show::show, matches),
        // clap asks for one of these.
        _ => return tell::error("a verb is missing", Some("`insula link --help` lists them"), tell::FAILED),
    };
    match undisturbed(verb, matches) {
        Ok(text) => tell::out(&text),
        Err(error) => {
            let cause = error.cause();
            let cure = cause.as_ref().map(Cause::cure);
            let hint = cure.or_else(|| error.hint().map(Into::into));
            let message = escaped(&error.to_string()).to_string();
            tell::refusal(&message, cause.as_ref(), hint.as_deref(), tell::FAILED)
        }
    }
}

/// Calls a verb with the signals held back that people send: they find all of it done, or nothing. It takes milliseconds.
fn undisturbed(verb: Verb, matches: &ArgMatches) -> Result<String, Error> {
    let mut signals = SigSet::empty();
    for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT] {
        signals.add(signal.as_raw());
    }
    let before = signal::block(&signals);
    let done = verb(matches);
    if let Ok(before) = before {
        // What came meanwhile comes now.
        let _ = signal::set_mask(&before);
    }
    done
}
