//! Who is in some namespaces: processes, and threads where they are looked at one by one.

use super::procfs::{Path, Proc, number};
use super::snapshot::{By, Process, Snapshot};
use insula_launch::plan::Kind;
use rustix::fs::{OFlags, RawDir};
use std::collections::BTreeMap;
use std::mem::MaybeUninit;

/// A process or thread that is in one or more of the namespaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its process.
    pub pid: u32,
    /// The thread; that of the process' first one where processes are looked at.
    pub tid: u32,
    /// In which of them it is, by `Kind as usize`.
    pub kinds: [bool; 8],
}

/// The processes that are in one or more of these namespaces, by kind and inode.
pub fn processes(snapshot: &Snapshot, of: &[(Kind, u64)]) -> Vec<Member> {
    let member = |process: &Process| member(process.pid, process.pid, &process.namespaces, of);
    snapshot.processes.iter().filter_map(member).collect()
}

/// The threads; the snapshot has to have looked at threads ([`Look::threads`](super::Look)).
pub fn threads(snapshot: &Snapshot, of: &[(Kind, u64)]) -> Vec<Member> {
    let Ok(proc) = Proc::open() else { return Vec::new() };
    // A thread that is elsewhere than its process is among the holders of where it is.
    let mut elsewhere: BTreeMap<(u32, u32), Vec<(Kind, u64)>> = BTreeMap::new();
    for holder in &snapshot.holders {
        if let By::Thread { pid, tid } = holder.by
            && let Some(namespace) = snapshot.find(holder.namespace)
        {
            elsewhere.entry((pid, tid)).or_default().push((namespace.kind, namespace.inode));
        }
    }
    let mut found = Vec::new();
    for process in &snapshot.processes {
        let differs = elsewhere.range((process.pid, 0)..=(process.pid, u32::MAX)).next().is_some();
        if !differs && member(process.pid, process.pid, &process.namespaces, of).is_none() {
            continue;
        }
        for tid in tids(&proc, process.pid) {
            let mut namespaces = process.namespaces;
            for (kind, inode) in elsewhere.get(&(process.pid, tid)).into_iter().flatten() {
                namespaces[*kind as usize] = *inode;
            }
            found.extend(member(process.pid, tid, &namespaces, of));
        }
    }
    found
}

fn member(pid: u32, tid: u32, namespaces: &[u64; 8], of: &[(Kind, u64)]) -> Option<Member> {
    let mut kinds = [false; 8];
    for (kind, inode) in of {
        kinds[*kind as usize] |= namespaces[*kind as usize] == *inode;
    }
    kinds.contains(&true).then_some(Member { pid, tid, kinds })
}

/// The threads of a process, in the order of their ids. One that has ended has none.
fn tids(proc: &Proc, pid: u32) -> Vec<u32> {
    let path = Path::new(&[pid.to_string().as_bytes(), b"/task"]);
    let Ok(directory) = proc.open_file(&path, OFlags::RDONLY | OFlags::DIRECTORY) else { return Vec::new() };
    let mut room = [MaybeUninit::<u8>::uninit(); 4096];
    let mut list = RawDir::new(directory, &mut room);
    let mut tids = Vec::new();
    while let Some(Ok(entry)) = list.next() {
        tids.extend(number(entry.file_name().to_bytes()).and_then(|tid| u32::try_from(tid).ok()));
    }
    tids.sort_unstable();
    tids
}

#[cfg(test)]
mod tests {
    use super::super::{Look, take};
    use super::*;

    #[test]
    fn we_are_a_member_of_our_own_namespace_with_each_of_our_threads() {
        let snapshot = take(&Look { threads: true, ..Look::PROCESSES }).expect("a scan");
        let own = snapshot.process(std::process::id()).expect("ourselves");
        let uts = own.namespace(Kind::Uts).expect("every kernel has it");
        let of = [(Kind::Uts, uts)];
        let ours =
            |members: Vec<Member>| members.into_iter().filter(|one| one.pid == own.pid).collect::<Vec<_>>();
        let processes = ours(processes(&snapshot, &of));
        assert_eq!(processes.len(), 1);
        assert!(processes[0].kinds[Kind::Uts as usize] && !processes[0].kinds[Kind::Net as usize]);
        // The test's own thread is not the first.
        let threads = ours(threads(&snapshot, &of));
        assert!(threads.len() >= 2 && threads.iter().any(|one| one.tid == own.pid), "{threads:?}");
        assert_eq!(super::processes(&snapshot, &[(Kind::Uts, 1)]), []);
        assert_eq!(super::processes(&snapshot, &[(Kind::Net, uts)]), [], "an inode of another kind");
    }
}
