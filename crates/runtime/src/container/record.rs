//! What one command leaves for the next: which process a container is, and what was made for it outside of it.

use insula_launch::host::boot;
use insula_launch::host::process::start_time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The record of a container.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// `ociVersion` of its configuration.
    pub oci_version: String,
    /// Its id.
    pub id: String,
    /// The bundle's absolute path.
    pub bundle: String,
    /// The absolute path of its root file system.
    pub rootfs: String,
    /// When it was created, RFC 3339.
    pub created: String,
    /// The uid that created it.
    pub owner: u32,
    /// The boot of the machine under which it lives, random(4).
    pub boot: String,
    /// Its first process; absent until it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<Process>,
    /// Its control group, written before that is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cgroup: Option<Cgroup>,
    /// The annotations of its configuration.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The configuration has hooks for after its end.
    #[serde(default)]
    pub has_poststop: bool,
    /// It has hooks for behind its start. A record that does not say so is of an older version: then they are looked for.
    #[serde(default = "yes")]
    pub has_poststart: bool,
    /// It has a pid namespace of its own, with which all of it ends.
    #[serde(default)]
    pub own_pids: bool,
}

fn yes() -> bool {
    true
}

/// A process that a later one of the same pid is not taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its pid, in the runtime's pid namespace.
    pub pid: i32,
    /// When it began, in clock ticks since the boot, proc_pid_stat(5).
    pub start: u64,
}

impl Process {
    /// The process that has this pid now.
    pub fn of(pid: i32) -> Option<Process> {
        Some(Process { pid, start: start_time(pid)? })
    }
}

/// A control group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cgroup {
    /// Its name, as crates/cgroup reads it.
    pub name: String,
    /// The file that says whether it is frozen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freezer: Option<String>,
}

impl Record {
    /// Was it made before the machine last started? Then nothing of it lives.
    pub fn is_of_another_boot(&self) -> bool {
        self.boot != boot::id()
    }
}
