//! Why a process may not be looked into, ptrace(2) ("Ptrace access mode checking"): most of /proc/PID is for who may trace it.

use super::key::keys;
use super::subject::Subject;
use super::user_namespace::UserNamespace;
use rustix::fs::{AtFlags, CWD, statat};
use std::fmt;

/// `CAP_SYS_PTRACE`, capabilities(7).
const CAP_SYS_PTRACE: u32 = 19;

/// The cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Looking {
    /// The process has other ids.
    OtherUser {
        /// Its pid.
        pid: i32,
        /// Whose it is.
        theirs: u32,
        /// Who looks.
        ours: u32,
    },
    /// It is in a user namespace that is not below.
    OtherUserNamespace {
        /// Its pid.
        pid: i32,
    },
    /// It has capabilities that who looks has not.
    MoreCapabilities {
        /// Its pid.
        pid: i32,
        /// Where one would need CAP_SYS_PTRACE.
        user: UserNamespace,
    },
    /// It has closed itself to others (`PR_SET_DUMPABLE`).
    NotDumpable {
        /// Its pid.
        pid: i32,
    },
}

keys! { Looking {
    OtherUser = "process-of-another-user",
    OtherUserNamespace = "process-of-another-user-namespace",
    MoreCapabilities = "process-with-more-capabilities",
    NotDumpable = "process-not-dumpable",
} }

impl fmt::Display for Looking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherUser { pid, theirs, ours } => write!(
                f,
                "process {pid} is user {theirs}'s, and this one is user {ours}, without the CAP_SYS_PTRACE that looking into \
                 another's process wants"
            ),
            Self::OtherUserNamespace { pid } => write!(
                f,
                "process {pid} is in a user namespace that is neither this process' own nor below, and looking into it wants \
                 CAP_SYS_PTRACE there"
            ),
            Self::MoreCapabilities { pid, user } => write!(
                f,
                "process {pid} has capabilities that this one has not, and looking into it wants CAP_SYS_PTRACE in {user}"
            ),
            Self::NotDumpable { pid } => write!(
                f,
                "process {pid} has closed itself to all but root (it has changed its ids, is a program that gained rights, or \
                 asked for it: PR_SET_DUMPABLE)"
            ),
        }
    }
}

impl Looking {
    /// What to do about it.
    pub fn cure(&self) -> String {
        match self {
            Self::OtherUser { .. } => "be root, or that user",
            Self::OtherUserNamespace { .. } => {
                "call it from that user namespace or from one above, mostly as root of the machine"
            }
            Self::MoreCapabilities { .. } | Self::NotDumpable { .. } => "be root there",
        }
        .to_owned()
    }
}

/// Looks at both: who may not look, and what it may not look into.
pub(super) fn refused(pid: i32, subject: &Subject) -> Option<Looking> {
    let target = Subject::process(pid);
    let (ours, theirs) = (subject.status()?, target.status()?);
    let user = UserNamespace::of(subject)?;
    // Each map is shown as the reader has it: where they differ the user namespaces do.
    let elsewhere = subject.read("uid_map") != target.read("uid_map");
    if !ours.has(CAP_SYS_PTRACE) {
        let other = theirs.uid[..3].iter().find(|uid| **uid != ours.uid[3]);
        let group = theirs.gid[..3].iter().any(|gid| *gid != ours.gid[3]);
        if let Some(theirs) = other {
            return Some(Looking::OtherUser { pid, theirs: *theirs, ours: ours.uid[1] });
        }
        if group {
            return Some(Looking::OtherUser { pid, theirs: theirs.uid[1], ours: ours.uid[1] });
        }
    }
    if elsewhere {
        return Some(Looking::OtherUserNamespace { pid });
    }
    if ours.has(CAP_SYS_PTRACE) {
        return None;
    }
    if theirs.permitted & !ours.permitted != 0 {
        return Some(Looking::MoreCapabilities { pid, user });
    }
    // What a process that is closed has in its directory of /proc is root's.
    let owner = statat(CWD, format!("/proc/{pid}/status"), AtFlags::empty()).ok()?.st_uid;
    (owner != theirs.uid[1]).then_some(Looking::NotDumpable { pid })
}
