//! The look at a process that was refused a new namespace.

use super::NewNamespace;
use super::limits::reached;
use crate::fault::{Call, Fault};
use crate::id_map::IdMap;
use crate::kind::Kind;
use crate::why::root::chrooted;
use crate::why::status::Status;
use crate::why::subject::{Subject, sysctl};
use crate::why::user_namespace::{UserNamespace, levels};
use insula_sys::nsfs;
use rustix::fd::AsFd;
use rustix::io::Errno;

/// `CAP_SYS_ADMIN`, capabilities(7).
const CAP_SYS_ADMIN: u32 = 21;

/// Looks for the cause.
pub(crate) fn made(kinds: &[Kind], fault: Fault, subject: &Subject) -> Option<NewNamespace> {
    match fault.errno {
        Errno::NOSPC => reached(kinds, subject),
        Errno::PERM if kinds.contains(&Kind::User) => user_denied(subject),
        Errno::PERM => no_capability(kinds, subject),
        Errno::INVAL => senseless(kinds, fault.call, subject),
        _ => None,
    }
}

/// Debian's setting, the chroot, the own ids.
fn user_denied(subject: &Subject) -> Option<NewNamespace> {
    // Seen without a procfs, which a chroot often lacks.
    if let Some(chrooted) = chrooted(subject) {
        return Some(NewNamespace::Chroot { path: chrooted.path });
    }
    let status = subject.status()?;
    let initial = UserNamespace::of(subject).is_some_and(|user| user.is_initial());
    let root = initial && status.has(CAP_SYS_ADMIN);
    if !root && sysctl("kernel/unprivileged_userns_clone").is_some_and(|value| value == "0") {
        return Some(NewNamespace::UnprivilegedOff);
    }
    unmapped(subject, status)
}

/// An effective id that is not mapped in the process' own user namespace.
fn unmapped(subject: &Subject, status: &Status) -> Option<NewNamespace> {
    let inside = levels(subject).first().is_some_and(|level| level.ours);
    let is_unmapped = |file: &str, id: u32| {
        let text = subject.read(file)?;
        let lines = IdMap::parse(&text);
        // Who is in it is shown its own ids, who is above those above.
        let mapped = lines.iter().any(|line| line.holds(id, inside));
        (!mapped).then_some(id)
    };
    let user = is_unmapped("uid_map", status.uid[1]);
    let group = || is_unmapped("gid_map", status.gid[1]);
    user.map(|id| NewNamespace::OwnIdsUnmapped { user: true, id })
        .or_else(|| group().map(|id| NewNamespace::OwnIdsUnmapped { user: false, id }))
}

fn no_capability(kinds: &[Kind], subject: &Subject) -> Option<NewNamespace> {
    let status = subject.status().filter(|status| !status.has(CAP_SYS_ADMIN))?;
    let (kind, user) = (*kinds.first()?, UserNamespace::of(subject)?);
    let dropped = status.bounding & (1 << CAP_SYS_ADMIN) == 0;
    Some(NewNamespace::Capability { kind, user, dropped })
}

/// EINVAL: what cannot be, whoever asks.
fn senseless(kinds: &[Kind], call: Call, subject: &Subject) -> Option<NewNamespace> {
    let status = subject.status()?;
    let file = |kind: Kind| format!("ns/{}", kind.name());
    if let Some(kind) = kinds.iter().find(|kind| subject.link(&file(**kind)).is_none()) {
        return Some(NewNamespace::KindMissing(*kind));
    }
    if call == Call::Unshare && kinds.contains(&Kind::User) && status.threads > 1 {
        return Some(NewNamespace::Threads(status.threads));
    }
    if !kinds.contains(&Kind::Pid) {
        return None;
    }
    // The file is missing until the first child is born.
    if subject.link("ns/pid") != subject.link("ns/pid_for_children") {
        return Some(NewNamespace::PidTwice);
    }
    let owner = nsfs::owner(subject.open("ns/pid_for_children")?.as_fd()).ok()?;
    let (owner, own) = (UserNamespace::behind(&owner)?, UserNamespace::of(subject)?);
    // One that is above is not shown to us at all.
    let visible = levels(subject).len() == 1;
    (visible && owner.inode != own.inode).then_some(NewNamespace::PidOwner)
}
