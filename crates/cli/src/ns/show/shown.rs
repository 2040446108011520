//! One namespace with all that is known of it.

use insula_launch::plan::Kind;
use insula_namespaces::detail::{self, Told};
use insula_namespaces::id::Identity;
use insula_namespaces::names::{Named, State};
use insula_namespaces::scan::{Holders, Namespace, Snapshot};
use insula_namespaces::subject::Part;
use insula_sys::nsfs;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::fstat;
use std::os::unix::ffi::OsStrExt;

pub struct Shown<'s> {
    pub kind: Kind,
    pub inode: Option<u64>,
    pub id: Option<u64>,
    /// Why it could not be opened.
    pub fault: Option<String>,
    /// What to do about that.
    pub cure: Option<String>,
    /// It is the one that insula is in.
    pub is_own: bool,
    pub parent: Option<u64>,
    pub owner: Option<Owner>,
    /// Who made it: of user namespaces only.
    pub creator: Option<u32>,
    pub names: Vec<String>,
    /// Files on which it is mounted in our mount namespace.
    pub mount_points: Vec<Vec<u8>>,
    /// In other mount namespaces: how many.
    pub mounts_elsewhere: usize,
    pub holders: Holders,
    pub members: Vec<u32>,
    pub told: Option<Told>,
    pub snapshot: &'s Snapshot,
}

/// The user namespace that owns one.
pub struct Owner {
    pub inode: u64,
    /// Who made that; `None`: out of view, or without a number here.
    pub uid: Option<u32>,
}

impl<'s> Shown<'s> {
    pub fn of(snapshot: &'s Snapshot, part: &Part, names: &[Named]) -> Shown<'s> {
        let kind = part.kind;
        let inode = part.inode();
        let found = inode.and_then(|inode| snapshot.find(inode));
        let owner = part.file().and_then(|file| nsfs::owner(file).ok());
        let members =
            snapshot.processes.iter().filter(|process| process.namespace(kind) == inode && inode.is_some());
        let points = inode.map(|inode| snapshot.mount_points(inode)).unwrap_or_default();
        let holders = found.map(|found| snapshot.holders(found)).unwrap_or_default();
        Shown {
            kind,
            inode,
            id: part.identity.as_ref().and_then(|identity| identity.id),
            fault: part.fault.as_ref().map(ToString::to_string),
            cure: part.fault.as_ref().and_then(insula_namespaces::error::Error::hint),
            is_own: inode.is_some_and(|inode| crate::ns::asked::is_own(kind, inode)),
            parent: parent(part, found),
            owner: owner.as_ref().map(Owner::of).or_else(|| Some(Owner { inode: found?.owner?, uid: None })),
            creator: part.file().and_then(|file| nsfs::owner_uid(file).ok()),
            names: part.identity.as_ref().map(|identity| names_of(names, identity)).unwrap_or_default(),
            mounts_elsewhere: holders.mounts.saturating_sub(points.len()),
            mount_points: points.iter().map(|point| point.as_os_str().as_bytes().to_vec()).collect(),
            holders: without_ourselves(snapshot, inode, holders),
            members: members.map(|process| process.pid).collect(),
            told: inode
                .filter(|_| part.fault.is_none())
                .map(|inode| detail::of(snapshot, kind, inode, part.file())),
            snapshot,
        }
    }
}

impl Owner {
    fn of(file: &OwnedFd) -> Owner {
        let inode = fstat(file).map_or(0, |stat| stat.st_ino);
        Owner { inode, uid: nsfs::owner_uid(file.as_fd()).ok() }
    }
}

fn parent(part: &Part, found: Option<&Namespace>) -> Option<u64> {
    let asked = part.file().and_then(|file| nsfs::parent(file).ok());
    asked.and_then(|file| fstat(&file).ok()).map(|stat| stat.st_ino).or_else(|| found?.parent)
}

/// The files that we hold open for this very look are no news.
fn without_ourselves(snapshot: &Snapshot, inode: Option<u64>, holders: Holders) -> Holders {
    let own = std::process::id();
    let is_ours = |held: &&insula_namespaces::scan::Holder| matches!(held.by, insula_namespaces::scan::By::Fd { pid, .. } if pid == own);
    let ours = inode.map_or(0, |inode| snapshot.held_by(inode).iter().filter(is_ours).count());
    Holders { fds: holders.fds - ours, ..holders }
}

/// The names that a namespace has, alone or in a set.
fn names_of(names: &[Named], identity: &Identity) -> Vec<String> {
    let has = |named: &&Named| {
        let is_it = |part: &insula_namespaces::names::Part| {
            !matches!(part.state, State::Stale(_)) && part.identity.same(identity)
        };
        named.parts.iter().any(is_it)
    };
    names.iter().filter(has).map(Named::shown).collect()
}
