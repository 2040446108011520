//! What was tried and refused, with what the looking needs to know of it.

use super::mounts::Attempt;
use crate::fault::Fault;
use crate::id_map::IdMap;
use crate::kind::Kind;
use crate::kit::Kit;
use rustix::fd::OwnedFd;

/// A refused call of a process.
#[derive(Debug)]
pub struct Refusal {
    /// What it was to do.
    pub act: Act,
    /// The call, and its errno.
    pub fault: Fault,
}

/// What was tried.
#[derive(Debug)]
pub enum Act {
    /// New namespaces of these kinds, in one call: unshare(2), clone3(2), clone(2).
    Make(Vec<Kind>),
    /// A new process in the namespaces that are there.
    Fork,
    /// A namespace entered: setns(2).
    Enter(Enter),
    /// A look into another process, by its pid: a file of /proc/PID, its namespaces.
    Look(i32),
    /// Id maps written, or another program asked to do so.
    Map(Maps),
    /// `allow` (`true`) or `deny` written to /proc/PID/setgroups.
    Setgroups(bool),
    /// Other ids taken on: setuid(2), setgid(2), setgroups(2) and their like; the ids that are known.
    SetIds {
        /// The user id.
        uid: Option<u32>,
        /// The group ids.
        gids: Vec<u32>,
    },
    /// A mount, a file system or a path.
    Mount(Attempt),
    /// The process moved into control groups, by the `cgroup.procs` that it has open.
    JoinGroup,
    /// A call by its name, with its flags: what is looked for is whether the kernel has it and knows them.
    Call {
        /// As its man page has it.
        name: String,
        /// All of its flags.
        flags: u64,
    },
    /// Anything else: what is looked for is a right that it wants.
    Other,
}

/// A namespace that was to be entered.
#[derive(Debug)]
pub struct Enter {
    /// Its kind; `None`: it is not known which of several it was.
    pub kind: Option<Kind>,
    /// Its open file.
    pub file: Option<OwnedFd>,
    /// The process whose namespace it is.
    pub target: Option<i32>,
    /// A user namespace was to be entered as well.
    pub with_user: bool,
}

/// Which of the two maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ids {
    /// `uid_map`.
    User,
    /// `gid_map`.
    Group,
}

/// Who was to write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// The process itself, from inside.
    Itself,
    /// The caller, from outside.
    Caller,
    /// newuidmap(1) or newgidmap(1), called by the caller.
    Helper,
}

/// Maps that were to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maps {
    /// The lines of `uid_map`; none: it was not to be written.
    pub uid: Vec<IdMap>,
    /// Those of `gid_map`.
    pub gid: Vec<IdMap>,
    /// By whom.
    pub writer: Writer,
}

/// What stands around a step that failed, for those that need it to tell what they have tried.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    /// What was noted with the failure.
    pub said: Option<&'a str>,
    /// The plan enters a user namespace somewhere.
    pub enters_user: bool,
    /// The open descriptors of the plan.
    pub kit: &'a Kit,
    /// The directory in which the plan keeps what is changed.
    pub kept: Option<&'a str>,
}
