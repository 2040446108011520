//! The flags of `insula unshare`: those of unshare(1), and a few more.

use crate::face::table::{Flag, Order, Table, Value};

/// The face.
pub const TABLE: Table = Table {
    name: "unshare",
    about: "Run a program in new namespaces, as unshare(1) does",
    usage: "[FLAGS…] [PROGRAM [ARGUMENT…]]",
    groups: &[
        ("Namespaces", NAMESPACES),
        ("Mounts", MOUNTS),
        ("User namespace", USER),
        ("Process", PROCESS),
        ("More than unshare(1) has", MORE),
    ],
    order: Order::Stop,
    after_help: "Without PROGRAM a login shell is run: that of SHELL, of /etc/passwd, or /bin/sh.\n\
                 Kinds of namespace are kept at FILE, which must be there, by a bind mount, until umount(8).\n\n\
                 Exit code: the program's; 126 if it cannot be executed, 127 if it is not there, 1 if anything else fails.\n\
                 After --fork the program's signal ends us too.",
};

const NAMESPACES: &[Flag] = &[
    Flag::optional('m', "mount", "FILE", "New mount namespace"),
    Flag::optional('u', "uts", "FILE", "New UTS namespace: host name and domain name"),
    Flag::optional('i', "ipc", "FILE", "New IPC namespace: System V IPC, POSIX message queues"),
    Flag::optional('n', "net", "FILE", "New network namespace"),
    Flag::optional('p', "pid", "FILE", "New pid namespace, for children: see --fork"),
    Flag::optional('U', "user", "FILE", "New user namespace"),
    Flag::optional('C', "cgroup", "FILE", "New cgroup namespace"),
    Flag::optional('T', "time", "FILE", "New time namespace"),
    Flag::long(
        "monotonic",
        Value::Required("SECONDS"),
        "Set CLOCK_MONOTONIC of the time namespace ahead by that much",
    ),
    Flag::long("boottime", Value::Required("SECONDS"), "Set CLOCK_BOOTTIME ahead"),
];

const MOUNTS: &[Flag] = &[
    Flag::long("mount-proc", Value::Optional("DIR"), "Mount procfs on DIR (/proc) first; implies --mount"),
    Flag::long(
        "mount-binfmt",
        Value::Optional("DIR"),
        "Mount binfmt_misc on DIR (/proc/sys/fs/binfmt_misc) first; implies --user and --mount",
    ),
    Flag::value(
        'l',
        "load-interp",
        Value::Required("DEFINITION"),
        "Register an interpreter there; implies --mount-binfmt",
    ),
    Flag::long(
        "propagation",
        Value::Required("MODE"),
        "How mounts spread from and to the new mount namespace: private (if not given), shared, slave, unchanged",
    ),
    Flag::value('R', "root", Value::Required("DIR"), "Change the root directory"),
    Flag::value('w', "wd", Value::Required("DIR"), "Change the working directory"),
];

const USER: &[Flag] = &[
    Flag::switch('r', "map-root-user", "Map our user and group to root; implies --user, as all that map"),
    Flag::switch('c', "map-current-user", "Map our user and group to themselves"),
    Flag::long("map-user", Value::Required("USER"), "Map our user to this one, by name or id"),
    Flag::long("map-group", Value::Required("GROUP"), "Map our group to this one"),
    Flag::long(
        "map-users",
        Value::Required("INNER:OUTER:COUNT"),
        "Map a range of users; or `auto`, `subids` (from /etc/subuid), `all`. Given again, another range",
    ),
    Flag::long("map-groups", Value::Required("INNER:OUTER:COUNT"), "Map a range of groups, likewise"),
    Flag::switch_long("map-auto", "Map the ranges of /etc/subuid and /etc/subgid from 0 on"),
    Flag::switch_long("map-subids", "Map those ranges to themselves"),
    Flag::long("owner", Value::Required("UID:GID"), "Who owns the user namespace; implies --user"),
    Flag::long(
        "setgroups",
        Value::Required("allow|deny"),
        "Allow or deny setgroups(2) in the user namespace",
    ),
    Flag::switch_long("keep-caps", "Let the program keep the capabilities in the user namespace"),
    Flag::value('S', "setuid", Value::Required("UID"), "Set the user id before the program runs"),
    Flag::value('G', "setgid", Value::Required("GID"), "Set the group id, and leave all other groups"),
];

const PROCESS: &[Flag] = &[
    Flag::switch('f', "fork", "Run the program as a child: in a new pid namespace it is pid 1"),
    Flag::long(
        "kill-child",
        Value::Optional("SIGNAL"),
        "The child gets SIGNAL (KILL) when we end; implies --fork",
    ),
    Flag::switch_long("forward-signals", "Pass INT and TERM on to the child; implies --fork"),
    Flag::switch_long("clear-env", "Start with an empty environment"),
    Flag::long("whitelist-env", Value::Required("NAME,…"), "Keep of the environment only these"),
];

const MORE: &[Flag] = &[
    Flag::extra(
        "all",
        Value::None,
        "All eight kinds; implies --fork, and --map-root-user where nothing else is mapped",
    ),
    Flag::extra("try-mount", Value::None, "New mount namespace if it can be had, else none"),
    Flag::extra("try-uts", Value::None, "The same with UTS"),
    Flag::extra("try-ipc", Value::None, "IPC"),
    Flag::extra("try-net", Value::None, "Network"),
    Flag::extra("try-pid", Value::None, "Pid"),
    Flag::extra("try-user", Value::None, "User"),
    Flag::extra("try-cgroup", Value::None, "Cgroup"),
    Flag::extra("try-time", Value::None, "Time"),
    Flag::extra("hostname", Value::Required("NAME"), "Set the host name; implies --uts"),
    Flag::extra("domainname", Value::Required("NAME"), "Set the NIS domain name; implies --uts"),
    Flag::extra(
        "json",
        Value::Optional("FD"),
        "Tell the child's pid and namespaces, then its exit code, a line of JSON each, on FD (2); implies --fork",
    ),
    Flag::extra("explain", Value::Optional("json"), "Print the plan, and do none of it"),
];

/// The definition for manuals and completions.
pub fn command() -> clap::Command {
    TABLE.command()
}
