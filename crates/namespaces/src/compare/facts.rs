//! What is known of one side of a comparison, as data. What may not be seen is said to be so, and why; it is never guessed.

use super::mounts::Mount;
use crate::status::Status;
use insula_launch::plan::Kind;
use insula_sys::pidfd::Dumpable;

/// Something that may be known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen<T> {
    /// It is this.
    Is(T),
    /// It may not be seen, and why.
    Hidden(Hidden),
    /// There is no such thing: why, as words.
    Nothing(&'static str),
}

/// Why something may not be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hidden {
    /// Its user, with its capabilities, may; or who has CAP_SYS_PTRACE over it: ptrace(2), "Ptrace access mode checking".
    Rights,
    /// The process has ended meanwhile.
    Gone,
    /// The kernel does not tell: which one, as words.
    Kernel(&'static str),
}

impl Hidden {
    /// As words: who may, or why nobody.
    pub fn words(self) -> &'static str {
        match self {
            Hidden::Rights => "its own user may see it, or who has CAP_SYS_PTRACE over it",
            Hidden::Gone => "the process has ended",
            Hidden::Kernel(words) => words,
        }
    }
}

impl<T> Seen<T> {
    /// What it is, if it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Seen::Is(value) => Some(value),
            _ => None,
        }
    }

    /// The same of another type.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Seen<U> {
        match self {
            Seen::Is(value) => Seen::Is(change(value)),
            Seen::Hidden(why) => Seen::Hidden(why),
            Seen::Nothing(why) => Seen::Nothing(why),
        }
    }
}

/// One side.
#[derive(Debug, Clone)]
pub struct Facts {
    /// What it is called in sentences: `1234 (sleep)`, `host`, a name.
    pub name: String,
    /// The namespaces, by `Kind as usize`.
    pub namespaces: [Seen<Namespace>; 8],
    /// Its user namespace and those above it, as far up as our own; empty where it may not be seen.
    pub users: Vec<User>,
    /// The inodes of its pid namespace and of those above it, as far up as our own.
    pub pids: Vec<u64>,
    /// The process; `None` where namespaces alone are compared.
    pub process: Option<Process>,
}

impl Facts {
    /// Its namespace of a kind.
    pub fn namespace(&self, kind: Kind) -> &Seen<Namespace> {
        &self.namespaces[kind as usize]
    }
}

/// A namespace by its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Namespace {
    /// The inode in nsfs.
    pub inode: u64,
    /// The 64-bit id (Linux 6.18).
    pub id: Option<u64>,
}

/// A user namespace in the line of parents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct User {
    /// Its inode.
    pub inode: u64,
    /// The uid of who made it, as we see it.
    pub owner: Option<u32>,
}

/// A process.
#[derive(Debug, Clone)]
pub struct Process {
    /// Its pid, as /proc has it.
    pub pid: i32,
    /// What its status says.
    pub status: Status,
    /// The root of its paths.
    pub root: Seen<Place>,
    /// Its working directory.
    pub cwd: Seen<Place>,
    /// The mounts below its root.
    pub mounts: Seen<Vec<Mount>>,
    /// In which cgroup it is, by the hierarchy's name: controllers, `name=…`, or `unified`; as our cgroup namespace sees it.
    pub cgroups: Seen<Vec<(String, String)>>,
    /// The label of the security module, `/proc/PID/attr/current`.
    pub label: Seen<String>,
    /// Who may look into it.
    pub dumpable: Seen<Dumpable>,
    /// Its session, setsid(2), as /proc has its number; 0: it is of another pid namespace.
    pub session: Seen<i32>,
    /// How many unix sockets with abstract names its network namespace has.
    pub abstract_sockets: Seen<usize>,
    /// Its open files.
    pub files: Seen<Vec<OpenFile>>,
}

/// A directory of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The mount that it is on; `None`: the kernel does not tell (before Linux 5.8).
    pub mount: Option<u64>,
    /// The file system's device.
    pub device: u64,
    /// The inode.
    pub inode: u64,
    /// Its path from the root of its mount namespace.
    pub path: Vec<u8>,
}

/// One open file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenFile {
    /// Its number.
    pub fd: i32,
    /// Device and inode.
    pub file: (u64, u64),
    /// What it is: a path, `pipe:[…]`, `socket:[…]`.
    pub link: Vec<u8>,
}

/// What only both together tell: kcmp(2).
#[derive(Debug, Clone)]
pub struct Together {
    /// One table of open files.
    pub files: Seen<bool>,
    /// One root, working directory and umask.
    pub file_system: Seen<bool>,
    /// One memory.
    pub memory: Seen<bool>,
    /// One table of signal handlers.
    pub signal_handlers: Seen<bool>,
    /// Open files that both have.
    pub common: Seen<Vec<Common>>,
}

/// An open file that both have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Common {
    /// Its number at A.
    pub a: i32,
    /// Its number at B.
    pub b: i32,
    /// What it is.
    pub link: Vec<u8>,
    /// It is one open file description: offset and flags are one too. Otherwise two ends of one pipe.
    pub is_one: bool,
}

/// What of the machine decides who may do what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    /// `kernel.yama.ptrace_scope`; `None`: no Yama.
    pub yama: Option<u8>,
    /// We see all ids as they are: our user namespace maps them all.
    pub ids_are_whole: bool,
    /// The highest capability, `/proc/sys/kernel/cap_last_cap`.
    pub last_capability: u32,
}

impl Machine {
    /// All capabilities.
    pub fn all(&self) -> u64 {
        u64::MAX >> (63 - self.last_capability.min(63))
    }
}
