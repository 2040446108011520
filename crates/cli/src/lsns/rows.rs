//! Which rows there are, and which hangs below which. The rules are lsns(8)'s: a row of the process tree hangs below the
//! row that its parent process got last, if it got one.

use super::request::{Request, Tree};
use insula_namespaces::scan::{Namespace, Snapshot, process};
use std::collections::HashMap;

/// A row: a namespace, and the process that stands for it.
#[derive(Debug, Clone, Copy)]
pub struct Line<'s> {
    pub namespace: &'s Namespace,
    pub pid: Option<u32>,
    /// The parent of that process, where the tree asks for it.
    pub ppid: Option<u32>,
    /// The row above in the tree.
    pub parent: Option<usize>,
}

/// Says of a row whether it is wanted.
pub type Wanted<'w, E> = &'w mut dyn FnMut(&Line<'_>) -> Result<bool, E>;

/// The rows so far.
struct Rows<'s, 'w, E> {
    snapshot: &'s Snapshot,
    tree: Tree,
    wanted: Wanted<'w, E>,
    lines: Vec<Line<'s>>,
    /// The last row of a process.
    of_process: HashMap<u32, usize>,
    /// The row of a namespace.
    of_namespace: HashMap<u64, usize>,
}

/// A row for each namespace.
pub fn namespaces<'s, E>(
    snapshot: &'s Snapshot,
    request: &Request,
    wanted: Wanted<'_, E>,
) -> Result<Vec<Line<'s>>, E> {
    let task = request.task.map(|pid| snapshot.process(pid));
    let mut rows = Rows::new(snapshot, request.tree, wanted);
    for namespace in &snapshot.namespaces {
        let of_task = task.is_none_or(|task| {
            task.is_some_and(|process| process.namespace(namespace.kind) == Some(namespace.inode))
        });
        if of_task && !(request.persistent && namespace.processes > 0) {
            rows.namespace(namespace)?;
        }
    }
    Ok(rows.lines)
}

/// A row for each process of a namespace.
pub fn processes<'s, E>(
    snapshot: &'s Snapshot,
    namespace: &'s Namespace,
    request: &Request,
    wanted: Wanted<'_, E>,
) -> Result<Vec<Line<'s>>, E> {
    let mut rows = Rows::new(snapshot, request.tree, wanted);
    let members: Vec<u32> = snapshot
        .processes
        .iter()
        .filter(|process| process.namespace(namespace.kind) == Some(namespace.inode))
        .map(|process| process.pid)
        .collect();
    let parents: HashMap<u32, u32> = if request.tree == Tree::Process {
        members.iter().filter_map(|pid| Some((*pid, process::parent(*pid)?))).collect()
    } else {
        HashMap::new()
    };
    for pid in &members {
        // Parents first: those of a process with a higher pid than its own come before their turn.
        let mut chain = vec![*pid];
        while let Some(parent) = chain.last().and_then(|pid| parents.get(pid)) {
            if members.binary_search(parent).is_err() || chain.contains(parent) {
                break;
            }
            chain.push(*parent);
        }
        for pid in chain.into_iter().rev() {
            if !rows.of_process.contains_key(&pid) {
                rows.add(namespace, Some(pid), parents.get(&pid).copied())?;
            }
        }
    }
    Ok(rows.lines)
}

impl<'s, 'w, E> Rows<'s, 'w, E> {
    fn new(snapshot: &'s Snapshot, tree: Tree, wanted: Wanted<'w, E>) -> Rows<'s, 'w, E> {
        Rows {
            snapshot,
            tree,
            wanted,
            lines: Vec::new(),
            of_process: HashMap::new(),
            of_namespace: HashMap::new(),
        }
    }

    /// The row of a namespace, after those above it.
    fn namespace(&mut self, namespace: &'s Namespace) -> Result<(), E> {
        if self.of_namespace.contains_key(&namespace.inode) {
            return Ok(());
        }
        let mut above = vec![namespace];
        while let Some(next) = above.last().and_then(|namespace| self.above(namespace)) {
            if self.of_namespace.contains_key(&next.inode) || above.iter().any(|one| one.inode == next.inode)
            {
                break;
            }
            above.push(next);
        }
        for namespace in above.into_iter().rev() {
            let ppid = match (self.tree, namespace.lowest_pid) {
                (Tree::Process, Some(pid)) => process::parent(pid),
                _ => None,
            };
            self.add(namespace, namespace.lowest_pid, ppid)?;
        }
        Ok(())
    }

    /// The namespace whose row comes first, where the tree is one of namespaces.
    fn above(&self, namespace: &Namespace) -> Option<&'s Namespace> {
        let inode = match self.tree {
            Tree::None | Tree::Process => None,
            Tree::Owner => namespace.owner,
            Tree::Parent => namespace.parent.or(namespace.owner),
        };
        inode.and_then(|inode| self.snapshot.find(inode))
    }

    fn add(&mut self, namespace: &'s Namespace, pid: Option<u32>, ppid: Option<u32>) -> Result<(), E> {
        let row = |inode: Option<u64>| inode.and_then(|inode| self.of_namespace.get(&inode)).copied();
        let parent = match self.tree {
            Tree::None => None,
            Tree::Process => ppid.and_then(|ppid| self.of_process.get(&ppid)).copied(),
            Tree::Owner => row(namespace.owner),
            Tree::Parent => row(namespace.parent),
        };
        let line = Line { namespace, pid, ppid, parent };
        if (self.wanted)(&line)? {
            let at = self.lines.len();
            match (self.tree, pid) {
                (Tree::Owner | Tree::Parent, _) => _ = self.of_namespace.insert(namespace.inode, at),
                (_, Some(pid)) => _ = self.of_process.insert(pid, at),
                _ => {}
            }
            self.lines.push(line);
        }
        Ok(())
    }
}
