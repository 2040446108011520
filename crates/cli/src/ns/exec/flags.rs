//! The flags of `insula ns exec`: nsenter(1)'s words, where they have a meaning for a name.

use crate::face::table::{Flag, Order, Table, Value};

/// The verb.
pub const TABLE: Table = Table {
    name: "ns exec",
    about: "Run a program in the namespaces of a name",
    usage: "NAME [FLAGS…] [--] [PROGRAM [ARGUMENT…]]",
    groups: &[
        ("Which of its namespaces (all, if none is named)", NAMESPACES),
        ("User and capabilities", USER),
        ("Process", PROCESS),
        ("Instead, and besides", BESIDES),
    ],
    order: Order::Stop,
    after_help: "Flags may stand in front of NAME as well. In a user namespace the program is root, unless --setuid and --setgid say \
                 otherwise; with a pid namespace it is a child, and its signal ends us too. With a mount namespace it begins in \
                 its root directory.\n\
                 A namespace that is not the one that was named is never entered.\n\
                 Without PROGRAM a login shell is run: that of SHELL, of /etc/passwd, or /bin/sh.\n\n\
                 Exit code: the program's; 126 if it cannot be executed, 127 if it is not there, 1 if anything else fails.",
};

const NAMESPACES: &[Flag] = &[
    Flag::switch('m', "mount", "The mount namespace"),
    Flag::switch('u', "uts", "The UTS namespace"),
    Flag::switch('i', "ipc", "The IPC namespace"),
    Flag::switch('n', "net", "The network namespace"),
    Flag::switch('p', "pid", "The pid namespace"),
    Flag::switch('U', "user", "The user namespace"),
    Flag::switch('C', "cgroup", "The cgroup namespace"),
    Flag::switch('T', "time", "The time namespace"),
    Flag::switch('a', "all", "All that the name has"),
];

const USER: &[Flag] = &[
    Flag::value('S', "setuid", Value::Required("UID"), "Set the user id there (0 in a user namespace)"),
    Flag::value(
        'G',
        "setgid",
        Value::Required("GID"),
        "Set the group id there (0 in a user namespace), and leave all other groups",
    ),
    Flag::switch_long("preserve-credentials", "Keep ids and groups as they are in a user namespace too"),
    Flag::switch_long("keep-caps", "Let the program keep the capabilities in the user namespace"),
];

const PROCESS: &[Flag] = &[
    Flag::value(
        'r',
        "root",
        Value::Required("DIR"),
        "Change the root directory to DIR, as it is seen from here",
    ),
    Flag::value(
        'w',
        "wd",
        Value::Required("DIR"),
        "Change the working directory to DIR, as it is seen from here",
    ),
    Flag::value('W', "wdns", Value::Required("DIR"), "Change the working directory to DIR in the namespaces"),
    Flag::switch(
        'F',
        "no-fork",
        "Do not fork, even into a pid namespace: then only children of the program are there",
    ),
    Flag::value('e', "env", Value::Required("NAME=VALUE"), "Set a variable of the program"),
    Flag::switch_long("clear-env", "Start with an empty environment"),
];

const BESIDES: &[Flag] = &[
    Flag::long(
        "json",
        Value::Optional("FD"),
        "Tell the child's pid and namespaces, then its exit code, a line of JSON each, on FD (2); implies a fork",
    ),
    Flag::long("explain", Value::Optional("json"), "Print the plan, and do none of it"),
];

/// The definition for manuals and completions.
pub fn command() -> clap::Command {
    TABLE.command().name("exec")
}
