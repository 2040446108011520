//! What a watch tells.

use insula_launch::plan::Kind;
use std::ffi::OsString;

/// Something that came or went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A name.
    Name {
        /// What became of it.
        change: Change,
        /// The name.
        name: OsString,
        /// What it stands for, as far as that could be seen: a name may be gone again before it is looked at.
        namespaces: Vec<Which>,
    },
    /// A namespace.
    Namespace {
        /// What became of it.
        change: Change,
        /// Which.
        which: Which,
        /// The names that it has, or has had.
        names: Vec<OsString>,
    },
    /// A process came into namespaces, or left them.
    Member {
        /// What became of it.
        change: Change,
        /// Its pid.
        pid: u32,
        /// The namespaces.
        namespaces: Vec<Which>,
        /// The names that they have, or have had.
        names: Vec<OsString>,
    },
    /// Something could not be told.
    Missed(Missed),
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It was there when the watch began.
    There,
    /// It came.
    Came,
    /// It went.
    Went,
}

/// Which namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Which {
    /// Its kind.
    pub kind: Kind,
    /// Its inode.
    pub inode: u64,
    /// Its 64-bit id, where the kernel has one and it could be asked.
    pub id: Option<u64>,
}

/// What was missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missed {
    /// Processes that were born and had ended before they could be looked at, and what only they were in.
    Processes(u64),
    /// The kernel had no more room for events: of names (inotify(7)).
    NameEvents,
    /// The same, of processes.
    ProcessEvents,
}
