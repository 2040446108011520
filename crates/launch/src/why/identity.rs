//! Why other ids could not be taken on: setuid(2), setgid(2), setgroups(2) and their like.

use super::act::Ids;
use super::key::keys;
use super::subject::Subject;
use super::user_namespace::UserNamespace;
use crate::fault::{Call, Fault};
use crate::id_map::IdMap;
use rustix::io::Errno;
use std::fmt;

/// `CAP_SETGID`, capabilities(7).
const CAP_SETGID: u32 = 6;
/// `CAP_SETUID`.
const CAP_SETUID: u32 = 7;

/// The cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// The id is not mapped in the user namespace.
    Unmapped {
        /// Of a user or a group.
        ids: Ids,
        /// The id.
        id: u32,
        /// What is mapped.
        mapped: Vec<IdMap>,
    },
    /// The capability is missing.
    Capability {
        /// CAP_SETUID or CAP_SETGID.
        name: &'static str,
        /// Where.
        user: UserNamespace,
    },
    /// setgroups(2) is denied in the user namespace.
    GroupsDenied,
    /// setgroups(2) waits for the group map.
    NoGroupMap,
}

keys! { Identity {
    Unmapped = "id-not-mapped",
    Capability = "ids-no-capability",
    GroupsDenied = "groups-denied",
    NoGroupMap = "groups-before-map",
} }

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unmapped { ids, id, mapped } => {
                write!(f, "{} {id} is not mapped in this user namespace; {} has", ids.word(), ids.file())?;
                if mapped.is_empty() {
                    return f.write_str(" no line");
                }
                let last = |line: &IdMap| u64::from(line.inside) + u64::from(line.size) - 1;
                mapped.iter().try_for_each(|line| match line.size {
                    1 => write!(f, " {}", line.inside),
                    _ => write!(f, " {}–{}", line.inside, last(line)),
                })
            }
            Self::Capability { name, user } => {
                write!(f, "changing ids wants {name}, which this process does not have in {user}")
            }
            Self::GroupsDenied => {
                f.write_str("this user namespace denies setgroups(2) (/proc/self/setgroups says `deny`)")
            }
            Self::NoGroupMap => f.write_str(
                "gid_map of this user namespace is not written yet, and setgroups(2) waits for that",
            ),
        }
    }
}

impl Identity {
    /// What to do about it.
    pub fn cure(&self) -> String {
        match self {
            Self::Unmapped { .. } => {
                "take one of those; more are given by ranges in /etc/subuid and /etc/subgid, which `insula run` maps by itself \
                 where newuidmap is there, unshare by `--map-auto`"
            }
            Self::Capability { .. } => {
                "root has it; in a user namespace of one's own (`--user --map-root-user`) it counts for the ids mapped there"
            }
            Self::GroupsDenied => {
                "one whose group map has a single id written by an ordinary user must: unshare's `--map-auto` maps ranges by \
                 newgidmap, and denies nothing; nsenter's `--preserve-credentials` keeps ids and groups as they are"
            }
            Self::NoGroupMap => "write the group map first: `--map-root-user`, `--map-auto`",
        }
        .to_owned()
    }
}

/// Looks for the cause.
pub(super) fn refused(uid: Option<u32>, gids: &[u32], fault: Fault, subject: &Subject) -> Option<Identity> {
    let (ids, number, name) = match fault.call {
        Call::Setuid | Call::Setresuid => (Ids::User, CAP_SETUID, "CAP_SETUID"),
        Call::Setgid | Call::Setresgid | Call::Setgroups => (Ids::Group, CAP_SETGID, "CAP_SETGID"),
        _ => return None,
    };
    match fault.errno {
        Errno::INVAL => {
            let mapped = IdMap::parse(&subject.read(ids.file())?);
            let wanted = if ids == Ids::User { uid.as_slice() } else { gids };
            let id = *wanted.iter().find(|id| !mapped.iter().any(|line| line.holds(**id, true)))?;
            Some(Identity::Unmapped { ids, id, mapped })
        }
        Errno::PERM if !subject.status()?.has(number) => {
            Some(Identity::Capability { name, user: UserNamespace::of(subject)? })
        }
        Errno::PERM if fault.call == Call::Setgroups => {
            let denied = subject.read("setgroups").is_some_and(|text| text.trim() == "deny");
            let unmapped = subject.read("gid_map").is_some_and(|text| text.trim().is_empty());
            match (unmapped, denied) {
                (_, true) => Some(Identity::GroupsDenied),
                (true, _) => Some(Identity::NoGroupMap),
                _ => None,
            }
        }
        _ => None,
    }
}
