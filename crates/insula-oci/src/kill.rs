//! `kill`: a signal by name or number.

use crate::error::Error;
use crate::flags::{Flag, Given, Order};
use crate::global::Global;
use crate::tell;
use crate::verb::Verb;
use insula_runtime::container::kill::kill as send;
use insula_runtime::signal_name;
use std::process::ExitCode;

/// `kill`.
pub const VERB: Verb = Verb {
    name: "kill",
    about: "Send a signal to a container's first process (default: SIGTERM)",
    usage: "ID [SIGNAL]",
    flags: &[Flag::switch("all", "To every process of the container").short('a')],
    order: Order::Anywhere,
    go: kill,
    failed: tell::FAILED,
};

fn kill(global: &Global, given: &Given) -> Result<ExitCode, Error> {
    let (id, signal) = match given.words.as_slice() {
        [id] => (id, "SIGTERM"),
        [id, signal] => (id, signal.as_str()),
        words => {
            return Err(Error::Words {
                verb: "kill".to_owned(),
                wanted: "1 or 2 arguments",
                got: words.len(),
            });
        }
    };
    let number = signal_name::parse(signal)
        .ok_or_else(|| Error::Flag { flag: signal.to_owned(), reason: "unknown signal".to_owned() })?;
    send(&global.find(id)?, number, given.has("all"))?;
    Ok(ExitCode::SUCCESS)
}
