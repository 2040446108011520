//! What a watch knows: the namespaces, who is in them, and which names they have; and what is new in a look.

use super::event::{Change, Event, Which};
use crate::scan::{Look, Snapshot, take};
use insula_launch::plan::Kind;
use insula_sys::nsfs;
use rustix::fd::AsFd;
use rustix::fs::{CWD, Mode, OFlags, open, readlinkat_raw};
use rustix::io::Errno;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ffi::OsString;
use std::mem::MaybeUninit;

pub(super) struct State {
    /// The kinds that are watched.
    kinds: [bool; 8],
    /// The namespaces that we are in ourselves: who comes and goes there is told only where that is asked.
    own: [u64; 8],
    tell_members: bool,
    tell_own: bool,
    namespaces: BTreeMap<u64, Known>,
    processes: HashMap<u32, [u64; 8]>,
    /// Processes whose end was told and whose parents have not taken notice: such a zombie still shows its user namespace.
    ended: HashSet<u32>,
    /// Those that may be gone, since a process in them has ended: the kernel may give their inodes again.
    doubtful: BTreeSet<u64>,
    /// Can we ask the kernel whether a namespace is still there, by its id?
    can_ask: bool,
}

/// A namespace that was told.
struct Known {
    kind: Kind,
    id: Option<u64>,
    names: Vec<OsString>,
}

/// Whether a process joined or left, which, and what.
type Move = (Change, u32, Vec<(Kind, u64)>);

impl State {
    pub(super) fn new(kinds: [bool; 8], tell_members: bool, tell_own: bool) -> State {
        let mut own = [0; 8];
        for kind in Kind::ALL {
            own[kind as usize] = inode_at("self", kind).unwrap_or(0);
        }
        State {
            kinds,
            own,
            tell_members,
            tell_own,
            namespaces: BTreeMap::new(),
            processes: HashMap::new(),
            ended: HashSet::new(),
            doubtful: BTreeSet::new(),
            can_ask: can_ask(),
        }
    }

    /// The namespaces that are known.
    pub(super) fn known(&self) -> BTreeSet<u64> {
        self.namespaces.keys().copied().collect()
    }

    /// How closely is looked: at everything that can hold a namespace, or at processes and our own mounts alone.
    pub(super) fn look(&self, whole: bool) -> Look {
        let view = if whole { Look::HOLDERS } else { Look { mounts: Look::LSNS.mounts, ..Look::PROCESSES } };
        Look { kinds: self.kinds, ids: true, ..view }
    }

    /// Takes in a snapshot. `before`: what was known when it was begun; the others may have come after it. `change`: what
    /// those are that were not known.
    pub(super) fn take_in(
        &mut self,
        snapshot: &Snapshot,
        before: &BTreeSet<u64>,
        is_whole: bool,
        change: Change,
        events: &mut Vec<Event>,
    ) {
        self.doubtful.clear();
        let mut doubtful = Vec::new();
        for (inode, known) in self.namespaces.iter().filter(|(inode, _)| before.contains(inode)) {
            match snapshot.find(*inode) {
                // The kernel has given its inode again.
                Some(found) if known.id.is_some() && found.id.is_some() && known.id != found.id => {
                    doubtful.push((*inode, Some(false)));
                }
                Some(_) => {}
                None if is_whole => doubtful.push((*inode, Some(false))),
                None => doubtful.push((*inode, self.is_there(*inode, known))),
            }
        }
        let gone: Vec<u64> = doubtful
            .iter()
            .filter(|(_, is_there)| *is_there == Some(false))
            .map(|(inode, _)| *inode)
            .collect();
        let unsure: Vec<u64> =
            doubtful.iter().filter(|(_, is_there)| is_there.is_none()).map(|(inode, _)| *inode).collect();
        let mut members = Vec::new();
        self.compare_members(snapshot, &mut members);
        for namespace in &snapshot.namespaces {
            if !self.namespaces.contains_key(&namespace.inode) || gone.contains(&namespace.inode) {
                self.end(namespace.inode, events);
                self.begin(namespace.kind, namespace.inode, namespace.id, change, events);
            }
        }
        // In the order of life: born, joined, left, gone.
        let (joined, left): (Vec<_>, Vec<_>) =
            members.into_iter().partition(|(change, ..)| *change != Change::Went);
        for (came, pid, namespaces) in joined.into_iter().chain(left) {
            let change = if came == Change::Came { change } else { came };
            self.member(change, pid, &namespaces, events);
        }
        for inode in gone.into_iter().filter(|inode| snapshot.find(*inode).is_none()) {
            self.end(inode, events);
        }
        // What only a look at everything could tell.
        if !unsure.is_empty()
            && let Ok(whole) = take(&self.look(true))
        {
            for inode in unsure.into_iter().filter(|inode| whole.find(*inode).is_none()) {
                self.end(inode, events);
            }
        }
    }

