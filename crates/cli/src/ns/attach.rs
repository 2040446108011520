//! `insula ns attach NAME PID`.

use crate::face::number::number;
use crate::face::table::{Flag, Order, Table};
use crate::face::{self, given::Given};
use crate::ns::{kinds, shape, words};
use crate::tell;
use insula_namespaces::error::Error;
use insula_namespaces::names::{self, Attach};
use std::ffi::OsString;
use std::process::ExitCode;

/// The verb.
const TABLE: Table = Table {
    name: "ns attach",
    about: "Give a name to namespaces of a process that runs",
    usage: "[FLAGS…] NAME PID",
    groups: &[("Namespaces", NAMESPACES), ("Besides", BESIDES)],
    order: Order::Permute,
    after_help: "Without a kind: those in which PID is not in ours. They stay as those that `insula ns new` makes; but the first \
                 process of a pid namespace is PID's, and the pid namespace ends with it.\n\n\
                 Exit code: 0; 125 if anything fails, and then nothing is left.",
};

const NAMESPACES: &[Flag] = &[
    Flag::switch('m', "mount", "Its mount namespace"),
    Flag::switch('u', "uts", "Its UTS namespace"),
    Flag::switch('i', "ipc", "Its IPC namespace"),
    Flag::switch('n', "net", "Its network namespace"),
    Flag::switch('p', "pid", "Its pid namespace"),
    Flag::switch('U', "user", "Its user namespace"),
    Flag::switch('C', "cgroup", "Its cgroup namespace"),
    Flag::switch('T', "time", "Its time namespace"),
    Flag::switch('a', "all", "All eight, those that are ours too"),
];

const BESIDES: &[Flag] = &[
    Flag::switch_long("keeper", "Let a process keep them, even where they could be mounted"),
    Flag::switch_long("json", "Print what was named, as JSON"),
];

/// The definition for manuals and completions.
pub fn command() -> clap::Command {
    TABLE.command().name("attach")
}

/// `insula ns attach WORDS…`.
pub fn go(rest: Vec<OsString>) -> ExitCode {
    match face::parse(&TABLE, rest, tell::FAILED) {
        Ok(given) => attempt(&given).unwrap_or_else(|error| words::failed(&error)),
        Err(code) => code,
    }
}

fn attempt(given: &Given) -> Result<ExitCode, Error> {
    let usage = "`insula ns attach NAME PID`";
    let [name, pid] = given.words.as_slice() else {
        return Err(words::refused("attach", "", "a name and a pid are needed, and no more", usage));
    };
    let shown = pid.to_string_lossy();
    let pid = number(&shown).and_then(|pid| i32::try_from(pid).ok()).filter(|pid| *pid > 0);
    let pid = pid.ok_or_else(|| words::refused("attach", &shown, "this is no pid", usage))?;
    let asked = Attach { pid, kinds: kinds::given(given), keeper: given.has("keeper") };
    let named = names::attach(words::name_of(name)?, &asked)?;
    Ok(shape::made(&named, given.has("json")))
}
