//! A right that is lacking: which capability, and in which user namespace it would have to be, capabilities(7),
//! user_namespaces(7).

use super::key::keys;
use super::subject::Subject;
use super::user_namespace::{self, UserNamespace};
use crate::fault::{Call, Fault};
use rustix::io::Errno;
use std::fmt;

/// The cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Right {
    /// The process has not the capability.
    Lacking {
        /// Its name.
        capability: &'static str,
        /// What wants it: `a mount`.
        matter: &'static str,
        /// The process's user id.
        uid: u32,
        /// The user namespace that it is in.
        userns: Option<UserNamespace>,
    },
    /// It has it in its own user namespace, which does not own what it would be for.
    Elsewhere {
        /// Its name.
        capability: &'static str,
        /// The kind of namespace that is another's.
        kind: &'static str,
    },
}

keys! { Right {
    Lacking = "capability-lacking",
    Elsewhere = "capability-elsewhere",
} }

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Right::Lacking { capability, matter, uid, userns } => {
                write!(f, "{matter} wants {capability}, which this process (uid {uid}) does not have")?;
                userns.map_or(Ok(()), |userns| write!(f, " in {userns}"))
            }
            Right::Elsewhere { capability, kind } => write!(
                f,
                "this process has {capability} in its user namespace, and its {kind} namespace is owned by another one, where that \
                 does not count"
            ),
        }
    }
}

impl Right {
    /// What to do about it.
    pub fn cure(&self) -> String {
        match self {
            Right::Lacking { .. } => {
                "be root, or work in a user namespace of your own, where you have all of them: `unshare --map-root-user`, `insula run`".to_owned()
            }
            Right::Elsewhere { kind, .. } => {
                let flag = if *kind == "mnt" { "mount" } else { kind };
                format!("make a {kind} namespace of your own in this user namespace: `--{flag}`")
            }
        }
    }
}

/// What a call wants: the capability by number and name, the kind of namespace that it acts on, and the matter in words.
fn wanted(call: Call) -> Option<(u32, &'static str, Option<&'static str>, &'static str)> {
    Some(match call {
        Call::Mount
        | Call::Umount2
        | Call::PivotRoot
        | Call::MoveMount
        | Call::OpenTree
        | Call::MountSetattr
        | Call::Fsopen
        | Call::Fsmount => (21, "CAP_SYS_ADMIN", Some("mnt"), "a mount"),
        Call::Sethostname | Call::Setdomainname => (21, "CAP_SYS_ADMIN", Some("uts"), "a host name"),
        Call::Chroot => (18, "CAP_SYS_CHROOT", None, "another root directory"),
        Call::Prlimit => (24, "CAP_SYS_RESOURCE", None, "a limit above the present hard one"),
        Call::Mknodat => (27, "CAP_MKNOD", None, "a device node"),
        Call::Fchown => (0, "CAP_CHOWN", None, "another owner of a file"),
        _ => return None,
    })
}

/// Looks for the right that a refused call lacks.
pub(super) fn lacking(fault: Fault, subject: &Subject) -> Option<Right> {
    if fault.errno != Errno::PERM {
        return None;
    }
    let (number, capability, kind, matter) = wanted(fault.call)?;
    capable(number, capability, kind, matter, subject)
}

/// Why a process may not do what wants this capability in the user namespace that owns its namespace of that kind.
/// `None`: it may, as far as that is seen.
pub fn capable(
    number: u32,
    capability: &'static str,
    kind: Option<&'static str>,
    matter: &'static str,
    subject: &Subject,
) -> Option<Right> {
    let status = subject.status()?;
    if !status.has(number) {
        let userns = UserNamespace::of(subject);
        return Some(Right::Lacking { capability, matter, uid: status.uid[1], userns });
    }
    let kind = kind?;
    (user_namespace::owns(subject, kind) == Some(false)).then_some(Right::Elsewhere { capability, kind })
}
