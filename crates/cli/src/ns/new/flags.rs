//! The flags of `insula ns new`: unshare(1)'s words, and what a name needs besides.

use crate::face::table::{Flag, Order, Table, Value};

/// The verb.
pub const TABLE: Table = Table {
    name: "ns new",
    about: "Make namespaces and give them a name",
    usage: "[FLAGS…] NAME",
    groups: &[
        ("Namespaces", NAMESPACES),
        ("What is in them", INSIDE),
        ("User namespace", USER),
        ("Instead, and besides", BESIDES),
    ],
    order: Order::Permute,
    after_help: "Without a kind all are made: as root all but user, else all eight. NAME is 1 to 128 letters, digits, `_`, `.`, \
                 `+` and `-`.\n\
                 As root the namespaces are mounted on files below /run/insula/names, the network namespace on /run/netns/NAME, \
                 where `ip netns` finds it: they stay without a process, until the machine starts anew. A pid namespace keeps \
                 a first process of its own, which reaps. Who may not mount has a process that keeps them, and they end with it.\n\n\
                 Exit code: 0; 125 if anything fails, and then nothing is left.",
};

const NAMESPACES: &[Flag] = &[
    Flag::switch('m', "mount", "A mount namespace"),
    Flag::switch('u', "uts", "A UTS namespace: host name and domain name"),
    Flag::switch('i', "ipc", "An IPC namespace: System V IPC, POSIX message queues"),
    Flag::switch('n', "net", "A network namespace"),
    Flag::switch('p', "pid", "A pid namespace"),
    Flag::switch('U', "user", "A user namespace"),
    Flag::switch('C', "cgroup", "A cgroup namespace"),
    Flag::switch('T', "time", "A time namespace"),
    Flag::switch('a', "all", "All eight"),
];

const INSIDE: &[Flag] = &[
    Flag::long("hostname", Value::Required("NAME"), "Set the host name (default: as here)"),
    Flag::long("domainname", Value::Required("NAME"), "Set the NIS domain name (default: as here)"),
    Flag::long("monotonic", Value::Required("SECONDS"), "Set CLOCK_MONOTONIC ahead by that much"),
    Flag::long("boottime", Value::Required("SECONDS"), "Set CLOCK_BOOTTIME ahead"),
    Flag::switch_long("no-loopback", "Leave the loopback device down"),
    Flag::switch_long("no-proc", "Mount no procfs of the new pid namespace on /proc"),
    Flag::long("rootfs", Value::Required("DIR"), "Make DIR the root, and let go of this one"),
    Flag::long(
        "propagation",
        Value::Required("MODE"),
        "How mounts spread: slave (if not given: they come in, and do not go out), private, shared, unchanged",
    ),
];

const USER: &[Flag] = &[
    Flag::switch(
        'r',
        "map-root-user",
        "Map our user and group to root (default); implies --user, as all that map",
    ),
    Flag::switch('c', "map-current-user", "Map our user and group to themselves"),
    Flag::long("map-user", Value::Required("USER"), "Map our user to this one, by name or id"),
    Flag::long("map-group", Value::Required("GROUP"), "Map our group to this one"),
    Flag::long(
        "map-users",
        Value::Required("INNER:OUTER:COUNT"),
        "Map a range of users; or `auto`, `subids` (from /etc/subuid), `all`. Given again, another range",
    ),
    Flag::long("map-groups", Value::Required("INNER:OUTER:COUNT"), "Map a range of groups, likewise"),
    Flag::switch_long("map-auto", "Map the ranges of /etc/subuid and /etc/subgid as well"),
    Flag::switch_long("map-subids", "Map those ranges to themselves"),
    Flag::long(
        "setgroups",
        Value::Required("allow|deny"),
        "Allow or deny setgroups(2) in the user namespace",
    ),
];

const BESIDES: &[Flag] = &[
    Flag::switch_long("keeper", "Let a process keep them, even where they could be mounted"),
    Flag::switch_long("json", "Print what was made, as JSON"),
    Flag::long("explain", Value::Optional("json"), "Print the plan, and do none of it"),
];

/// The definition for manuals and completions.
pub fn command() -> clap::Command {
    TABLE.command().name("new")
}
