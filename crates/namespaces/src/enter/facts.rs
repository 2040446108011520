//! What was found out about a request before the plan is compiled: plain data, which tests can make up.

use insula_launch::step::same_namespaces::Seen;
use std::ffi::CString;

/// Where a namespace was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It is the target's present one.
    AtTarget,
    /// It is open; for people, by which path or name.
    Open(String),
}

/// A namespace that is to be entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Join {
    /// Which one it is.
    pub seen: Seen,
    /// Where it was found.
    pub found: Found,
}

/// The target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TargetFacts {
    /// Its pid.
    pub pid: i32,
    /// It is held by a pidfd.
    pub by_pidfd: bool,
    /// It is held by its directory in /proc.
    pub by_directory: bool,
}

/// What we may in our own user namespace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rights {
    /// CAP_SYS_ADMIN.
    pub sys_admin: bool,
    /// CAP_SYS_CHROOT.
    pub sys_chroot: bool,
}

/// How we can look at ourselves after the namespaces have changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OwnView {
    /// By `/proc/self`, opened before.
    Directory,
    /// By our own pidfd.
    Pidfd,
    /// Not at all: no procfs, and a kernel before 6.11. setns(2) has to be believed.
    #[default]
    None,
}

/// The facts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The target, if one is needed.
    pub target: Option<TargetFacts>,
    /// What is entered, each kind once.
    pub joins: Vec<Join>,
    /// What we may before we enter anything.
    pub rights: Rights,
    /// How we can look at ourselves.
    pub own_view: OwnView,
    /// Our own user namespace denies setgroups(2), and so all below it; looked at only where our groups may stay.
    pub denies_setgroups: bool,
    /// The environment of the program.
    pub environment: Vec<CString>,
    /// The shell, if there is no program.
    pub shell: CString,
    /// The target's control groups, those that we are not in already: how many, and their names for people.
    pub cgroups: Option<(usize, String)>,
    /// The target's security context, where there is SELinux.
    pub context: Option<Vec<u8>>,
}
