//! What a scan looks at: each source costs system calls, so nobody pays for one that is not asked for.

use insula_launch::plan::Kind;

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// The kinds, by `Kind as usize`: a namespace of another kind is passed over.
    pub kinds: [bool; 8],
    /// Threads that are in another namespace than their process, setns(2).
    pub threads: bool,
    /// `pid_for_children` and `time_for_children` of each process: namespaces that wait for a first child.
    pub for_children: bool,
    /// Open namespace files, and the network namespaces of open sockets.
    pub fds: bool,
    /// Files on which a namespace is mounted.
    pub mounts: Mounts,
    /// Namespaces that listns(2) knows and nothing else shows (Linux 6.19).
    pub listed: bool,
    /// Parent and owner of each namespace, ioctl_ns(2).
    pub relatives: bool,
    /// With `relatives`: parents and owners that nothing else shows are namespaces of the snapshot as well.
    pub ghosts: bool,
    /// The 64-bit ids.
    pub ids: bool,
    /// The numbers that our network namespace has given to others, ip-netns(8).
    pub netnsids: bool,
}

/// In which mount namespaces namespace files are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mounts {
    /// In none.
    None,
    /// In our own.
    Own,
    /// In every one that a process is in whose table of mounts we may read.
    All,
}

impl Look {
    /// Processes alone: what costs the least.
    pub const PROCESSES: Look = Look {
        kinds: [true; 8],
        threads: false,
        for_children: false,
        fds: false,
        mounts: Mounts::None,
        listed: false,
        relatives: false,
        ghosts: false,
        ids: false,
        netnsids: false,
    };

    /// The view of lsns(8): processes, their open files and sockets, and the mounts of our own mount namespace.
    pub const LSNS: Look = Look { fds: true, mounts: Mounts::Own, ..Look::PROCESSES };

    /// Everything that can hold a namespace.
    pub const HOLDERS: Look = Look {
        threads: true,
        for_children: true,
        mounts: Mounts::All,
        listed: true,
        relatives: true,
        ghosts: true,
        ..Look::LSNS
    };

    /// Is this kind looked at?
    pub fn at(&self, kind: Kind) -> bool {
        self.kinds[kind as usize]
    }
}
