//! Who may do what to whom: the kernel's own checks, on the facts.
//!
//! capabilities(7) and user_namespaces(7) for capabilities over a user namespace, ptrace(2), "Ptrace access mode checking",
//! for tracing, kill(2) for signals.

use super::facts::{Facts, Machine, Process, Seen};
use insula_launch::plan::Kind;
use insula_sys::pidfd::Dumpable;

/// `CAP_KILL`, capabilities(7).
const CAP_KILL: u32 = 5;
/// `CAP_SYS_PTRACE`.
const CAP_SYS_PTRACE: u32 = 19;
/// The permitted and the effective set, in the order of [`Status`](crate::status::Status).
const PERMITTED: usize = 1;
const EFFECTIVE: usize = 2;

/// How one user namespace is to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// It is the same.
    Same,
    /// A's is this many above B's.
    Above(usize),
    /// A's is this many below B's.
    Below(usize),
    /// Neither; the nearest that is above both, by its inode, where it can be seen.
    Beside(Option<u64>),
    /// One of them may not be seen.
    Unknown,
}

/// How the line of namespaces of A (its own first, upwards) is to that of B.
pub fn relation(a: &[u64], b: &[u64]) -> Relation {
    let (Some(own), Some(other)) = (a.first(), b.first()) else { return Relation::Unknown };
    if own == other {
        return Relation::Same;
    }
    if let Some(distance) = b.iter().position(|above| above == own) {
        return Relation::Above(distance);
    }
    if let Some(distance) = a.iter().position(|above| above == other) {
        return Relation::Below(distance);
    }
    Relation::Beside(a.iter().find(|above| b.contains(above)).copied())
}

/// The relation of the user namespaces.
pub fn users(a: &Facts, b: &Facts) -> Relation {
    let inodes = |facts: &Facts| facts.users.iter().map(|user| user.inode).collect::<Vec<_>>();
    relation(&inodes(a), &inodes(b))
}

/// The capabilities that A has over B's user namespace, and over what belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Over {
    /// A bit a capability.
    pub set: u64,
    /// All, because A's user has made B's user namespace or one above it.
    pub is_owner: bool,
}

/// The capabilities of A over B's user namespace; `None`: it cannot be told.
pub fn over(a: &Facts, b: &Facts, machine: &Machine) -> Option<Over> {
    let process = a.process.as_ref()?;
    let none = Over { set: 0, is_owner: false };
    match users(a, b) {
        Relation::Unknown => None,
        Relation::Below(_) | Relation::Beside(_) => Some(none),
        Relation::Same => Some(Over { set: process.status.capabilities[EFFECTIVE], ..none }),
        Relation::Above(distance) => {
            // The owner is asked of the namespace whose parent A is in.
            let owner = b.users.get(distance.checked_sub(1)?)?.owner;
            if owner? == process.status.uids[1] && is_exact(owner?, machine) {
                return Some(Over { set: machine.all(), is_owner: true });
            }
            Some(Over { set: process.status.capabilities[EFFECTIVE], ..none })
        }
    }
}

/// An answer, and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum May {
    /// It may.
    Yes(String),
    /// It may not.
    No(String),
    /// It cannot be told.
    Unknown(String),
}

/// Can A name B by a pid? Only where B is in A's pid namespace or below it.
pub fn sees(a: &Facts, b: &Facts) -> Option<bool> {
    match relation(&a.pids, &b.pids) {
        Relation::Same | Relation::Above(_) => Some(true),
        Relation::Below(_) | Relation::Beside(_) => Some(false),
        Relation::Unknown => None,
    }
}

/// May A trace B?
pub fn trace(a: &Facts, b: &Facts, machine: &Machine) -> May {
    let (Some(one), Some(other)) = (&a.process, &b.process) else { return no("there is no process") };
    if one.status.tgid == other.status.tgid {
        return no("nobody traces itself");
    }
    if other.status.zombie || !other.status.has_memory {
        return no("it has no memory: it is a zombie or a thread of the kernel");
    }
    match sees(a, b) {
        Some(true) => {}
        Some(false) => return no("it has no pid in the other's pid namespace"),
        None => return unknown("the pid namespaces may not be seen"),
    }
    let Some(over) = over(a, b, machine) else { return unknown("the user namespaces may not be seen") };
    if machine.yama == Some(3) {
        return no("kernel.yama.ptrace_scope is 3: nobody may");
    }
    if over.set >> CAP_SYS_PTRACE & 1 == 1 {
        return traced_already(other)
            .unwrap_or_else(|| May::Yes(format!("CAP_SYS_PTRACE over it{}", how(over))));
    }
    without_capability(a, b, one, other, machine)
}

