//! The flags of `insula nsenter`: those of nsenter(1), and a few more.

use crate::face::table::{Flag, Order, Table, Value};

/// The face.
pub const TABLE: Table = Table {
    name: "nsenter",
    about: "Run a program in namespaces that are there already, as nsenter(1) does",
    usage: "[FLAGS…] [PROGRAM [ARGUMENT…]]",
    groups: &[
        ("Target", TARGET),
        ("Namespaces", NAMESPACES),
        ("User and capabilities", USER),
        ("Process", PROCESS),
        ("More than nsenter(1) has", MORE),
    ],
    order: Order::Stop,
    after_help: "FILE is one of /proc/PID/ns, or a file on which a namespace is mounted; :ID the namespace's 64-bit id, as lsns(8) \
                 and insula lsns show it. A NAME is one of `insula ns ls`, or of ip-netns(8); a FILE of that name comes first. \
                 Without a word the namespace is the target's.\n\
                 Who may enter a user namespace or others does not depend on the order of the flags: with CAP_SYS_ADMIN the \
                 user namespace is entered last, else first. What was entered is checked.\n\
                 Without PROGRAM a login shell is run: that of SHELL, of /etc/passwd, or /bin/sh.\n\n\
                 Exit code: the program's; 126 if it cannot be executed, 127 if it is not there, 1 if anything else fails.\n\
                 With --pid the program is a child, and its signal ends us too.",
};

const TARGET: &[Flag] = &[
    Flag::value(
        't',
        "target",
        Value::Required("PID[:INODE]|NAME"),
        "The process that things are taken from; with the inode of its pidfd no later one of its pid is meant. Or a \
         name: then namespaces are taken from that, and nothing else can be",
    ),
    Flag::switch(
        'a',
        "all",
        "Enter all its namespaces, or all that the name has, but for a user namespace that is ours already",
    ),
];

const NAMESPACES: &[Flag] = &[
    Flag::value('m', "mount", Value::Optional("FILE|NAME|:ID"), "Enter the mount namespace"),
    Flag::value(
        'u',
        "uts",
        Value::Optional("FILE|NAME|:ID"),
        "Enter the UTS namespace: host name and domain name",
    ),
    Flag::value(
        'i',
        "ipc",
        Value::Optional("FILE|NAME|:ID"),
        "Enter the IPC namespace: System V IPC, POSIX message queues",
    ),
    Flag::value('n', "net", Value::Optional("FILE|NAME|:ID"), "Enter the network namespace"),
    Flag::value(
        'N',
        "net-socket",
        Value::Required("FD"),
        "Enter the network namespace of this socket of the target",
    ),
    Flag::value(
        'p',
        "pid",
        Value::Optional("FILE|NAME|:ID"),
        "Enter the pid namespace, and fork: see --no-fork",
    ),
    Flag::value('C', "cgroup", Value::Optional("FILE|NAME|:ID"), "Enter the cgroup namespace"),
    Flag::value(
        'U',
        "user",
        Value::Optional("FILE|NAME|:ID"),
        "Enter the user namespace, and become its root",
    ),
    Flag::switch_long(
        "user-parent",
        "Enter the user namespace that is the parent of the target's, or of FILE",
    ),
    Flag::value('T', "time", Value::Optional("FILE|NAME|:ID"), "Enter the time namespace"),
];

const USER: &[Flag] = &[
    Flag::value(
        'S',
        "setuid",
        Value::Required("UID|follow"),
        "Set the user id there (0 in a user namespace); follow: that of the target",
    ),
    Flag::value(
        'G',
        "setgid",
        Value::Required("GID|follow"),
        "Set the group id there (0 in a user namespace), and leave all other groups",
    ),
    Flag::switch_long("preserve-credentials", "Keep ids and groups as they are in a user namespace too"),
    Flag::switch_long("keep-caps", "Let the program keep the capabilities in the user namespace"),
];

const PROCESS: &[Flag] = &[
    Flag::value('r', "root", Value::Optional("DIR"), "Change the root directory to the target's, or to DIR"),
    Flag::value('w', "wd", Value::Optional("DIR"), "Change the working directory to the target's, or to DIR"),
    Flag::value('W', "wdns", Value::Optional("DIR"), "Change the working directory to DIR in the namespaces"),
    Flag::switch('e', "env", "Take the target's environment"),
    Flag::switch('F', "no-fork", "Do not fork, even with --pid: then only children of the program are there"),
    Flag::switch('c', "join-cgroup", "Move into the target's control group, of all versions and hierarchies"),
    Flag::switch('Z', "follow-context", "Take the target's SELinux context; without SELinux nothing"),
];

const MORE: &[Flag] = &[
    Flag::extra(
        "json",
        Value::Optional("FD"),
        "Tell the child's pid and namespaces, then its exit code, a line of JSON each, on FD (2); implies a fork",
    ),
    Flag::extra("explain", Value::Optional("json"), "Print the plan, and do none of it"),
];

/// The definition for manuals and completions.
pub fn command() -> clap::Command {
    TABLE.command()
}
