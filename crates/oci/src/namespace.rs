//! `linux.namespaces`, the id maps and the clocks (config-linux.md, "Namespaces" and what follows).

use crate::text;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A namespace that is made or joined (config-linux.md, "Namespaces").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Namespace {
    /// `type`: its kind; each may stand once.
    #[serde(rename = "type")]
    pub kind: NamespaceKind,
    /// The namespace to join, an absolute path in the runtime's mount namespace; absent means a new one.
    #[serde(default, deserialize_with = "text::non_empty", skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

impl Namespace {
    /// A new namespace of a kind.
    pub fn new(kind: NamespaceKind) -> Self {
        Self { kind, path: None }
    }
}

/// The eight kinds (config-linux.md, "Namespaces"; namespaces(7)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NamespaceKind {
    /// Process ids (pid_namespaces(7)).
    Pid,
    /// Network devices, addresses, ports (network_namespaces(7)).
    Network,
    /// Mounts (mount_namespaces(7)).
    Mount,
    /// System V IPC and POSIX message queues (ipc_namespaces(7)).
    Ipc,
    /// Host and domain name (uts_namespaces(7)).
    Uts,
    /// User and group ids and capabilities (user_namespaces(7)).
    User,
    /// The root of the cgroup hierarchy (cgroup_namespaces(7)).
    Cgroup,
    /// The monotonic and boot-time clocks (time_namespaces(7)).
    Time,
}

impl NamespaceKind {
    /// All kinds, in the order of the specification.
    pub const ALL: [Self; 8] =
        [Self::Pid, Self::Network, Self::Mount, Self::Ipc, Self::Uts, Self::User, Self::Cgroup, Self::Time];

    /// The word of the specification.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pid => "pid",
            Self::Network => "network",
            Self::Mount => "mount",
            Self::Ipc => "ipc",
            Self::Uts => "uts",
            Self::User => "user",
            Self::Cgroup => "cgroup",
            Self::Time => "time",
        }
    }
}

impl fmt::Display for NamespaceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A range of ids (config-linux.md, "User namespace mappings").
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdMapping {
    /// The first id in the container.
    #[serde(rename = "containerID")]
    pub container_id: u32,
    /// The first id on the host; in a mount's mapping, the id that the mount shows.
    #[serde(rename = "hostID")]
    pub host_id: u32,
    /// How many.
    pub size: u32,
}

/// A clock of a time namespace (config-linux.md, "Offset for Time Namespace"; time_namespaces(7)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Clock {
    /// `CLOCK_MONOTONIC`.
    Monotonic,
    /// `CLOCK_BOOTTIME`.
    Boottime,
}

/// How far a clock is set off (config-linux.md, "Offset for Time Namespace").
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TimeOffset {
    /// Seconds.
    #[serde(skip_serializing_if = "text::is_default")]
    pub secs: i64,
    /// Nanoseconds on top, below 1,000,000,000.
    #[serde(skip_serializing_if = "text::is_default")]
    pub nanosecs: u32,
}
