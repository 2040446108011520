//! What a runtime says of a container: the answer to `state`, and what a hook reads on its standard input
//! (runtime.md, "State").

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A container's state (runtime.md, "State").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// `ociVersion`: the version of the specification that the state complies with.
    pub oci_version: String,
    /// The container's id, unique on the host for this runtime.
    pub id: String,
    /// Where the container is in its life.
    pub status: Status,
    /// The program's process id, in the runtime's pid namespace; absent when stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<i32>,
    /// The absolute path of the bundle.
    pub bundle: String,
    /// The annotations of the configuration.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// Where a container is in its life (runtime.md, "State").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It is being made.
    Creating,
    /// It is made, and its program was not yet executed.
    Created,
    /// Its program was executed and has not exited.
    Running,
    /// Frozen by its cgroup. Not the specification's word but runc's, which its clients know.
    Paused,
    /// Its program has exited.
    Stopped,
}

impl Status {
    /// The word of the specification.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
        }
    }
}

/// What a seccomp agent is sent along with the notify descriptor (config-linux.md, "The Container Process State").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerProcessState {
    /// `ociVersion`: the version of the specification that the message complies with.
    pub oci_version: String,
    /// The names of the descriptors in the `SCM_RIGHTS` array, in its order; [`SECCOMP_FD`] is one of them.
    pub fds: Vec<String>,
    /// The process id, as the runtime sees it.
    pub pid: i32,
    /// `listenerMetadata` of the configuration, as it was written.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub metadata: String,
    /// The container's state.
    pub state: State,
}

/// The name of the seccomp notify descriptor in [`ContainerProcessState::fds`].
pub const SECCOMP_FD: &str = "seccompFd";
