//! Which limit of namespaces is reached, and in which user namespace: `user.max_*_namespaces`, the levels.
//!
//! The kernel counts each namespace in the user namespace that owns it and in all above, for the user who made it; each of
//! them may have a limit. What is above our own is not shown to us.

use super::{NewNamespace, PID_LEVELS, Place, USER_LEVELS};
use crate::kind::{Kind, mask};
use crate::why::probe::tried;
use crate::why::subject::Subject;
use crate::why::user_namespace::{Level, UserNamespace, levels};
use insula_sys::birth::unshare;
use insula_sys::nsfs;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags, fstat, open};
use rustix::io::Errno;
use std::collections::HashSet;

/// A limit that is higher is none that somebody could have reached: there are not that many pids.
const REACHABLE: u64 = 1 << 22;

/// The inodes of the namespaces that the machine begins with, which are not counted: `PROC_*_INIT_INO`, <linux/proc_ns.h>.
/// Network and mount namespaces have such numbers from Linux 6.18 on; before, one too many is seen of them.
const FIRST: std::ops::RangeInclusive<u64> = 0xefff_fff0..=0xefff_ffff;

/// Looks for the limit that new namespaces of these kinds have met.
pub(super) fn reached(kinds: &[Kind], subject: &Subject) -> Option<NewNamespace> {
    let levels = levels(subject);
    for level in &levels {
        if let Some(kind) = kinds.iter().find(|kind| limit(level, **kind) == Some(0)) {
            return Some(NewNamespace::Off { kind: *kind, place: place(level) });
        }
    }
    let kind = refused(kinds, subject)?;
    let mut unseen = None;
    for level in &levels {
        let Some(max) = limit(level, kind).filter(|max| *max < REACHABLE) else { continue };
        let (seen, place) = (seen(kind, level), place(level));
        if seen >= max {
            return Some(NewNamespace::UsedUp { kind, max, seen, place });
        }
        unseen = unseen.or(Some(NewNamespace::Unseen { kind, max, seen, place }));
    }
    if is_deepest(kind, &levels, subject) {
        return Some(NewNamespace::Levels(kind));
    }
    Some(unseen.unwrap_or(NewNamespace::LimitAbove(kind)))
}

fn place(level: &Level) -> Place {
    Place { which: level.which, here: level.lowest }
}

fn limit(level: &Level, kind: Kind) -> Option<u64> {
    level.sysctl(&format!("user/max_{}_namespaces", kind.name()))?.parse().ok()
}

/// Which it is: each is tried by itself, in a child of ours, if it is we who were refused. `None`: now it is not.
fn refused(kinds: &[Kind], subject: &Subject) -> Option<Kind> {
    if !subject.is_us() {
        return match kinds {
            [only] => Some(*only),
            _ => None,
        };
    }
    let user: &[Kind] = if kinds.contains(&Kind::User) { &[Kind::User] } else { &[] };
    // The user namespace first: without it none of the others can be tried.
    let others = kinds.iter().filter(|kind| **kind != Kind::User);
    user.iter().chain(others).copied().find(|kind| {
        let flags = mask(user) | kind.flag();
        tried(|| unshare(flags)) == Some(Err(Errno::NOSPC))
    })
}

/// Are there as many within one another as can be? Only what is seen counts.
fn is_deepest(kind: Kind, levels: &[Level], subject: &Subject) -> bool {
    match kind {
        Kind::User => {
            let from_the_first = levels.last().is_some_and(|level| level.which.is_initial());
            from_the_first && levels.len() > USER_LEVELS
        }
        // A procfs numbers a process in its own pid namespace and in each below that; the first is not below any.
        Kind::Pid => subject.status().is_some_and(|status| status.pid_levels > PID_LEVELS),
        _ => false,
    }
}

/// How many namespaces of a kind are seen that the user namespace counts: owned by it or by one below.
fn seen(kind: Kind, level: &Level) -> u64 {
    let mut known = HashSet::new();
    let mut count = 0;
    let mut look = |path: &str| {
        let Ok(file) = open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) else { return };
        let new = fstat(&file).is_ok_and(|stat| !FIRST.contains(&stat.st_ino) && known.insert(stat.st_ino));
        count += u64::from(new && counts(kind, &file, level.which));
    };
    let names = [kind.file().to_str(), kind.file_for_children().to_str()];
    for pid in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = pid.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        names.iter().flatten().for_each(|name| look(&format!("/proc/{pid}/{name}")));
    }
    mounted(kind).iter().for_each(|path| look(path));
    count
}

/// The files that namespaces of a kind are mounted on: nsfs shows each as `KIND:[INODE]`.
fn mounted(kind: Kind) -> Vec<String> {
    let text = Subject::ourselves().read_all("mountinfo").unwrap_or_default();
    let prefix = format!("{}:[", kind.name());
    let lines = text.lines().filter(|line| line.contains(" - nsfs "));
    let point = |line: &str| {
        let mut fields = line.split(' ').skip(3);
        let is_one = fields.next()?.starts_with(&prefix);
        is_one.then(|| crate::host::mounts::unescape(fields.next()?)).flatten()
    };
    lines.filter_map(point).collect()
}

/// Is a namespace counted in this user namespace? For the initial one all are, but the first of each kind.
fn counts(kind: Kind, namespace: &OwnedFd, which: UserNamespace) -> bool {
    let above = |file: &OwnedFd| nsfs::parent(file.as_fd()).ok();
    let mut next = match kind {
        Kind::User => above(namespace),
        _ => nsfs::owner(namespace.as_fd()).ok(),
    };
    while let Some(user) = next {
        if UserNamespace::behind(&user).is_some_and(|user| user.inode == which.inode) {
            return true;
        }
        next = above(&user);
    }
    false
}
