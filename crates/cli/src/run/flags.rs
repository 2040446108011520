//! The flags of `insula run`: the one table from which parsing, help, the manual page and the completions are made.
//!
//! Words and short flags are Docker's. Values are read as text here and given their types in [`request`](super::request).

use clap::{Arg, ArgAction, ArgMatches, Command};
use std::ffi::OsString;

/// The positional words: `[ROOT] [--] CMD [ARG…]`.
pub const WORDS: &str = "words";

/// The command as clap knows it.
pub fn command() -> Command {
    Command::new("run")
        .about("Run a program in namespaces of its own")
        .after_help(ROOT_AND_CMD)
        .override_usage("insula run [FLAGS] [ROOT] [--] [CMD [ARG]...]")
        // `-h` is the host name, as in Docker.
        .disable_help_flag(true)
        .next_help_heading("Program")
        .args(program())
        .next_help_heading("User and host")
        .args(identity())
        .next_help_heading("Rights")
        .args(rights())
        .next_help_heading("Files")
        .args(files())
        .next_help_heading("Namespaces")
        .args(namespaces())
        .next_help_heading("Instead of a run")
        .args(asking())
        // The usage and the text behind the flags tell of these better than a placeholder.
        .arg(Arg::new(WORDS).num_args(0..).trailing_var_arg(true).hide(true))
}

/// What stands below the flags.
const ROOT_AND_CMD: &str = "ROOT is `host`, a copy-on-write view of this machine (the default), or a directory. The first word is ROOT if it is \
`host`, or a directory written as /DIR, ./DIR or ../DIR, or if `--` follows it; else it begins CMD. With `--` in front, \
all is CMD. CMD is /bin/sh by default. Flags behind the first word belong to CMD.";

/// Whether a `--` stood in front of the words. `arguments` is what was parsed: clap swallows the `--`, and takes none as
/// a flag's value, so that it is there if and only if it stands right before the words.
pub fn is_dashed(matches: &ArgMatches, arguments: &[OsString]) -> bool {
    let words = matches.get_many::<String>(WORDS).map_or(0, |words| words.len());
    let before = arguments.len().checked_sub(words + 1).and_then(|at| arguments.get(at));
    before.is_some_and(|argument| argument == "--")
}

/// A flag with a value; the later one holds.
fn value(long: &'static str, name: &'static str, help: &'static str) -> Arg {
    Arg::new(long).long(long).value_name(name).help(help).action(ArgAction::Set).overrides_with(long)
}

/// A flag with a value that may be repeated.
fn list(long: &'static str, name: &'static str, help: &'static str) -> Arg {
    Arg::new(long).long(long).value_name(name).help(help).action(ArgAction::Append)
}

/// A flag without a value.
fn switch(long: &'static str, help: &'static str) -> Arg {
    Arg::new(long).long(long).help(help).action(ArgAction::SetTrue).overrides_with(long)
}

/// The program: how it starts, is fed and ends.
fn program() -> Vec<Arg> {
    vec![
        value("name", "NAME", "Name of the container, for `--net NAME` and the like (default: none)"),
        value("entrypoint", "PROGRAM", "Program in front of CMD, which becomes its arguments"),
        switch("interactive", "Keep standard input open").short('i'),
        switch("tty", "Give the program a terminal").short('t'),
        value("workdir", "DIR", "Working directory, absolute (default: the one here, or /)").short('w'),
        list("env", "KEY[=VALUE]", "Set a variable; without =VALUE its value here").short('e'),
        list("env-file", "FILE", "Read variables from a file, one a line"),
        optional(
            "init",
            "BOOL",
            "true",
            "Put a pid 1 that reaps in front (default: true in a new pid namespace)",
        ),
        value(
            "timeout",
            "SECS",
            "Kill the program after this long, exit 124 (as 10, 1.5, 1m30s; default: never)",
        ),
        value(
            "stop-signal",
            "SIGNAL",
            "What it gets in SIGTERM's place and at the timeout, name or number (default: SIGTERM)",
        ),
        value("stop-timeout", "SECS", "How long it has before SIGKILL (default: 10)"),
        switch("rm", "Remove the container afterwards: always so, accepted for Docker's sake"),
    ]
}

