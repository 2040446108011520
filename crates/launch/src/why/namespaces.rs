//! Why a new namespace was refused, unshare(2), clone(2), namespaces(7).

use super::key::keys;
use super::subject::{Subject, sysctl};
use crate::fault::Fault;
use crate::kind::Kind;
use rustix::io::Errno;
use std::fmt;

/// The cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewNamespace {
    /// `user.max_*_namespaces` is 0.
    Off(Kind),
}

keys! { NewNamespace {
    Off = "namespaces-off",
} }

impl fmt::Display for NewNamespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NewNamespace::Off(kind) => {
                write!(f, "user.max_{}_namespaces is 0 in this user namespace", kind.name())
            }
        }
    }
}

impl NewNamespace {
    /// What to do about it.
    pub fn cure(&self) -> String {
        match self {
            NewNamespace::Off(kind) => {
                format!("as root of it: `sysctl user.max_{}_namespaces=1000`", kind.name())
            }
        }
    }
}

/// Looks for the cause of refused namespaces.
pub(super) fn made(kinds: &[Kind], fault: Fault, _subject: &Subject) -> Option<NewNamespace> {
    match fault.errno {
        Errno::NOSPC => {
            kinds.iter().find(|kind| limit(**kind) == Some(0)).map(|kind| NewNamespace::Off(*kind))
        }
        _ => None,
    }
}

fn limit(kind: Kind) -> Option<u64> {
    sysctl(&format!("user/max_{}_namespaces", kind.name()))?.parse().ok()
}
