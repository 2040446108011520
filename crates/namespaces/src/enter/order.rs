//! In which order namespaces are entered, from what we may before and from nothing else.
//!
//! To enter a namespace wants CAP_SYS_ADMIN in the user namespace that owns it, and in our own, setns(2). Capabilities
//! reach down: who has them in its own user namespace has them in all below it. So there are two cases.
//!
//! - *We have CAP_SYS_ADMIN.* To enter a user namespace is to give that up for all that is not below it: a network
//!   namespace that the host owns, for one, while the container's user namespace is its own. So user goes last. Nothing
//!   is lost by that: what could be entered after it is owned below it, and so below us.
//! - *We have not.* Nothing but a user namespace whose owner we are lets us in, and makes us its root. So user goes first.
//!
//! A mount namespace wants CAP_SYS_CHROOT in our own user namespace besides, and may belong to the other case.

use super::facts::{Found, Join, Rights};
use insula_launch::plan::Kind;

/// May a namespace of this kind be entered before the user namespace?
fn enters(rights: Rights, kind: Kind) -> bool {
    rights.sys_admin && (kind != Kind::Mnt || rights.sys_chroot)
}

/// One system call, or one for each where the kernel cannot do them together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry<'a> {
    /// Those of the target.
    Target(Vec<Kind>),
    /// One that is open.
    Open(&'a Join),
}

/// In which order kinds stand beside each other. Mount namespaces are last: until then /proc is ours.
const KINDS: [Kind; 8] =
    [Kind::User, Kind::Cgroup, Kind::Ipc, Kind::Uts, Kind::Net, Kind::Pid, Kind::Time, Kind::Mnt];

/// The entries in order. Those of the target that stand beside each other are one.
///
/// The kernel checks all of one call with the rights that we have before it (`validate_nsset` in kernel/nsproxy.c), so that
/// a user namespace among them takes nothing from the others; and who owns that one has its rights over the others, too.
/// Only what wants a capability that we get by the user namespace has to come in another call.
pub fn order(joins: &[Join], rights: Rights) -> Vec<Entry<'_>> {
    let has_user = joins.iter().any(|join| join.seen.kind == Kind::User);
    let place = |join: &Join| match join.seen.kind {
        Kind::User => 1,
        kind if !has_user || enters(rights, kind) => 0,
        _ => 2,
    };
    // What is open stands outside, away from the user namespace: that is the target's, mostly, and stays beside the rest
    // of the target's.
    let outside = |join: &Join| match (place(join), &join.found) {
        (0, Found::Open(_)) => 0,
        (2, Found::Open(_)) => 2,
        _ => 1,
    };
    let mut sorted: Vec<&Join> = joins.iter().collect();
    sorted.sort_by_key(|join| {
        (place(join), outside(join), KINDS.iter().position(|kind| *kind == join.seen.kind))
    });
    let mut entries = Vec::new();
    for join in sorted {
        match (&join.found, entries.last_mut()) {
            (Found::AtTarget, Some(Entry::Target(kinds))) if !apart(kinds, rights) => {
                kinds.push(join.seen.kind)
            }
            (Found::AtTarget, _) => entries.push(Entry::Target(vec![join.seen.kind])),
            (Found::Open(_), _) => entries.push(Entry::Open(join)),
        }
    }
    entries
}

/// Does what comes after these want what only their user namespace gives? One whose owner we are lets us in by that alone.
fn apart(kinds: &[Kind], rights: Rights) -> bool {
    rights.sys_admin && kinds.contains(&Kind::User)
}
