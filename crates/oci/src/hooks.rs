//! `hooks`: programs run at points of the container's life (config.md, "POSIX-platform Hooks").

use crate::text;
use serde::{Deserialize, Serialize};

/// The hooks of a container by the moment at which they run (config.md, "POSIX-platform Hooks").
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Hooks {
    /// Deprecated by the specification, and still used: after the environment is made, before pivot_root(2), in the
    /// runtime's namespaces.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prestart: Vec<Hook>,
    /// During `create`, after [`prestart`](Hooks::prestart), before pivot_root(2), in the runtime's namespaces.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub create_runtime: Vec<Hook>,
    /// During `create`, before pivot_root(2), in the container's namespaces; the path is the runtime's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub create_container: Vec<Hook>,
    /// During `start`, before the program is executed, in the container; the path is the container's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub start_container: Vec<Hook>,
    /// After the program was executed, before `start` returns, in the runtime's namespaces.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub poststart: Vec<Hook>,
    /// After the container is deleted, before `delete` returns, in the runtime's namespaces.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub poststop: Vec<Hook>,
}

/// One program (config.md, "POSIX-platform Hooks").
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    /// The program, an absolute path.
    pub path: String,
    /// `argv`, with `argv[0]`; empty means the path alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// The whole environment: absent is empty, never the runtime's own (promise P2).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// Seconds until the hook is killed; must be above zero where it is set.
    #[serde(default, skip_serializing_if = "text::is_default")]
    pub timeout: Option<i64>,
}
