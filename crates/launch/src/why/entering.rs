//! Why a namespace could not be entered, setns(2): from who owns it, and what the process is.

use super::act::Enter;
use super::key::keys;
use super::subject::Subject;
use super::user_namespace::UserNamespace;
use crate::fault::{Call, Fault};
use crate::kind::Kind;
use insula_sys::nsfs;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::fstat;
use rustix::io::Errno;
use std::fmt;

/// `CAP_SYS_CHROOT`, capabilities(7).
const CAP_SYS_CHROOT: u32 = 18;
/// `CAP_SYS_ADMIN`.
const CAP_SYS_ADMIN: u32 = 21;

/// The cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entering {
    /// The process whose namespace it is has ended.
    Gone(i32),
    /// The file is a namespace of another kind.
    WrongKind {
        /// What was asked for.
        wanted: Kind,
        /// What it is.
        is: Kind,
    },
    /// It is the process' own user namespace.
    OwnUser,
    /// The process has several threads.
    Threads {
        /// How many.
        count: u32,
        /// What it would enter.
        kind: Kind,
    },
    /// Another process shares its root and working directory (`CLONE_FS`).
    SharedDirectories(Kind),
    /// The pid namespace is not below that of the process.
    PidNotBelow,
    /// The user namespace is somebody else's.
    UserOfAnother {
        /// Which it is.
        user: UserNamespace,
        /// Who would enter.
        uid: u32,
    },
    /// It is the process' own namespace, and it has no CAP_SYS_ADMIN.
    OwnAlready(Kind),
    /// The owner is neither the process' own user namespace nor below that.
    OutOfView(Kind),
    /// The owner is the process' own user namespace, where it has no CAP_SYS_ADMIN.
    Capability {
        /// What it would enter.
        kind: Kind,
        /// The owner.
        user: UserNamespace,
    },
    /// The owner is a user namespace below, which was not to be entered.
    OwnedBelow {
        /// What it would enter.
        kind: Kind,
        /// The owner.
        user: UserNamespace,
        /// The owner is the target's own.
        targets: bool,
    },
    /// A mount namespace wants CAP_SYS_CHROOT as well.
    NoSysChroot(UserNamespace),
}

keys! { Entering {
    Gone = "process-gone",
    WrongKind = "namespace-of-another-kind",
    OwnUser = "enter-own-user-namespace",
    Threads = "enter-with-threads",
    SharedDirectories = "enter-with-shared-directories",
    PidNotBelow = "enter-pid-namespace-not-below",
    UserOfAnother = "enter-user-namespace-of-another",
    OwnAlready = "enter-own-namespace",
    OutOfView = "enter-owner-out-of-view",
    Capability = "enter-no-capability",
    OwnedBelow = "enter-owner-below",
    NoSysChroot = "enter-no-sys-chroot",
} }

impl fmt::Display for Entering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone(pid) => write!(f, "process {pid} has ended"),
            Self::WrongKind { wanted, is } => {
                write!(f, "it is a {} namespace, and no {} namespace", is.name(), wanted.name())
            }
            Self::OwnUser => f.write_str(
                "it is this process' own user namespace already, and the kernel lets nobody enter that again, and so get back \
                 capabilities that were dropped",
            ),
            Self::Threads { count, kind } => write!(
                f,
                "this process has {count} threads, and the kernel lets only a process of one into a {} namespace",
                kind.name()
            ),
            Self::SharedDirectories(kind) => write!(
                f,
                "this process has one thread, and yet its root and working directory are not its alone: another process must \
                 share them (CLONE_FS), and the kernel lets nobody into a {} namespace so",
                kind.name()
            ),
            Self::PidNotBelow => f.write_str(
                "it is neither this process' own pid namespace nor below that: a process can only go down",
            ),
            Self::UserOfAnother { user, uid } => write!(
                f,
                "{user} is not for user {uid} to enter: that wants CAP_SYS_ADMIN in it, which its maker has, and root of the one \
                 above"
            ),
            Self::OwnAlready(kind) => write!(
                f,
                "it is this process' own {} namespace already, and to enter it again wants CAP_SYS_ADMIN where it is owned",
                kind.name()
            ),
            Self::OutOfView(kind) => write!(
                f,
                "the {} namespace is owned by a user namespace that is neither this process' own nor below: nothing that it \
                 does gives it CAP_SYS_ADMIN there",
                kind.name()
            ),
            Self::Capability { kind, user } => write!(
                f,
                "the {} namespace is owned by {user}, where this process is and has no CAP_SYS_ADMIN",
                kind.name()
            ),
            Self::OwnedBelow { kind, user, targets } => write!(
                f,
                "the {} namespace is owned by {}{user}, which this process has not entered",
                kind.name(),
                if *targets { "the target's " } else { "" }
            ),
            Self::NoSysChroot(user) => write!(
                f,
                "a mount namespace wants CAP_SYS_CHROOT besides CAP_SYS_ADMIN, and this process does not have it in {user}"
            ),
        }
    }
}

