//! The flags of `insula why`.

use clap::{Arg, ArgAction, Command, value_parser};
use std::ffi::OsString;
use std::path::PathBuf;

/// Every failed call.
pub const ALL: &str = "all";
/// As data.
pub const JSON: &str = "json";
/// Where the answer goes.
pub const OUTPUT: &str = "output";
/// The program and its arguments.
pub const COMMAND: &str = "COMMAND";

/// The definition.
pub fn command() -> Command {
    Command::new("why")
        .about("Run a program, and say which of its calls the kernel refused, and why")
        .bin_name("insula why")
        .override_usage("insula why [FLAGS] [--] COMMAND…")
        .arg(
            Arg::new(ALL)
                .long("all")
                .action(ArgAction::SetTrue)
                .help("Tell every system call that failed, of whatever kind"),
        )
        .arg(Arg::new(JSON).long("json").action(ArgAction::SetTrue).help("Answer as JSON"))
        .arg(
            Arg::new(OUTPUT)
                .long("output")
                .short('o')
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("Write the answer to a file, not to standard error"),
        )
        .arg(
            Arg::new(COMMAND)
                .required(true)
                .num_args(1..)
                .trailing_var_arg(true)
                .allow_hyphen_values(true)
                .value_parser(value_parser!(OsString))
                .help("The program and its arguments"),
        )
        .after_help(AFTER)
}

const AFTER: &str = "\
The program runs as it would without: its terminal, input and output, signals and exit code are its own. It and all its
descendants are traced (ptrace(2)); a refused call of namespaces, mounts, ids, seccomp, cgroups, the network, or an
execution is told after its end on standard error, with the cause found at the stopped process, and the cure.

An insula command that has a plan (`insula why -- insula unshare …`, and run, nsenter, netns exec, cgroup exec) is performed
step by step in throw-away namespaces instead, without its program, and each step is told.

Exit code: the program's own. For an insula command 0 if all steps held, 1 if one was refused. 125: insula itself failed; 126,
127: the program cannot be executed, is not there.";
