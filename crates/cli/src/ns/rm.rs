//! `insula ns rm NAME…`.

use crate::face::table::{Flag, Order, Table};
use crate::face::{self, given::Given};
use crate::ns::words;
use crate::tell;
use insula_namespaces::error::Error;
use insula_namespaces::names::{self, Hold, Removal};
use insula_namespaces::netns::delete::Devices;
use insula_oci::escaped;
use std::ffi::OsString;
use std::process::ExitCode;

/// The verb.
const TABLE: Table = Table {
    name: "ns rm",
    about: "Take names away from namespaces",
    usage: "[FLAGS…] NAME…",
    groups: &[("Flags", FLAGS)],
    order: Order::Permute,
    after_help: "A namespace ends when nothing holds it any more: processes in it go on, but for those in a pid namespace that \
                 was made with the name, which end with its first process. Where there are any, the name is not removed \
                 without --force. One that fails does not keep the others.\n\n\
                 Exit code: 0; 125 if any name is not removed.",
};

const FLAGS: &[Flag] = &[
    Flag::switch('a', "all", "All names that `insula ns` has made; not those that only /run/netns has"),
    Flag::switch(
        'f',
        "force",
        "Kill what runs in the pid namespace, leave devices to the kernel; a name that is not there is no error",
    ),
    Flag::switch_long(
        "move-devices-back",
        "Move hardware from the network namespace to ours, with its addresses",
    ),
];

/// The definition for manuals and completions.
pub fn command() -> clap::Command {
    TABLE.command().name("rm")
}

/// `insula ns rm WORDS…`.
pub fn go(rest: Vec<OsString>) -> ExitCode {
    match face::parse(&TABLE, rest, tell::FAILED) {
        Ok(given) => attempt(&given).unwrap_or_else(|error| words::failed(&error)),
        Err(code) => code,
    }
}

fn attempt(given: &Given) -> Result<ExitCode, Error> {
    let force = given.has("force");
    let devices = match (given.has("move-devices-back"), force) {
        (true, _) => Devices::MoveBack,
        (false, true) => Devices::Leave,
        (false, false) => Devices::Refuse,
    };
    let mut code = ExitCode::SUCCESS;
    for name in wanted(given)? {
        let (returned, errors) = names::remove(&name, Removal { force, devices });
        for device in returned {
            for lost in device.lost {
                tell::warn(
                    &escaped(&format!("`{}` came back without {}", device.device, lost.what)).to_string(),
                );
            }
        }
        for error in errors {
            code = words::failed(&error);
        }
    }
    Ok(code)
}

fn wanted(given: &Given) -> Result<Vec<OsString>, Error> {
    let usage = "`insula ns rm NAME…` or `insula ns rm --all`";
    match (given.has("all"), given.words.is_empty()) {
        (false, false) => Ok(given.words.clone()),
        (false, true) => Err(words::refused("rm", "", "a name is missing", usage)),
        (true, false) => Err(words::refused("--all", "", "it stands for every name", usage)),
        (true, true) => {
            let ours = names::all()?.into_iter().filter(|named| named.hold != Hold::Netns);
            Ok(ours.map(|named| named.name).collect())
        }
    }
}
