//! `linux`: what only Linux has (config-linux.md).

use crate::{
    device::{Device, NetDevice},
    namespace::{Clock, IdMapping, Namespace, TimeOffset},
    resources::Resources,
    seccomp::Seccomp,
    text,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The Linux part of a configuration (config-linux.md).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Linux {
    /// The namespaces that are made or joined; a kind that is not listed is shared with the runtime.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<Namespace>,
    /// User ids of the container to those of the host (user_namespaces(7), `uid_map`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub uid_mappings: Vec<IdMapping>,
    /// Group ids, likewise (`gid_map`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gid_mappings: Vec<IdMapping>,
    /// The clocks of the time namespace (time_namespaces(7)).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub time_offsets: BTreeMap<Clock, TimeOffset>,
    /// Device nodes besides the default ones (config-linux.md, "Default Devices").
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<Device>,
    /// Network devices of the runtime that are moved into the container, by their name there.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub net_devices: BTreeMap<String, NetDevice>,
    /// Where in the cgroup hierarchy, or `slice:prefix:name` with systemd (config-linux.md, "Cgroups Path").
    #[serde(deserialize_with = "text::non_empty", skip_serializing_if = "Option::is_none")]
    pub cgroups_path: Option<String>,
    /// Limits set by cgroups (cgroups(7)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    /// The propagation of the root mount (mount_namespaces(7)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rootfs_propagation: Option<Propagation>,
    /// Paths that cannot be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub masked_paths: Vec<String>,
    /// Paths that cannot be written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub readonly_paths: Vec<String>,
    /// Kernel parameters of the container's namespaces, as sysctl(8) names them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub sysctl: BTreeMap<String, String>,
    /// Which system calls are allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seccomp: Option<Seccomp>,
    /// The SELinux context of the mounts.
    #[serde(deserialize_with = "text::non_empty", skip_serializing_if = "Option::is_none")]
    pub mount_label: Option<String>,
    /// The execution domain (personality(2)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub personality: Option<Personality>,
    /// Intel's Resource Director Technology.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intel_rdt: Option<IntelRdt>,
    /// The NUMA policy (set_mempolicy(2)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_policy: Option<MemoryPolicy>,
}

/// The propagation of the root mount (config-linux.md, "Rootfs Mount Propagation"; mount_namespaces(7)). The recursive
/// words are runc's and Docker's, not the specification's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Propagation {
    /// Events go both ways.
    Shared,
    /// Events come in.
    Slave,
    /// No events.
    Private,
    /// No events, and no bind mounts of it.
    Unbindable,
    /// [`Shared`](Self::Shared), and all below.
    Rshared,
    /// [`Slave`](Self::Slave), and all below.
    Rslave,
    /// [`Private`](Self::Private), and all below.
    Rprivate,
    /// [`Unbindable`](Self::Unbindable), and all below.
    Runbindable,
}

/// The execution domain (config-linux.md, "Personality"; personality(2)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Personality {
    /// The domain.
    pub domain: PersonalityDomain,
    /// Flags on top: the specification defines none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<PersonalityFlag>,
}

/// A domain (config-linux.md, "Personality").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum PersonalityDomain {
    /// The usual one.
    Linux,
    /// 32 bit: uname(2) says so.
    Linux32,
}

/// A flag (config-linux.md, "Personality"): none is defined, so that every value is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PersonalityFlag {}

/// Intel's Resource Director Technology (config-linux.md, "IntelRdt"; resctrl).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IntelRdt {
    /// The class of service; absent is the container's id.
    #[serde(
        rename = "closID",
        deserialize_with = "text::non_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub clos_id: Option<String>,
    /// Lines for the `schemata` file, written last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub schemata: Vec<String>,
    /// `l3CacheSchema`: the schema of the L3 cache.
    #[serde(deserialize_with = "text::non_empty", skip_serializing_if = "Option::is_none")]
    pub l3_cache_schema: Option<String>,
    /// The schema of the memory bandwidth.
    #[serde(deserialize_with = "text::non_empty", skip_serializing_if = "Option::is_none")]
    pub mem_bw_schema: Option<String>,
    /// Whether a monitoring group is made.
    #[serde(skip_serializing_if = "text::is_default")]
    pub enable_monitoring: bool,
}

/// The NUMA policy (config-linux.md, "Memory policy"; set_mempolicy(2)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryPolicy {
    /// The mode.
    pub mode: MemoryPolicyMode,
    /// The nodes, a list like `0-3,7`.
    #[serde(default, deserialize_with = "text::non_empty", skip_serializing_if = "Option::is_none")]
    pub nodes: Option<String>,
    /// Flags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<MemoryPolicyFlag>,
}

/// A mode for set_mempolicy(2) (config-linux.md, "Memory policy").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MemoryPolicyMode {
    /// The usual policy.
    #[serde(rename = "MPOL_DEFAULT")]
    Default,
    /// Only from the nodes.
    #[serde(rename = "MPOL_BIND")]
    Bind,
    /// From the nodes in turn.
    #[serde(rename = "MPOL_INTERLEAVE")]
    Interleave,
    /// From the nodes in turn, by weight.
    #[serde(rename = "MPOL_WEIGHTED_INTERLEAVE")]
    WeightedInterleave,
    /// From one node first.
    #[serde(rename = "MPOL_PREFERRED")]
    Preferred,
    /// From some nodes first.
    #[serde(rename = "MPOL_PREFERRED_MANY")]
    PreferredMany,
    /// From the node of the CPU.
    #[serde(rename = "MPOL_LOCAL")]
    Local,
}

/// A flag for set_mempolicy(2) (config-linux.md, "Memory policy").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MemoryPolicyFlag {
    /// NUMA balancing within the nodes.
    #[serde(rename = "MPOL_F_NUMA_BALANCING")]
    NumaBalancing,
    /// Nodes relative to those allowed.
    #[serde(rename = "MPOL_F_RELATIVE_NODES")]
    RelativeNodes,
    /// Nodes as they are numbered.
    #[serde(rename = "MPOL_F_STATIC_NODES")]
    StaticNodes,
}
