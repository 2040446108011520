//! Why a namespace may not be entered: found out after the refusal, from who owns it and what we are.

use super::facts::{Facts, Found, Rights};
use insula_launch::error::{Failure, How, Place};
use insula_launch::fault::{Call, Fault};
use insula_launch::plan::{Kind, Plan};
use insula_launch::step::Step;
use insula_sys::nsfs;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags, fstat, open, stat};
use rustix::io::Errno;

/// The failure, with a hint that says more where setns(2) was refused.
pub(super) fn explained(plan: &Plan, facts: &Facts, failure: Failure) -> Failure {
    let How::Call(Fault { call: Call::Setns, errno }) = failure.how else { return failure };
    let hint = refused_kind(plan, &failure).and_then(|kind| cause(&Situation::of(kind, facts), errno));
    Failure { hint: hint.or(failure.hint), ..failure }
}

/// Which kind it was: what is entered one by one says it.
fn refused_kind(plan: &Plan, failure: &Failure) -> Option<Kind> {
    let Place::Step { number, .. } = failure.place else { return None };
    match plan.steps.get(number.checked_sub(1)?)? {
        Step::Enter(enter) => Some(enter.kind),
        Step::EnterProcess(enter) => {
            let said = failure.said.as_deref();
            Kind::ALL.into_iter().find(|kind| said == Some(kind.name())).or(match enter.kinds[..] {
                [only] => Some(only),
                _ => None,
            })
        }
        _ => None,
    }
}

/// Who owns a namespace, as far as we may see that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// A user namespace that is neither ours nor below ours.
    OutOfView,
    /// Our own user namespace.
    Ours,
    /// The user namespace that the target is in, below ours.
    Targets,
    /// Another one below ours.
    Below,
    /// It could not be asked.
    Unknown,
}

/// What there is to know.
#[derive(Debug, Clone, Copy)]
struct Situation {
    kind: Kind,
    /// It is our own namespace already.
    ours: bool,
    owner: Owner,
    rights: Rights,
    /// A user namespace was to be entered as well.
    with_user: bool,
}

impl Situation {
    fn of(kind: Kind, facts: &Facts) -> Situation {
        let join = facts.joins.iter().find(|join| join.seen.kind == kind);
        // Mount namespaces are entered last, so that /proc is still the same where another kind is refused.
        let own = stat(format!("/proc/self/ns/{}", kind.name())).ok();
        let ours = join.is_some_and(|join| {
            own.is_some_and(|own| (own.st_dev, own.st_ino) == (join.seen.device, join.seen.inode))
        });
        let target =
            |kind: Kind| facts.target.map(|target| format!("/proc/{}/ns/{}", target.pid, kind.name()));
        let path = match join.map(|join| &join.found) {
            Some(Found::Open(path)) => Some(path.clone()),
            _ => target(kind),
        };
        let owner = owner(path, target(Kind::User));
        let with_user = facts.joins.iter().any(|join| join.seen.kind == Kind::User);
        Situation { kind, ours, owner, rights: facts.rights, with_user }
    }
}

fn owner(path: Option<String>, target: Option<String>) -> Owner {
    let file = |path: String| open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok();
    let Some(namespace) = path.and_then(file) else { return Owner::Unknown };
    let owner = match nsfs::owner(namespace.as_fd()) {
        Err(Errno::PERM) => return Owner::OutOfView,
        Err(_) => return Owner::Unknown,
        Ok(owner) => owner,
    };
    let same = |other: Option<OwnedFd>| {
        let numbers = |file: &OwnedFd| fstat(file).ok().map(|stat| (stat.st_dev, stat.st_ino));
        other.is_some_and(|other| numbers(&other) == numbers(&owner))
    };
    if same(file("/proc/self/ns/user".to_owned())) {
        Owner::Ours
    } else if same(target.and_then(file)) {
        Owner::Targets
    } else {
        Owner::Below
    }
}

/// The reason and the cure, setns(2).
fn cause(at: &Situation, errno: Errno) -> Option<String> {
    let kind = at.kind.name();
    let flag = if at.kind == Kind::Mnt { "mount" } else { kind };
    Some(match (errno, at.kind) {
        (Errno::INVAL, Kind::User) if at.ours => {
            "it is our own user namespace already: the kernel lets nobody enter that again, and so get back capabilities \
             that were dropped; leave `--user` out"
                .to_owned()
        }
        (Errno::INVAL, Kind::Pid) => {
            "it is neither our own pid namespace nor below that: a process can only go down".to_owned()
        }
        (Errno::PERM, Kind::User) => {
            "who enters a user namespace has to be the user who made it, or have CAP_SYS_ADMIN in its parent: be that user, \
             or root"
                .to_owned()
        }
        (Errno::PERM, _) if at.ours && !at.rights.sys_admin => format!(
            "it is our own {kind} namespace already, and to enter it again wants CAP_SYS_ADMIN where it is owned: leave \
             `--{flag}` out, and instead of `--all` name the kinds that are wanted"
        ),
        (Errno::PERM, _) => match at.owner {
            Owner::OutOfView => format!(
                "the {kind} namespace is owned by a user namespace that is neither ours nor below: nothing that we may do here \
                 gives us CAP_SYS_ADMIN there; call from that user namespace, mostly as root of the host"
            ),
            Owner::Ours => format!(
                "the {kind} namespace is owned by our own user namespace, and we have no CAP_SYS_ADMIN here: be root"
            ),
            Owner::Targets if !at.with_user => format!(
                "the {kind} namespace is owned by the target's user namespace: with `--user` we become root there"
            ),
            Owner::Below if !at.with_user => format!(
                "the {kind} namespace is owned by a user namespace below ours: with that one, by `--user=FILE`, we become root there"
            ),
            _ => return None,
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(kind: Kind, change: impl Fn(&mut Situation), errno: Errno, words: &str) {
        let rights = Rights { sys_admin: false, sys_chroot: false };
        let mut at = Situation { kind, ours: false, owner: Owner::Unknown, rights, with_user: false };
        change(&mut at);
        let said = cause(&at, errno).unwrap_or_default();
        assert!(said.contains(words), "{at:?} {errno:?}: `{said}`");
    }

    #[test]
    fn a_refusal_names_whose_right_is_lacking() {
        says(Kind::Net, |at| at.owner = Owner::OutOfView, Errno::PERM, "neither ours nor below");
        says(Kind::Net, |at| at.owner = Owner::Ours, Errno::PERM, "be root");
        says(Kind::Mnt, |at| at.owner = Owner::Targets, Errno::PERM, "with `--user`");
        says(Kind::Mnt, |at| at.owner = Owner::Below, Errno::PERM, "`--user=FILE`");
        says(Kind::Mnt, |at| at.ours = true, Errno::PERM, "leave `--mount` out");
        says(Kind::User, |_| {}, Errno::PERM, "who made it");
        says(Kind::User, |at| at.ours = true, Errno::INVAL, "again");
        says(Kind::Pid, |_| {}, Errno::INVAL, "only go down");
    }

    #[test]
    fn what_it_does_not_know_it_does_not_say() {
        let rights = Rights { sys_admin: true, sys_chroot: true };
        let at = Situation { kind: Kind::Uts, ours: false, owner: Owner::Unknown, rights, with_user: false };
        assert_eq!(cause(&at, Errno::PERM), None);
        assert_eq!(cause(&at, Errno::INVAL), None);
    }
}
