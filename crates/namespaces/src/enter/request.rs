//! What is asked for: nsenter(1)'s words as data.

use insula_launch::plan::Kind;
use std::ffi::{CString, OsString};
use std::path::PathBuf;

/// The process that namespaces and more are taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// Its pid in our pid namespace.
    pub pid: i32,
    /// The inode of its pidfd (Linux 6.9), which no later process of the same pid has.
    pub inode: Option<u64>,
}

/// Where a namespace is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// At the target.
    Target,
    /// Behind this file: one of `/proc/PID/ns`, or one that it is mounted on. A word without a slash that is no file may
    /// be a name, [`crate::name`].
    File(PathBuf),
    /// It has this 64-bit id (`NS_GET_ID`, Linux 6.18).
    Id(u64),
}

/// A directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Directory {
    /// The target's.
    Target,
    /// This one, as it is before any namespace is entered.
    Path(PathBuf),
}

/// A user or group id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Id {
    /// This one, in the user namespace that is entered.
    Given(u32),
    /// The target's.
    Follow,
}

/// The request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// `--target`.
    pub target: Option<Target>,
    /// `--all`: each kind that is not in `joins`, from the target; not a user namespace that is our own.
    pub all: bool,
    /// The kinds that are named, each once, and where they are.
    pub joins: Vec<(Kind, Source)>,
    /// The namespaces of a name ([`crate::names`]): these kinds of it, or all that it has where none is named. A kind that
    /// is in `joins` comes from there.
    pub set: Option<(OsString, Vec<Kind>)>,
    /// `--user-parent`: in place of the user namespace the one that owns it.
    pub user_parent: bool,
    /// `--net-socket`: the network namespace of this descriptor of the target.
    pub net_socket: Option<i32>,
    /// `--join-cgroup`.
    pub join_cgroup: bool,
    /// `--root`.
    pub root: Option<Directory>,
    /// `--wd`.
    pub working_directory: Option<Directory>,
    /// `--wdns`: a directory in the namespaces.
    pub working_directory_inside: Option<CString>,
    /// `--setuid`.
    pub uid: Option<Id>,
    /// `--setgid`.
    pub gid: Option<Id>,
    /// An ordinary user keeps what the user namespace does not let go: its groups where that denies setgroups(2), its ids
    /// where root's are not mapped. nsenter(1) is refused there.
    pub own_may_stay: bool,
    /// `--preserve-credentials`: a user namespace changes no ids.
    pub preserve_credentials: bool,
    /// `--keep-caps`.
    pub keep_caps: bool,
    /// `--env`: the target's environment in place of `environment`.
    pub target_environment: bool,
    /// `--no-fork`: even with a pid namespace.
    pub no_fork: bool,
    /// Fork even without a pid namespace.
    pub fork: bool,
    /// `--follow-context`.
    pub follow_context: bool,
    /// The program and its arguments; empty for a shell.
    pub program: Vec<CString>,
    /// The shell of the program's account, for where `SHELL` names none.
    pub account_shell: CString,
    /// The caller's environment.
    pub environment: Vec<CString>,
}
