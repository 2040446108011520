//! The eight kinds of namespace, namespaces(7).

use std::ffi::CStr;

/// A kind of namespace, namespaces(7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// user_namespaces(7).
    User,
    /// mount_namespaces(7).
    Mnt,
    /// pid_namespaces(7).
    Pid,
    /// network_namespaces(7).
    Net,
    /// ipc_namespaces(7).
    Ipc,
    /// uts_namespaces(7).
    Uts,
    /// cgroup_namespaces(7).
    Cgroup,
    /// time_namespaces(7).
    Time,
}

impl Kind {
    /// All eight.
    pub const ALL: [Kind; 8] =
        [Kind::User, Kind::Mnt, Kind::Pid, Kind::Net, Kind::Ipc, Kind::Uts, Kind::Cgroup, Kind::Time];

    /// Its `CLONE_NEW*` flag.
    pub const fn flag(self) -> u64 {
        match self {
            Kind::User => 0x1000_0000,
            Kind::Mnt => 0x0002_0000,
            Kind::Pid => 0x2000_0000,
            Kind::Net => 0x4000_0000,
            Kind::Ipc => 0x0800_0000,
            Kind::Uts => 0x0400_0000,
            Kind::Cgroup => 0x0200_0000,
            Kind::Time => insula_sys::birth::CLONE_NEWTIME,
        }
    }

    /// Its file in /proc/PID, as a path for system calls.
    pub fn file(self) -> &'static CStr {
        match self {
            Kind::User => c"ns/user",
            Kind::Mnt => c"ns/mnt",
            Kind::Pid => c"ns/pid",
            Kind::Net => c"ns/net",
            Kind::Ipc => c"ns/ipc",
            Kind::Uts => c"ns/uts",
            Kind::Cgroup => c"ns/cgroup",
            Kind::Time => c"ns/time",
        }
    }

    /// The file of the namespace in which a process' children are born: another one for pid and time only.
    pub fn file_for_children(self) -> &'static CStr {
        match self {
            Kind::Pid => c"ns/pid_for_children",
            Kind::Time => c"ns/time_for_children",
            _ => self.file(),
        }
    }

    /// Its file's name in /proc/PID/ns.
    pub fn name(self) -> &'static str {
        match self {
            Kind::User => "user",
            Kind::Mnt => "mnt",
            Kind::Pid => "pid",
            Kind::Net => "net",
            Kind::Ipc => "ipc",
            Kind::Uts => "uts",
            Kind::Cgroup => "cgroup",
            Kind::Time => "time",
        }
    }
}

/// The `CLONE_NEW*` mask of some kinds.
pub fn mask(kinds: &[Kind]) -> u64 {
    kinds.iter().fold(0, |mask, kind| mask | kind.flag())
}
