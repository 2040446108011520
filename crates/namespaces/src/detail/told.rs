//! What a namespace tells of itself, as data.

use insula_net::address::Address;
use insula_net::link::Link;

/// What was asked of one namespace, and what of it could not be seen.
#[derive(Debug)]
pub struct Told {
    /// What its kind can tell.
    pub detail: Detail,
    /// What could not be seen, why, and who may see it.
    pub hidden: Vec<Hidden>,
}

/// Something that could not be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hidden {
    /// What: a noun.
    pub what: &'static str,
    /// Why not, and who may: a sentence without a full stop.
    pub why: String,
}

/// What each kind can tell. `None` and empty lists: not seen; `Told::hidden` says why.
#[derive(Debug)]
pub enum Detail {
    /// uname(2).
    Uts(Option<Names>),
    /// user_namespaces(7).
    User(User),
    /// pid_namespaces(7).
    Pid(Pid),
    /// time_namespaces(7).
    Time(Option<Offsets>),
    /// network_namespaces(7).
    Net(Net),
    /// mount_namespaces(7).
    Mnt(Option<Mounts>),
    /// ipc_namespaces(7).
    Ipc(Option<Ipc>),
    /// cgroup_namespaces(7).
    Cgroup(Vec<CgroupRoot>),
}

/// The names of a uts namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// gethostname(2).
    pub hostname: String,
    /// getdomainname(2); `None`: none is set.
    pub domainname: Option<String>,
}

/// A user namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct User {
    /// Its uid_map as seen from our own user namespace.
    pub uid_map: Vec<Range>,
    /// Its gid_map.
    pub gid_map: Vec<Range>,
    /// May setgroups(2) be called in it? `Some(false)`: it is denied for good.
    pub setgroups: Option<bool>,
    /// How deep it lies.
    pub level: Level,
}

/// A line of uid_map or gid_map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The first id inside.
    pub inside: u32,
    /// The first id outside.
    pub outside: u32,
    /// How many follow one another.
    pub length: u32,
}

/// How deep a pid or user namespace lies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Level {
    /// How many are above it, up to the topmost that we may see.
    pub depth: usize,
    /// Is that topmost one the initial one?
    pub from_initial: bool,
}

/// A pid namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pid {
    /// Its first process, whose end is its end; our number of it.
    pub init: Option<u32>,
    /// How deep it lies.
    pub level: Level,
}

/// The offsets of a time namespace, in nanoseconds against the initial one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Offsets {
    /// Of CLOCK_MONOTONIC.
    pub monotonic_ns: i128,
    /// Of CLOCK_BOOTTIME.
    pub boottime_ns: i128,
}

/// A network namespace.
#[derive(Debug, Default)]
pub struct Net {
    /// The id that our network namespace has for it.
    pub nsid: Option<i32>,
    /// Its devices, each with its addresses; `None`: not seen.
    pub devices: Option<Vec<(Link, Vec<Address>)>>,
}

/// A mount namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mounts {
    /// What is mounted on its `/`: the type of the file system.
    pub root_type: String,
    /// The source of that mount: a device, mostly.
    pub root_source: String,
    /// The directory of that file system that is the root.
    pub root_directory: String,
    /// Propagation of `/`: `shared`, `private`, `slave`, `shared,slave` or `unbindable`.
    pub root_propagation: &'static str,
    /// How many mounts there are.
    pub count: usize,
    /// How many of them are shared.
    pub shared: usize,
    /// How many are slaves (and maybe shared as well).
    pub slaves: usize,
    /// How many are private, unbindable ones among them.
    pub private: usize,
    /// The process through whose root it was seen; what that does not reach is not counted. `None`: seen as a whole.
    pub through: Option<u32>,
}

/// How much there is of System V IPC, sysvipc(7).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ipc {
    /// Message queues.
    pub queues: usize,
    /// Semaphore sets.
    pub semaphores: usize,
    /// Shared memory segments.
    pub segments: usize,
}

/// The root of a cgroup namespace in one hierarchy, as seen from ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CgroupRoot {
    /// The controllers of a version 1 hierarchy, or its name (`name=…`); empty for version 2.
    pub hierarchy: String,
    /// The path.
    pub path: String,
}
