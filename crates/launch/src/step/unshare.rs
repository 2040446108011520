//! New namespaces for this process itself, unshare(2).

use super::propagation::{Mode, change};
use super::{Child, Describe};
use crate::fault::{Call, Done, Fault};
use crate::plan::{Kind, mask};
use crate::why::{Act, Around};
use rustix::io::Errno;
use std::borrow::Cow;
use std::fmt;

/// The step.
#[derive(Debug)]
pub struct Unshare {
    /// Which kinds; a pid namespace is for children only, a time namespace for children and what is executed.
    pub kinds: Vec<Kind>,
}

impl Unshare {
    pub(super) fn run(&self, _at: &mut Child<'_>) -> Done {
        insula_sys::birth::unshare(mask(&self.kinds)).map_err(Call::Unshare.failed())
    }
}

impl fmt::Display for Unshare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("move into new namespaces:")?;
        self.kinds.iter().try_for_each(|kind| write!(f, " {}", kind.name()))
    }
}

impl Describe for Unshare {
    const NAME: &'static str = "unshare";

    fn why(&self) -> Cow<'static, str> {
        match self.kinds.contains(&Kind::User) {
            true => "in one call: the kernel makes the user namespace first, and it owns the others".into(),
            false => "in one call, before anything is done in them".into(),
        }
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        if fault.call != Call::Unshare {
            return None;
        }
        match fault.errno {
            Errno::NOSPC => Some(limits(&self.kinds).into()),
            errno => refused_kinds(errno, self.kinds.contains(&Kind::User)).map(Cow::from),
        }
    }

    fn act(&self, fault: &Fault, _around: &Around<'_>) -> Option<Act> {
        match fault.call {
            Call::Unshare => Some(Act::Make(self.kinds.clone())),
            _ => super::propagation::changed(fault),
        }
    }
}

/// The limits that unshare(2) may have met, by the names of their files.
fn limits(kinds: &[Kind]) -> String {
    let sysctl = |kind: &Kind| format!("user.max_{}_namespaces", kind.name());
    let sysctls = kinds.iter().map(sysctl).collect::<Vec<_>>().join(", ");
    let nesting = match (kinds.contains(&Kind::User), kinds.contains(&Kind::Pid)) {
        (true, true) => ", 33 levels of user and 32 of pid namespaces",
        (true, false) => ", 33 levels of user namespaces",
        (false, true) => ", 32 levels of pid namespaces",
        (false, false) => "",
    };
    format!("a limit is reached (namespaces(7)), here or in a user namespace above: {sysctls}{nesting}")
}

/// A new namespace if it can be had, else none.
#[derive(Debug)]
pub struct TryUnshare {
    /// Which kind.
    pub kind: Kind,
    /// What becomes of the mounts of a new mount namespace.
    pub propagation: Option<Mode>,
}

impl TryUnshare {
    pub(super) fn run(&self, at: &mut Child<'_>) -> Done {
        match insula_sys::birth::unshare(self.kind.flag()) {
            Ok(()) => self.propagation.map_or(Ok(()), change),
            Err(errno) => {
                at.skipped.note(self.kind.flag(), errno);
                Ok(())
            }
        }
    }
}

impl fmt::Display for TryUnshare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "move into a new {} namespace if that can be had", self.kind.name())?;
        match self.propagation {
            Some(mode) => write!(f, ", and make every mount in it {mode}"),
            None => Ok(()),
        }
    }
}

impl Describe for TryUnshare {
    const NAME: &'static str = "try-unshare";

    fn why(&self) -> Cow<'static, str> {
        match self.kind {
            Kind::User => {
                "by itself, as it may be refused; first, since it owns those that are made after it".into()
            }
            _ => "by itself: what the kernel or our rights forbid stays as it is".into(),
        }
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        super::propagation::refused(fault).map(Cow::from)
    }

    fn act(&self, fault: &Fault, _around: &Around<'_>) -> Option<Act> {
        super::propagation::changed(fault)
    }
}

/// What to do where the kernel refuses new namespaces, clone(2) and unshare(2).
pub fn refused_kinds(errno: Errno, makes_user: bool) -> Option<&'static str> {
    Some(match errno {
        Errno::PERM if makes_user => {
            "a sysctl or a security module forbids user namespaces to this user (kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns), or we are in a chroot"
        }
        Errno::PERM => "new namespaces want CAP_SYS_ADMIN; without root make a user namespace as well",
        Errno::NOSPC => {
            "a limit of nesting or number is reached: user.max_*_namespaces, 33 levels of user, 32 of pid"
        }
        Errno::INVAL => "this kernel lacks one of these kinds of namespace",
        Errno::AGAIN => "the limit of processes is reached: `ulimit -u`, pids.max, kernel.pid_max",
        _ => return None,
    })
}
