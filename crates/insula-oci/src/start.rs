//! `start`, `pause`, `resume`.

use crate::error::Error;
use crate::flags::{Given, Order};
use crate::global::Global;
use crate::tell;
use crate::verb::Verb;
use insula_runtime::container::processes;
use insula_runtime::container::start::start as set_going;
use std::process::ExitCode;

/// `start`.
pub const VERB: Verb = Verb {
    name: "start",
    about: "Start the program of a container that is made",
    usage: "ID",
    flags: &[],
    order: Order::Anywhere,
    go: start,
    failed: tell::FAILED,
};

/// `pause`.
pub const PAUSE: Verb = Verb {
    name: "pause",
    about: "Stop all processes of a container where they are",
    usage: "ID",
    flags: &[],
    order: Order::Anywhere,
    go: pause,
    failed: tell::FAILED,
};

/// `resume`.
pub const RESUME: Verb = Verb {
    name: "resume",
    about: "Let the processes of a paused container go on",
    usage: "ID",
    flags: &[],
    order: Order::Anywhere,
    go: resume,
    failed: tell::FAILED,
};

fn start(global: &Global, given: &Given) -> Result<ExitCode, Error> {
    set_going(&global.lock(given.only("start")?)?)?;
    Ok(ExitCode::SUCCESS)
}

fn pause(global: &Global, given: &Given) -> Result<ExitCode, Error> {
    processes::pause(&global.lock(given.only("pause")?)?)?;
    Ok(ExitCode::SUCCESS)
}

fn resume(global: &Global, given: &Given) -> Result<ExitCode, Error> {
    processes::resume(&global.lock(given.only("resume")?)?)?;
    Ok(ExitCode::SUCCESS)
}