    /// Who is somewhere else than before.
    fn compare_members(&mut self, snapshot: &Snapshot, changes: &mut Vec<Move>) {
        let mut now = HashMap::with_capacity(snapshot.processes.len());
        self.ended.retain(|pid| snapshot.process(*pid).is_some());
        for process in snapshot.processes.iter().filter(|process| !self.ended.contains(&process.pid)) {
            let mut namespaces = process.namespaces;
            // Of a kind that is not watched only what the look needed for itself.
            for kind in Kind::ALL.into_iter().filter(|kind| !self.kinds[*kind as usize]) {
                namespaces[kind as usize] = 0;
            }
            self.forget_zombie(&mut namespaces);
            let before = self.processes.remove(&process.pid).unwrap_or_default();
            differences(process.pid, &before, &namespaces, changes);
            now.insert(process.pid, namespaces);
        }
        for (pid, before) in std::mem::replace(&mut self.processes, now) {
            differences(pid, &before, &[0; 8], changes);
        }
        changes.sort_by_key(|(_, pid, _)| *pid);
    }

    /// A process that has lost all but its user namespace has ended.
    fn forget_zombie(&self, namespaces: &mut [u64; 8]) {
        let is_other = |kind: &Kind| *kind != Kind::User && self.kinds[*kind as usize];
        let mut others = Kind::ALL.into_iter().filter(is_other).peekable();
        if others.peek().is_some() && others.all(|kind| namespaces[kind as usize] == 0) {
            *namespaces = [0; 8];
        }
    }

    /// Looks at one process, which was born or runs another program. `false`: it has ended already, and was never seen.
    pub(super) fn look_at(&mut self, pid: u32, events: &mut Vec<Event>) -> bool {
        let mut now = [0; 8];
        let kinds = self.kinds;
        self.ended.remove(&pid);
        for kind in Kind::ALL.into_iter().filter(|kind| kinds[*kind as usize]) {
            let inode = match inode_at(pid, kind) {
                Ok(inode) => inode,
                // Not ours to look at: such are counted when all is looked at.
                Err(Errno::ACCESS | Errno::PERM) => return true,
                // It has ended; or the kernel lacks the kind.
                Err(_) => continue,
            };
            now[kind as usize] = inode;
            if self.is_new(pid, kind, inode) {
                self.end(inode, events);
                self.begin(kind, inode, id_at(pid, kind, inode), Change::Came, events);
            }
        }
        self.forget_zombie(&mut now);
        if now == [0; 8] {
            return self.processes.contains_key(&pid);
        }
        let before = self.processes.insert(pid, now).unwrap_or_default();
        let mut changes = Vec::new();
        differences(pid, &before, &now, &mut changes);
        for (change, pid, namespaces) in changes {
            self.member(change, pid, &namespaces, events);
        }
        true
    }

    /// Is it one that was not told yet: its inode is new, or is given again?
    fn is_new(&mut self, pid: u32, kind: Kind, inode: u64) -> bool {
        let Some(known) = self.namespaces.get(&inode) else { return true };
        if known.kind != kind {
            return true;
        }
        match (known.id, self.doubtful.remove(&inode)) {
            (Some(id), true) => id_at(pid, kind, inode).is_some_and(|now| now != id),
            _ => false,
        }
    }

    /// A process has ended. `true`: it may have been the last of a namespace.
    pub(super) fn ended(&mut self, pid: u32, events: &mut Vec<Event>) -> bool {
        self.ended.insert(pid);
        let Some(before) = self.processes.remove(&pid) else { return false };
        let mut changes = Vec::new();
        differences(pid, &before, &[0; 8], &mut changes);
        for (change, pid, namespaces) in changes {
            self.member(change, pid, &namespaces, events);
        }
        let foreign = Kind::ALL.into_iter().filter(|kind| before[*kind as usize] != self.own[*kind as usize]);
        let inodes: Vec<u64> =
            foreign.map(|kind| before[kind as usize]).filter(|inode| *inode != 0).collect();
        self.doubtful.extend(&inodes);
        !inodes.is_empty()
    }

    /// A namespace has this name.
    pub(super) fn named(&mut self, which: Which, name: &OsString, change: Change, events: &mut Vec<Event>) {
        if !self.kinds[which.kind as usize] {
            return;
        }
        if self.namespaces.get(&which.inode).is_some_and(|known| known.id.is_some() && known.id != which.id) {
            self.end(which.inode, events);
        }
        match self.namespaces.get_mut(&which.inode) {
            Some(known) if known.names.contains(name) => {}
            Some(known) => known.names.push(name.clone()),
            None => {
                let known = Known { kind: which.kind, id: which.id, names: vec![name.clone()] };
                self.namespaces.insert(which.inode, known);
                events.push(Event::Namespace { change, which, names: vec![name.clone()] });
            }
        }
    }

