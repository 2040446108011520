//! What was tried and refused, with what the looking needs to know of it.

use crate::fault::Fault;
use crate::id_map::IdMap;
use crate::kind::Kind;

/// A refused call of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What it was to do.
    pub act: Act,
    /// The call, and its errno.
    pub fault: Fault,
}

/// What was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// New namespaces of these kinds, in one call: unshare(2), clone3(2), clone(2).
    Make(Vec<Kind>),
    /// A new process in the namespaces that are there.
    Fork,
    /// A namespace entered: setns(2).
    Enter(Enter),
    /// A map written, or another program asked to do so.
    Map(Map),
    /// `allow` (`true`) or `deny` written to /proc/PID/setgroups.
    Setgroups(bool),
    /// Other ids taken on: setuid(2), setgid(2), setgroups(2) and their like; the ids that are known.
    SetIds {
        /// The user id.
        uid: Option<u32>,
        /// The group ids.
        gids: Vec<u32>,
    },
}

/// A namespace that was to be entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enter {
    /// Its kind; `None`: it is not known which of several it was.
    pub kind: Option<Kind>,
    /// A path that leads to it, as the looking process sees it.
    pub path: Option<String>,
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

/// A map that was to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Map {
    /// Which.
    pub ids: Ids,
    /// Its lines.
    pub lines: Vec<IdMap>,
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
}
