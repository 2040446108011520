//! What a scan has seen, as data.

use insula_launch::plan::Kind;
use std::path::PathBuf;

/// The namespaces of one moment. Processes come and go while it is taken: what it says of one was true when it was read.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// In the order of their inodes.
    pub namespaces: Vec<Namespace>,
    /// The processes that could be looked at, in the order of their pids.
    pub processes: Vec<Process>,
    /// What else holds a namespace than processes that are in it, in the order of the namespaces' inodes.
    pub holders: Vec<Holder>,
    /// How many processes there are, in the pid namespace that /proc shows.
    pub seen: usize,
    /// How many of them could not be looked at: ptrace(2), "Ptrace access mode checking".
    pub unseen: usize,
}

/// One namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace {
    /// Its kind.
    pub kind: Kind,
    /// Its inode in nsfs.
    pub inode: u64,
    /// Its 64-bit id, where it was asked for and the kernel has one (Linux 6.18).
    pub id: Option<u64>,
    /// How many processes are in it.
    pub processes: usize,
    /// The lowest pid among them.
    pub lowest_pid: Option<u32>,
    /// The inode of its parent, for pid and user namespaces; `None`: not asked for, or not ours to know.
    pub parent: Option<u64>,
    /// The inode of the user namespace that owns it.
    pub owner: Option<u64>,
    /// The uid of the owner of a user namespace, as we see it.
    pub owner_uid: Option<u32>,
    /// How many namespaces have it for their parent or owner, where relatives were asked for.
    pub children: usize,
    /// The number of a network namespace in ours.
    pub netnsid: Netnsid,
}

/// The number that one network namespace has for another, rtnetlink(7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Netnsid {
    /// Not asked for, no network namespace, or the kernel does not tell.
    Unknown,
    /// It has none.
    Unassigned,
    /// This one.
    Id(i32),
}

/// One process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its pid, in the pid namespace that /proc shows.
    pub pid: u32,
    /// The inodes of its namespaces, by `Kind as usize`; 0: not looked at, or none (a zombie has lost most).
    pub namespaces: [u64; 8],
}

impl Process {
    /// Its namespace of a kind.
    pub fn namespace(&self, kind: Kind) -> Option<u64> {
        Some(self.namespaces[kind as usize]).filter(|inode| *inode != 0)
    }
}

/// What holds a namespace, other than a process that is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The inode of the namespace.
    pub namespace: u64,
    /// How it is held.
    pub by: By,
}

/// How a namespace is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// A thread that is in another namespace than its process.
    Thread {
        /// The process.
        pid: u32,
        /// The thread.
        tid: u32,
    },
    /// The next children of a process will be in it.
    ForChildren {
        /// The process.
        pid: u32,
    },
    /// An open namespace file.
    Fd {
        /// Whose.
        pid: u32,
        /// Its number there.
        fd: u32,
    },
    /// A socket of a network namespace that its process is not in.
    Socket {
        /// Whose.
        pid: u32,
        /// Its number there.
        fd: u32,
    },
    /// A file on which the namespace is mounted.
    Mount {
        /// Where, as seen from the root of that process.
        point: PathBuf,
        /// A process of that mount namespace; `None`: our own.
        pid: Option<u32>,
    },
}

/// How many hold a namespace, by what they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Holders {
    /// Processes that are in it.
    pub processes: usize,
    /// Threads that are in it, though their process is not.
    pub threads: usize,
    /// Processes whose next children will be in it.
    pub for_children: usize,
    /// Open namespace files.
    pub fds: usize,
    /// Sockets of processes that are not in it.
    pub sockets: usize,
    /// Mounts.
    pub mounts: usize,
    /// Namespaces that it is the parent or the owner of.
    pub children: usize,
}

impl Snapshot {
    /// The namespace with this inode.
    pub fn find(&self, inode: u64) -> Option<&Namespace> {
        let at = self.namespaces.binary_search_by_key(&inode, |namespace| namespace.inode).ok()?;
        self.namespaces.get(at)
    }

    /// The process with this pid.
    pub fn process(&self, pid: u32) -> Option<&Process> {
        let at = self.processes.binary_search_by_key(&pid, |process| process.pid).ok()?;
        self.processes.get(at)
    }

    /// What holds a namespace besides the processes that are in it, and its children.
    pub fn held_by(&self, inode: u64) -> &[Holder] {
        let start = self.holders.partition_point(|holder| holder.namespace < inode);
        let end = self.holders.partition_point(|holder| holder.namespace <= inode);
        self.holders.get(start..end).unwrap_or_default()
    }

    /// The namespaces that have it for their parent or owner, each once, where relatives were asked for.
    pub fn children(&self, inode: u64) -> impl Iterator<Item = &Namespace> {
        let is_child = move |namespace: &&Namespace| {
            namespace.inode != inode && [namespace.parent, namespace.owner].contains(&Some(inode))
        };
        self.namespaces.iter().filter(is_child)
    }

    /// Counts what holds a namespace; what was not looked at counts nothing.
    pub fn holders(&self, namespace: &Namespace) -> Holders {
        let mut count =
            Holders { processes: namespace.processes, children: namespace.children, ..Holders::default() };
        for holder in self.held_by(namespace.inode) {
            *match holder.by {
                By::Thread { .. } => &mut count.threads,
                By::ForChildren { .. } => &mut count.for_children,
                By::Fd { .. } => &mut count.fds,
                By::Socket { .. } => &mut count.sockets,
                By::Mount { .. } => &mut count.mounts,
            } += 1;
        }
        count
    }

    /// The files on which a namespace is mounted in our own mount namespace, each path once.
    pub fn mount_points(&self, inode: u64) -> Vec<&std::path::Path> {
        let mut points: Vec<&std::path::Path> = Vec::new();
        for holder in self.held_by(inode) {
            if let By::Mount { point, pid: None } = &holder.by
                && !points.contains(&point.as_path())
            {
                points.push(point);
            }
        }
        points
    }
}