    fn begin(&mut self, kind: Kind, inode: u64, id: Option<u64>, change: Change, events: &mut Vec<Event>) {
        self.namespaces.insert(inode, Known { kind, id, names: Vec::new() });
        let which = Which { kind, inode, id };
        events.push(Event::Namespace { change, which, names: Vec::new() });
    }

    fn end(&mut self, inode: u64, events: &mut Vec<Event>) {
        if let Some(known) = self.namespaces.remove(&inode) {
            let which = Which { kind: known.kind, inode, id: known.id };
            events.push(Event::Namespace { change: Change::Went, which, names: known.names });
        }
    }

    fn member(&self, change: Change, pid: u32, of: &[(Kind, u64)], events: &mut Vec<Event>) {
        let told = of.iter().filter(|(kind, inode)| self.tell_own || self.own[*kind as usize] != *inode);
        let known = |(kind, inode): &(Kind, u64)| {
            let known = self.namespaces.get(inode).filter(|known| known.kind == *kind);
            Which { kind: *kind, inode: *inode, id: known.and_then(|known| known.id) }
        };
        let namespaces: Vec<Which> = told.map(known).collect();
        if namespaces.is_empty() || !self.tell_members {
            return;
        }
        let mut names: Vec<OsString> = Vec::new();
        let of = |which: &Which| self.namespaces.get(&which.inode).filter(|known| known.kind == which.kind);
        for known in namespaces.iter().filter_map(of) {
            names
                .extend(known.names.iter().filter(|name| !names.contains(name)).cloned().collect::<Vec<_>>());
        }
        events.push(Event::Member { change, pid, namespaces, names });
    }

    /// Is it still there? `None`: the kernel does not say. To open it by its handle keeps it for a moment only.
    fn is_there(&self, inode: u64, known: &Known) -> Option<bool> {
        let flag = u32::try_from(known.kind.flag()).ok()?;
        let id = known.id.filter(|_| self.can_ask)?;
        match nsfs::open_by_id(id, flag, u32::try_from(inode).ok()?) {
            Ok(_) => Some(true),
            Err(Errno::STALE) => Some(false),
            Err(_) => None,
        }
    }
}

/// What a process has joined, and what it has left.
fn differences(pid: u32, before: &[u64; 8], now: &[u64; 8], changes: &mut Vec<Move>) {
    let of = |some: &[u64; 8], other: &[u64; 8]| {
        let differs =
            |kind: &Kind| some[*kind as usize] != 0 && some[*kind as usize] != other[*kind as usize];
        Kind::ALL.into_iter().filter(differs).map(|kind| (kind, some[kind as usize])).collect::<Vec<_>>()
    };
    for (change, namespaces) in [(Change::Went, of(before, now)), (Change::Came, of(now, before))] {
        if !namespaces.is_empty() {
            changes.push((change, pid, namespaces));
        }
    }
}

/// The inode of a process' namespace.
fn inode_at(pid: impl std::fmt::Display, kind: Kind) -> Result<u64, Errno> {
    let mut room = [MaybeUninit::<u8>::uninit(); 48];
    let path = format!("/proc/{pid}/ns/{}", kind.name());
    let (text, _) = readlinkat_raw(CWD, path.as_str(), &mut room[..])?;
    let digits = text.split(|byte| matches!(byte, b'[' | b']')).nth(1).ok_or(Errno::INVAL)?;
    std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).ok_or(Errno::INVAL)
}

/// The id of a process' namespace, if it is still this one.
fn id_at(pid: u32, kind: Kind, inode: u64) -> Option<u64> {
    let path = format!("/proc/{pid}/ns/{}", kind.name());
    let file = open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    rustix::fs::fstat(&file).ok().filter(|stat| stat.st_ino == inode)?;
    nsfs::id(file.as_fd()).ok()
}

/// Does the kernel open a namespace for us by its handle? Our own is there.
fn can_ask() -> bool {
    let inode = inode_at("self", Kind::Uts).unwrap_or(0);
    let id = id_at(std::process::id(), Kind::Uts, inode);
    let (Some(id), Ok(inode), Ok(flag)) = (id, u32::try_from(inode), u32::try_from(Kind::Uts.flag())) else {
        return false;
    };
    nsfs::open_by_id(id, flag, inode).is_ok()
}