/// The same for who has not CAP_SYS_PTRACE.
fn without_capability(a: &Facts, b: &Facts, one: &Process, other: &Process, machine: &Machine) -> May {
    if machine.yama == Some(2) {
        return no("kernel.yama.ptrace_scope is 2: CAP_SYS_PTRACE is needed");
    }
    if !same_ids(one, other, machine) {
        return no("its uids and gids are not the tracer's, and CAP_SYS_PTRACE over it is missing");
    }
    match &other.dumpable {
        Seen::Is(Dumpable::Yes) => {}
        Seen::Is(_) => return no("it is not dumpable, and CAP_SYS_PTRACE over it is missing"),
        _ => return unknown("whether it is dumpable may not be seen"),
    }
    if users(a, b) != Relation::Same {
        return no("its user namespace is another one, and CAP_SYS_PTRACE over it is missing");
    }
    if other.status.capabilities[PERMITTED] & !one.status.capabilities[PERMITTED] != 0 {
        return no("it has capabilities that the tracer has not");
    }
    if machine.yama == Some(1) && other.status.ppid != one.pid {
        return unknown("kernel.yama.ptrace_scope is 1: only descendants, or with its consent");
    }
    traced_already(other).unwrap_or_else(|| May::Yes("the same user, with as many capabilities".to_owned()))
}

fn traced_already(process: &Process) -> Option<May> {
    let tracer = process.status.tracer;
    (tracer != 0).then(|| May::No(format!("it is traced by {tracer} already")))
}

/// May A send signals to B?
pub fn signal(a: &Facts, b: &Facts, machine: &Machine) -> May {
    let (Some(one), Some(other)) = (&a.process, &b.process) else { return no("there is no process") };
    match sees(a, b) {
        Some(true) => {}
        Some(false) => return no("it has no pid in the other's pid namespace"),
        None => return unknown("the pid namespaces may not be seen"),
    }
    let [real, effective, ..] = one.status.uids;
    let targets = [other.status.uids[0], other.status.uids[2]];
    let fits = |uid: u32| targets.contains(&uid) && is_exact(uid, machine);
    if fits(real) || fits(effective) {
        return May::Yes("the same user".to_owned());
    }
    match over(a, b, machine) {
        None => unknown("the user namespaces may not be seen"),
        Some(over) if over.set >> CAP_KILL & 1 == 1 => May::Yes(format!("CAP_KILL over it{}", how(over))),
        Some(_) => no("it is another user's, and CAP_KILL over it is missing"),
    }
}

fn how(over: Over) -> &'static str {
    if over.is_owner { ", as who has made its user namespace" } else { "" }
}

/// The tracer's real ids are the real, effective and saved ones of the other.
fn same_ids(one: &Process, other: &Process, machine: &Machine) -> bool {
    let (uid, gid) = (one.status.uids[0], one.status.gids[0]);
    other.status.uids[..3].iter().all(|other| *other == uid)
        && other.status.gids[..3].iter().all(|other| *other == gid)
        && is_exact(uid, machine)
        && is_exact(gid, machine)
}

/// Is the number the id itself, and not 65534 for one that is not mapped here?
fn is_exact(id: u32, machine: &Machine) -> bool {
    machine.ids_are_whole || id != 65534
}

fn no(reason: &str) -> May {
    May::No(reason.to_owned())
}

fn unknown(reason: &str) -> May {
    May::Unknown(reason.to_owned())
}

/// Are the two in the same namespace of a kind? `None`: it cannot be told.
pub fn same(a: &Facts, b: &Facts, kind: Kind) -> Option<bool> {
    match (a.namespace(kind), b.namespace(kind)) {
        (Seen::Is(one), Seen::Is(other)) => Some(one.inode == other.inode),
        _ => None,
    }
}
