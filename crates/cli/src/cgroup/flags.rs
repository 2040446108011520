//! The flags of `insula cgroup`: a small table for each verb, from which parsing, help and the reference are made.
//!
//! The words of limits are Docker's (`--memory 64m`, `--cpus 1.5`, `--pids-limit`), podman's where Docker has none.

use clap::{Arg, ArgAction, Command};
use std::ffi::OsString;

/// The positional name of a group, and of several.
pub const NAME: &str = "NAME";
/// The program and its words.
pub const COMMAND: &str = "CMD";
/// `--explain`.
pub const EXPLAIN: &str = "explain";
/// Processes.
pub const PID: &str = "PID";

/// `new`.
pub fn new() -> Command {
    verb("new", "Make a group and limit it; one that is there is completed")
        .arg(name())
        .arg(value("owner", "USER", "Give it to a user, name or UID[:GID], who can then make groups in it"))
        .next_help_heading("Limits")
        .args(limits())
        .after_help(NAMES)
}

/// `set`.
pub fn set() -> Command {
    verb("set", "Change limits of a group; what is not named stays")
        .arg(name())
        .next_help_heading("Limits")
        .args(limits())
}

/// `exec`.
pub fn exec() -> Command {
    verb("exec", "Run a program in a group, in the place of insula: same process, its own exit code")
        .override_usage("insula cgroup exec [--explain[=FORMAT]] NAME [--] CMD [ARG]...")
        .arg(name())
        .arg(
            value(
                EXPLAIN,
                "FORMAT",
                "Print each step that would be taken, text (default) or json, and run nothing",
            )
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("text")
            .value_parser(["text", "json"]),
        )
        .arg(
            Arg::new(COMMAND)
                .required(true)
                .num_args(1..)
                .trailing_var_arg(true)
                .allow_hyphen_values(true)
                .value_parser(clap::value_parser!(OsString))
                .help("The program and its arguments"),
        )
}

/// `join`.
pub fn join() -> Command {
    verb("join", "Move running processes into a group, with all their threads").arg(name()).arg(
        Arg::new(PID)
            .required(true)
            .num_args(1..)
            .value_parser(clap::value_parser!(i32).range(1..))
            .help("Ids of the processes"),
    )
}

/// `show`.
pub fn show() -> Command {
    verb(
        "show",
        "Show a group: limits, use, processes; without NAME the machine's hierarchies and insula's groups",
    )
    .arg(name().required(false))
    .arg(json())
}

/// `ls`.
pub fn ls() -> Command {
    verb("ls", "List the groups that insula has made here")
        .arg(json())
        .arg(switch("quiet", "Names only").short('q'))
}

/// `freeze`.
pub fn freeze() -> Command {
    verb("freeze", "Stop all processes of groups where they are, until thawed").arg(names())
}

/// `thaw`.
pub fn thaw() -> Command {
    verb("thaw", "Let frozen groups go on").arg(names())
}

/// `kill`.
pub fn kill() -> Command {
    verb("kill", "Kill all processes of groups and wait until none is left; or send them a signal")
        .arg(names())
        .arg(
            value(
                "signal",
                "SIGNAL",
                "Send this signal once, name or number, and do not wait (default: SIGKILL, and wait)",
            )
            .short('s'),
        )
}

/// `rm`.
pub fn rm() -> Command {
    verb("rm", "Remove groups without processes")
        .arg(names())
        .arg(switch("recursive", "Remove the groups below them too").short('r'))
        .arg(
            switch(
                "force",
                "Kill their processes first, remove what is below them; one that is not there is no error",
            )
            .short('f'),
        )
}

/// What stands below the flags of `new`.
const NAMES: &str = "NAME is a path: `web` or `shop/web` lies below `insula` in the highest group of yours (for root the \
root), `/a/b` is taken literally in every hierarchy. A size is in bytes, or with k, m, g or t behind it; -1 or max is no \
limit.";

fn verb(name: &'static str, about: &'static str) -> Command {
    Command::new(name).about(about).bin_name(format!("insula cgroup {name}"))
}

fn name() -> Arg {
    Arg::new(NAME).required(true).help("The group")
}

fn names() -> Arg {
    Arg::new(NAME).required(true).num_args(1..).help("The groups")
}

fn json() -> Arg {
    switch("json", "Print JSON")
}

/// A flag with a value; the later one holds.
fn value(long: &'static str, name: &'static str, help: &'static str) -> Arg {
    Arg::new(long).long(long).value_name(name).help(help).action(ArgAction::Set).overrides_with(long)
}

/// A value that may be below zero.
fn signed(long: &'static str, name: &'static str, help: &'static str) -> Arg {
    value(long, name, help).allow_negative_numbers(true)
}

/// A flag with a value that may be repeated.
fn list(long: &'static str, name: &'static str, help: &'static str) -> Arg {
    Arg::new(long).long(long).value_name(name).help(help).action(ArgAction::Append)
}

fn switch(long: &'static str, help: &'static str) -> Arg {
    Arg::new(long).long(long).help(help).action(ArgAction::SetTrue).overrides_with(long)
}

/// The limits of `new` and `set`.
fn limits() -> Vec<Arg> {
    vec![
        signed("memory", "SIZE", "Memory").short('m'),
        signed("memory-swap", "SIZE", "Memory and swap together (default: swap as it was)"),
        signed("memory-reservation", "SIZE", "Memory that is spared under pressure"),
        value("memory-swappiness", "PERCENT", "How readily memory is swapped, 0 to 100 (cgroup v1)"),
        switch("oom-kill-disable", "Let processes wait for memory instead of killing one (cgroup v1)"),
        signed("cpus", "NUMBER", "CPUs' worth of time, as 0.5"),
        signed("cpu-quota", "MICROS", "Microseconds of CPU time in each period"),
        value("cpu-period", "MICROS", "The period (default: as it was; 100000 at first)"),
        value("cpu-burst", "MICROS", "Microseconds that may be saved up from period to period"),
        value("cpu-shares", "NUMBER", "Weight against other groups, 2 to 262144 (1024 is usual)").short('c'),
        value("cpu-weight", "NUMBER", "The same as cgroup v2 has it, 1 to 10000 (100 is usual)"),
        value("cpuset-cpus", "LIST", "CPUs to run on, as 0-2,4"),
        value("cpuset-mems", "LIST", "Memory nodes to use, as 0-1"),
        signed("pids-limit", "NUMBER", "Processes and threads").visible_alias("pids"),
        value("io-weight", "NUMBER", "Weight of disk access, 10 to 1000").visible_alias("blkio-weight"),
        list("io-read-bps", "DEVICE:SIZE", "Bytes read per second, as /dev/sda:1m or 8:0:1m (0: no limit)")
            .visible_alias("device-read-bps"),
        list("io-write-bps", "DEVICE:SIZE", "Bytes written per second").visible_alias("device-write-bps"),
        list("io-read-iops", "DEVICE:NUMBER", "Reads per second").visible_alias("device-read-iops"),
        list("io-write-iops", "DEVICE:NUMBER", "Writes per second").visible_alias("device-write-iops"),
        list("cgroup-conf", "FILE=VALUE", "Write a file of cgroup v2, as memory.high=50331648"),
    ]
}
