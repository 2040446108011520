//! `config.json` itself: the top of the tree (config.md).

use crate::{hooks::Hooks, linux::Linux, mount::Mount, process::Process, text};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of the specification that these types follow.
pub const VERSION: &str = "1.3.0";

/// A container's configuration (config.md). The parts for other platforms are ignored like unknown properties.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    /// `ociVersion`: the version of the specification that the bundle complies with, in SemVer.
    pub oci_version: String,
    /// The root file system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<Root>,
    /// Mounts over the root, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mounts: Vec<Mount>,
    /// The program; required when the container is started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<Process>,
    /// The host name, in the container's UTS namespace (uts_namespaces(7)).
    #[serde(default, deserialize_with = "text::non_empty", skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// The NIS domain name, in the container's UTS namespace.
    #[serde(default, deserialize_with = "text::non_empty", skip_serializing_if = "Option::is_none")]
    pub domainname: Option<String>,
    /// Programs run at points of the container's life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hooks: Option<Hooks>,
    /// Free metadata; insula's own keys are in [`annotation`](crate::annotation).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// What only Linux has (config-linux.md).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linux: Option<Linux>,
}

impl Default for Spec {
    /// An empty configuration of the present [`VERSION`].
    fn default() -> Self {
        Self {
            oci_version: VERSION.to_owned(),
            root: None,
            mounts: Vec::new(),
            process: None,
            hostname: None,
            domainname: None,
            hooks: None,
            annotations: BTreeMap::new(),
            linux: None,
        }
    }
}

/// The root file system (config.md, "Root").
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// A directory, absolute or relative to the bundle.
    pub path: String,
    /// Whether the root is read-only inside the container.
    #[serde(default, skip_serializing_if = "text::is_default")]
    pub readonly: bool,
}