impl Entering {
    /// What to do about it.
    pub fn cure(&self) -> String {
        let flag = |kind: Kind| if kind == Kind::Mnt { "mount" } else { kind.name() };
        match self {
            Self::Gone(_) => "find one that runs: `lsns` lists namespaces with their processes".to_owned(),
            Self::WrongKind { is, .. } => format!("`--{}=FILE` enters it", flag(*is)),
            Self::OwnUser => "leave `--user` out".to_owned(),
            Self::Threads { .. } => "enter it before the first thread is made, or in a child".to_owned(),
            Self::SharedDirectories(_) => {
                "call unshare(2) with CLONE_FS first, or enter it in a child of its own".to_owned()
            }
            Self::PidNotBelow => "call it from that pid namespace, or from one above".to_owned(),
            Self::UserOfAnother { .. } => "be the user who made it, or root of the one above".to_owned(),
            Self::OwnAlready(kind) => {
                format!("leave `--{}` out, and instead of `--all` name the kinds that are wanted", flag(*kind))
            }
            Self::OutOfView(_) => "call it from that user namespace, mostly as root of the machine".to_owned(),
            Self::Capability { .. } => "be root there".to_owned(),
            Self::OwnedBelow { targets: true, .. } => {
                "with `--user` this process enters that as well, and is root there".to_owned()
            }
            Self::OwnedBelow { user, .. } => format!(
                "enter that one as well: `--user=FILE`, of a process in it (`lsns --type user` shows which is in {})",
                user.inode
            ),
            Self::NoSysChroot(_) => {
                "whoever starts this process has to leave it the capability (Docker, Podman: `--cap-add SYS_CHROOT`)".to_owned()
            }
        }
    }
}

/// Looks for the cause.
pub(super) fn refused(enter: &Enter, fault: Fault, subject: &Subject) -> Option<Entering> {
    if let Some(pid) = enter.target.filter(|pid| has_ended(*pid)) {
        return Some(Entering::Gone(pid));
    }
    if fault.call != Call::Setns {
        return None;
    }
    let file = enter.file.as_ref();
    match fault.errno {
        Errno::INVAL => senseless(enter.kind?, file, subject),
        // Only a time namespace has that.
        Errno::USERS if matches!(enter.kind, None | Some(Kind::Time)) => several_threads(Kind::Time, subject),
        Errno::PERM => not_permitted(enter, file?, subject),
        _ => None,
    }
}

/// A process that is gone, or waits to be reaped.
fn has_ended(pid: i32) -> bool {
    let status = Subject::process(pid).read("status");
    status.is_none_or(|text| {
        text.lines().any(|line| line.starts_with("State:\tZ") || line.starts_with("State:\tX"))
    })
}

fn several_threads(kind: Kind, subject: &Subject) -> Option<Entering> {
    let count = subject.status()?.threads;
    (count > 1).then_some(Entering::Threads { count, kind })
}

/// EINVAL: what cannot be, whoever asks.
fn senseless(kind: Kind, file: Option<&OwnedFd>, subject: &Subject) -> Option<Entering> {
    if let Some(is) = file.and_then(kind_of).filter(|is| *is != kind) {
        return Some(Entering::WrongKind { wanted: kind, is });
    }
    match kind {
        Kind::User if file.is_some_and(|file| is_own(kind, file, subject)) => Some(Entering::OwnUser),
        Kind::User | Kind::Mnt => {
            several_threads(kind, subject).or(file.map(|_| Entering::SharedDirectories(kind)))
        }
        Kind::Pid => Some(Entering::PidNotBelow),
        _ => None,
    }
}

fn kind_of(file: &OwnedFd) -> Option<Kind> {
    let flag = u64::try_from(nsfs::kind(file.as_fd()).ok()?).ok()?;
    Kind::ALL.into_iter().find(|kind| kind.flag() == flag)
}

fn is_own(kind: Kind, file: &OwnedFd, subject: &Subject) -> bool {
    let inode = |file: &OwnedFd| fstat(file).ok().map(|stat| stat.st_ino);
    let own = subject.open(&format!("ns/{}", kind.name()));
    own.is_some_and(|own| inode(&own).is_some() && inode(&own) == inode(file))
}

fn not_permitted(enter: &Enter, file: &OwnedFd, subject: &Subject) -> Option<Entering> {
    let (kind, status) = (kind_of(file)?, subject.status()?);
    if kind == Kind::User {
        let user = UserNamespace::behind(file)?;
        return Some(Entering::UserOfAnother { user, uid: status.uid[1] });
    }
    let admin = status.has(CAP_SYS_ADMIN);
    if is_own(kind, file, subject) && !admin {
        return Some(Entering::OwnAlready(kind));
    }
    let own = UserNamespace::of(subject)?;
    let owner = match nsfs::owner(file.as_fd()) {
        Err(Errno::PERM) => return Some(Entering::OutOfView(kind)),
        owner => owner.ok()?,
    };
    let user = UserNamespace::behind(&owner)?;
    if user.inode == own.inode && !admin {
        return Some(Entering::Capability { kind, user });
    }
    if user.inode != own.inode && !is_below(&owner, &own) {
        return Some(Entering::OutOfView(kind));
    }
    if user.inode != own.inode && !enter.with_user {
        let target = enter.target.and_then(|pid| UserNamespace::of(&Subject::process(pid)));
        let targets = target.is_some_and(|target| target.inode == user.inode);
        return Some(Entering::OwnedBelow { kind, user, targets });
    }
    (kind == Kind::Mnt && admin && !status.has(CAP_SYS_CHROOT)).then_some(Entering::NoSysChroot(own))
}

/// Is a user namespace below this one?
fn is_below(user: &OwnedFd, own: &UserNamespace) -> bool {
    let mut next = nsfs::parent(user.as_fd()).ok();
    while let Some(above) = next {
        if UserNamespace::behind(&above).is_some_and(|above| above.inode == own.inode) {
            return true;
        }
        next = nsfs::parent(above.as_fd()).ok();
    }
    false
}
