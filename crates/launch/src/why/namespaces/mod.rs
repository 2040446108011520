//! Why a new namespace was refused, unshare(2), clone(2), namespaces(7).

mod limits;
mod look;

use super::key::keys;
use super::user_namespace::UserNamespace;
use crate::kind::Kind;
pub(super) use look::made;
use std::fmt;

/// The levels of user namespaces below the initial one, user_namespaces(7).
const USER_LEVELS: usize = 33;
/// Those of pid namespaces, pid_namespaces(7).
const PID_LEVELS: usize = 32;

/// A user namespace with limits of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Which one.
    pub which: UserNamespace,
    /// It is the one that the process is in.
    pub here: bool,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.here && !self.which.is_initial() {
            true => f.write_str("this user namespace"),
            false => self.which.fmt(f),
        }
    }
}

/// The cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewNamespace {
    /// `user.max_*_namespaces` is 0.
    Off {
        /// Which kind.
        kind: Kind,
        /// Where it is set so.
        place: Place,
    },
    /// As many as are allowed are in use.
    UsedUp {
        /// Which kind.
        kind: Kind,
        /// The limit.
        max: u64,
        /// How many are seen.
        seen: u64,
        /// Where the limit is set.
        place: Place,
    },
    /// Fewer than are allowed are seen, and yet there can be no more.
    Unseen {
        /// Which kind.
        kind: Kind,
        /// The limit.
        max: u64,
        /// How many are seen.
        seen: u64,
        /// Where the limit is set.
        place: Place,
    },
    /// A limit is reached above the user namespaces that are seen.
    LimitAbove(Kind),
    /// As many user or pid namespaces are within one another as the kernel allows.
    Levels(Kind),
    /// `kernel.unprivileged_userns_clone` is 0, a setting of Debian's and Ubuntu's kernels.
    UnprivilegedOff,
    /// The process is in a chroot.
    Chroot {
        /// Where its root is, for who is outside.
        path: Option<String>,
    },
    /// An effective id of the process is not mapped in its own user namespace.
    OwnIdsUnmapped {
        /// It is the user's; else the group's.
        user: bool,
        /// What the id looks like.
        id: u32,
    },
    /// CAP_SYS_ADMIN is missing.
    Capability {
        /// A kind that wants it.
        kind: Kind,
        /// The user namespace where it is wanted.
        user: UserNamespace,
        /// It is out of the bounding set too: not even root gets it.
        dropped: bool,
    },
    /// This kernel was built without the kind.
    KindMissing(Kind),
    /// unshare(2) makes no user namespace for one of several threads.
    Threads(u32),
    /// Children are born in another pid namespace already.
    PidTwice,
    /// The pid namespace of the children is owned by a user namespace that this one is not below.
    PidOwner,
}

keys! { NewNamespace {
    Off = "namespaces-off",
    UsedUp = "namespaces-used-up",
    Unseen = "namespaces-used-up-unseen",
    LimitAbove = "namespaces-limit-above",
    Levels = "namespaces-levels",
    UnprivilegedOff = "user-namespaces-root-only",
    Chroot = "user-namespace-in-chroot",
    OwnIdsUnmapped = "user-namespace-own-ids-unmapped",
    Capability = "namespaces-no-capability",
    KindMissing = "namespaces-kind-missing",
    Threads = "user-namespace-threads",
    PidTwice = "pid-namespace-twice",
    PidOwner = "pid-namespace-owner",
} }

