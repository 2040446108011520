//! The snapshot while it grows: each namespace once, whatever shows it.

use super::look::Look;
use super::snapshot::{Holder, Namespace, Netnsid, Snapshot};
use insula_launch::plan::Kind;
use insula_net::nsid;
use insula_net::socket::Socket;
use insula_sys::nsfs;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::fstat;
use std::collections::HashMap;

pub(super) struct Found<'l> {
    pub(super) look: &'l Look,
    pub(super) snapshot: Snapshot,
    /// Where each inode stands in the snapshot.
    at: HashMap<u64, usize>,
    /// The last one of each kind: the next process is mostly in the same.
    last: [(u64, usize); 8],
    /// Where our network namespace's numbers for others are asked for.
    numbers: Option<Socket>,
}

impl<'l> Found<'l> {
    pub(super) fn new(look: &'l Look) -> Found<'l> {
        let numbers = look.netnsids.then(|| Socket::open().ok()).flatten();
        Found { look, snapshot: Snapshot::default(), at: HashMap::new(), last: [(0, 0); 8], numbers }
    }

    /// Is this namespace there already?
    pub(super) fn knows(&self, inode: u64) -> bool {
        self.at.contains_key(&inode)
    }

    /// A process is in a namespace.
    pub(super) fn process(&mut self, kind: Kind, inode: u64, pid: u32) {
        let (last, mut at) = self.last[kind as usize];
        if last != inode {
            at = self.place(kind, inode);
            self.last[kind as usize] = (inode, at);
        }
        let namespace = &mut self.snapshot.namespaces[at];
        namespace.processes += 1;
        namespace.lowest_pid = Some(namespace.lowest_pid.map_or(pid, |lowest| lowest.min(pid)));
    }

    /// Something else holds a namespace.
    pub(super) fn hold(&mut self, holder: Holder) {
        self.snapshot.holders.push(holder);
    }

    /// A namespace whose file is open: it, and its parents and owners up to the first that is known.
    pub(super) fn file(&mut self, file: BorrowedFd<'_>) {
        let Some((kind, inode)) = identity(file) else { return };
        if self.look.at(kind) {
            let at = self.place(kind, inode);
            self.ask(at, kind, file, true);
        }
    }

    /// A namespace of which nothing but this can be known.
    pub(super) fn hidden(&mut self, kind: Kind, inode: u64) {
        if self.look.at(kind) {
            self.place(kind, inode);
        }
    }

    /// Fills in what was asked for of a namespace, by its open file.
    pub(super) fn complete(&mut self, inode: u64, file: BorrowedFd<'_>) {
        let Some((kind, found)) = identity(file) else { return };
        // The pid may be another process's by now.
        if let (Some(&at), true) = (self.at.get(&inode), found == inode) {
            self.ask(at, kind, file, self.look.ghosts);
        }
    }

    fn ask(&mut self, at: usize, kind: Kind, file: BorrowedFd<'_>, with_relatives: bool) {
        if self.look.ids {
            self.snapshot.namespaces[at].id = nsfs::id(file).ok();
        }
        if let (Kind::Net, Some(numbers)) = (kind, &mut self.numbers) {
            self.snapshot.namespaces[at].netnsid = match nsid::get(numbers, file) {
                Ok(number) => number.map_or(Netnsid::Unassigned, Netnsid::Id),
                Err(_) => Netnsid::Unknown,
            };
        }
        if !with_relatives && !self.look.relatives {
            return;
        }
        let parent = matches!(kind, Kind::Pid | Kind::User).then(|| nsfs::parent(file).ok()).flatten();
        let owner = nsfs::owner(file).ok();
        let inode =
            |file: &Option<OwnedFd>| file.as_ref().and_then(|file| fstat(file).ok()).map(|stat| stat.st_ino);
        let namespace = &mut self.snapshot.namespaces[at];
        namespace.parent = inode(&parent);
        namespace.owner = inode(&owner);
        if kind == Kind::User {
            namespace.owner_uid = nsfs::owner_uid(file).ok();
        }
        if with_relatives {
            for file in [parent, owner].into_iter().flatten() {
                if fstat(&file).is_ok_and(|stat| !self.knows(stat.st_ino)) {
                    self.file(file.as_fd());
                }
            }
        }
    }

    /// Where a namespace stands; a new one at the end.
    fn place(&mut self, kind: Kind, inode: u64) -> usize {
        *self.at.entry(inode).or_insert_with(|| {
            self.snapshot.namespaces.push(Namespace {
                kind,
                inode,
                id: None,
                processes: 0,
                lowest_pid: None,
                parent: None,
                owner: None,
                owner_uid: None,
                children: 0,
                netnsid: Netnsid::Unknown,
            });
            self.snapshot.namespaces.len() - 1
        })
    }

    /// The snapshot, in order.
    pub(super) fn finish(mut self) -> Snapshot {
        self.snapshot.namespaces.sort_unstable_by_key(|namespace| namespace.inode);
        self.snapshot.processes.sort_unstable_by_key(|process| process.pid);
        // Those of one namespace stay in the order in which they were met.
        self.snapshot.holders.sort_by_key(|holder| holder.namespace);
        let relatives: Vec<_> =
            self.snapshot.namespaces.iter().map(|namespace| (namespace.parent, namespace.owner)).collect();
        for (parent, owner) in relatives {
            let once = owner.filter(|owner| Some(*owner) != parent);
            for inode in parent.into_iter().chain(once) {
                let at = self.snapshot.namespaces.binary_search_by_key(&inode, |namespace| namespace.inode);
                if let Some(namespace) = at.ok().and_then(|at| self.snapshot.namespaces.get_mut(at)) {
                    namespace.children += 1;
                }
            }
        }
        self.snapshot
    }
}

/// Kind and inode of an open namespace file; `None`: it is none, or of a kind that we do not know.
pub(super) fn identity(file: BorrowedFd<'_>) -> Option<(Kind, u64)> {
    let flag = u64::try_from(nsfs::kind(file).ok()?).ok()?;
    let kind = Kind::ALL.into_iter().find(|kind| kind.flag() == flag)?;
    Some((kind, fstat(file).ok()?.st_ino))
}