/// Who the program is.
fn identity() -> Vec<Arg> {
    vec![
        value("user", "USER[:GROUP]", "User and group, names or numbers (default: root of the container)")
            .short('u'),
        list("group-add", "GROUP", "Add a supplementary group, name or number"),
        value("hostname", "NAME", "Host name (default: --name, or insula)").short('h'),
        value("domainname", "NAME", "NIS domain name (default: none)"),
    ]
}

/// What the program may do.
fn rights() -> Vec<Arg> {
    vec![
        list("cap-add", "CAP", "Add a capability to Docker's default 14, or ALL"),
        list("cap-drop", "CAP", "Drop a capability, or ALL"),
        switch("no-new-privileges", "Let no program gain privileges by set-id bits or file capabilities"),
        list(
            "security-opt",
            "OPTION",
            "no-new-privileges[:true|:false], or seccomp=FILE|builtin|unconfined (default), as in Docker",
        ),
        list("ulimit", "NAME=SOFT[:HARD]", "Set a resource limit, as nofile=1024:4096 (default: as here)"),
        list("sysctl", "KEY=VALUE", "Set a kernel parameter of the container's namespaces"),
        list("device", "HOST[:DEST]", "Give a device of the host, as /dev/fuse (access: rwm)"),
    ]
}

/// Which files the program sees.
fn files() -> Vec<Arg> {
    vec![
        list(
            "volume",
            "SRC:DEST[:OPTS]",
            "Mount a file or directory of the host; OPTS as ro, rshared, idmap",
        )
        .short('v'),
        list("mount", "KEY=VALUE,...", "Mount in the long form: type=bind,source=SRC,target=DEST[,readonly]"),
        list("tmpfs", "DEST[:OPTS]", "Mount an empty file system in memory; OPTS as size=64m,mode=1777"),
        switch("read-only", "Make the root read-only"),
        value("shm-size", "BYTES", "Size of /dev/shm, with k, m or g (default: 64m)"),
        value("keep", "DIR", "Keep the changes to the root host in DIR (default: they vanish)"),
    ]
}

/// Which namespaces are new, the host's, or joined.
fn namespaces() -> Vec<Arg> {
    vec![
        value("network", "NET", "Network: none (default, loopback only), host, a name, or a path")
            .visible_alias("net"),
        value("pid", "NS", "Process ids: private (default), host, a name, or a path"),
        value("ipc", "NS", "System V IPC and message queues: private (default), host, a name, or a path"),
        value("uts", "NS", "Host name: private (default), host, a name, or a path"),
        value("cgroupns", "NS", "Cgroup root: private (default), host, a name, or a path"),
        value(
            "userns",
            "MODE",
            "User ids: auto (default), host, identity (each is itself), keep-id (yours stays)",
        ),
        value(
            "time-offset",
            "CLOCK=SECS,...",
            "Set clocks off: monotonic=SECS,boottime=SECS (default: none)",
        ),
    ]
}

/// What is shown instead of a run.
fn asking() -> Vec<Arg> {
    vec![
        switch("print-config", "Print the config.json of this command, and run nothing"),
        optional(
            "explain",
            "FORMAT",
            "text",
            "Print each step that would be taken, text (default) or json, and run nothing",
        ),
        Arg::new("help").long("help").help("Print help").action(ArgAction::HelpShort),
    ]
}

/// A flag that may stand alone or have a value behind `=`.
fn optional(long: &'static str, name: &'static str, alone: &'static str, help: &'static str) -> Arg {
    value(long, name, help).num_args(0..=1).require_equals(true).default_missing_value(alone)
}