impl fmt::Display for NewNamespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off { kind, place } => {
                write!(f, "user.max_{}_namespaces is 0 in {place}", kind.name())
            }
            Self::UsedUp { kind, max, seen, place } => {
                write!(f, "user.max_{}_namespaces is {max} in {place}, and {seen} are in use", kind.name())
            }
            Self::Unseen { kind, max, seen, place } => write!(
                f,
                "user.max_{}_namespaces is {max} in {place}, and of those in use {seen} are seen: the others are held by what no \
                 process shows, or are being taken down{}",
                kind.name(),
                if place.which.is_initial() { "" } else { "; or a limit above is reached" }
            ),
            Self::LimitAbove(kind) => {
                write!(f, "a limit of {} namespaces is reached above this user namespace", kind.name())?;
                match kind {
                    Kind::User => write!(f, ", or {USER_LEVELS} are within one another; neither is shown in here"),
                    Kind::Pid => write!(f, ", or {PID_LEVELS} are within one another; neither is shown in here"),
                    _ => f.write_str("; which it is is not shown in here"),
                }
            }
            Self::Levels(Kind::Pid) => {
                write!(f, "{PID_LEVELS} pid namespaces are within one another here, and the kernel allows no more")
            }
            Self::Levels(_) => {
                write!(f, "{USER_LEVELS} user namespaces are within one another here, and the kernel allows no more")
            }
            Self::UnprivilegedOff => f.write_str(
                "kernel.unprivileged_userns_clone is 0: only root of the machine may make user namespaces",
            ),
            Self::Chroot { path } => {
                f.write_str("this process is in a chroot")?;
                if let Some(path) = path {
                    write!(f, " (`{path}`)")?;
                }
                f.write_str(", and the kernel lets nobody make a user namespace there")
            }
            Self::OwnIdsUnmapped { user, id } => write!(
                f,
                "this process has a {} id that is not mapped in its own user namespace (it shows as {id}), so that nobody there \
                 could own the new one",
                if *user { "user" } else { "group" }
            ),
            Self::Capability { kind, user, dropped } => write!(
                f,
                "a new {} namespace wants CAP_SYS_ADMIN, which this process does not have in {user}{}",
                kind.name(),
                if *dropped { ", nor can get: it is out of its bounding set" } else { "" }
            ),
            Self::KindMissing(kind) => {
                write!(f, "this kernel has no {} namespaces: there is no /proc/self/ns/{0}", kind.name())
            }
            Self::Threads(count) => write!(
                f,
                "this process has {count} threads, and the kernel makes a user namespace only for a process of one"
            ),
            Self::PidTwice => f.write_str(
                "children of this process are born in another pid namespace already, and a second one within that can only be \
                 made by such a child",
            ),
            Self::PidOwner => f.write_str(
                "the pid namespace that children are born in is owned by a user namespace which this process has not entered",
            ),
        }
    }
}

impl NewNamespace {
    /// What to do about it.
    pub fn cure(&self) -> String {
        match self {
            Self::Off { kind, place } => format!(
                "{}: `sysctl user.max_{}_namespaces=10000`; a file in /etc/sysctl.d may set it at every boot",
                root_of(place),
                kind.name()
            ),
            Self::UsedUp { kind, place, .. } | Self::Unseen { kind, place, .. } => format!(
                "`lsns --type {0}` lists them: end what needs none; or {1}: `sysctl user.max_{0}_namespaces=NUMBER`",
                kind.name(),
                root_of(place)
            ),
            Self::LimitAbove(kind) => format!(
                "look from outside, as root of the machine: `sysctl user.max_{0}_namespaces`, and `lsns --type {0}` for who \
                 has them",
                kind.name()
            ),
            Self::Levels(_) => "start it from a namespace further out".to_owned(),
            Self::UnprivilegedOff => {
                "as root of the machine: `sysctl kernel.unprivileged_userns_clone=1`".to_owned()
            }
            Self::Chroot { .. } => {
                "make the user namespace before the chroot: `unshare --user --map-root-user --root DIRECTORY`; or enter the \
                 tree by pivot_root(2), as `insula run DIRECTORY` does"
                    .to_owned()
            }
            Self::OwnIdsUnmapped { .. } => {
                "map it first: `--map-root-user` or `--map-current-user` where this user namespace is made, or take on a mapped \
                 id in it (/proc/self/uid_map, gid_map)"
                    .to_owned()
            }
            Self::Capability { dropped: true, .. } => {
                "whoever starts this process has to leave it the capability (Docker, Podman: `--cap-add SYS_ADMIN`); or make a \
                 user namespace as well, where it has all: `--user --map-root-user`"
                    .to_owned()
            }
            Self::Capability { .. } => {
                "be root there; or make a user namespace as well, in which this process is root: `--user --map-root-user`"
                    .to_owned()
            }
            Self::KindMissing(kind) => format!(
                "do without, or take a kernel with {}",
                match kind {
                    Kind::User => "CONFIG_USER_NS",
                    Kind::Pid => "CONFIG_PID_NS",
                    Kind::Net => "CONFIG_NET_NS",
                    Kind::Ipc => "CONFIG_IPC_NS",
                    Kind::Uts => "CONFIG_UTS_NS",
                    Kind::Time => "CONFIG_TIME_NS",
                    Kind::Cgroup => "CONFIG_CGROUPS",
                    Kind::Mnt => "mount namespaces",
                }
            ),
            Self::Threads(_) => "do it before the first thread is made, or in a child".to_owned(),
            Self::PidTwice => "add `--fork`: the child is in the new pid namespace, and can make another".to_owned(),
            Self::PidOwner => "enter that user namespace as well: nsenter's `--user`".to_owned(),
        }
    }
}

fn root_of(place: &Place) -> &'static str {
    match place.which.is_initial() {
        true => "as root of the machine",
        false => "as root of that user namespace",
    }
}
