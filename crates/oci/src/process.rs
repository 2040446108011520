//! `process`: the program and what it may do (config.md, "Process", "POSIX process", "Linux Process").

use crate::{
    capability::Capabilities,
    rlimit::Rlimit,
    scheduling::{CpuAffinity, IoPriority, Scheduler},
    text,
};
use serde::{Deserialize, Serialize};

/// The program of a container, or one that joins it (config.md, "Process").
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Process {
    /// Whether the program gets a pseudoterminal as its standard streams (pty(7)).
    #[serde(default, skip_serializing_if = "text::is_default")]
    pub terminal: bool,
    /// The size of the terminal; ignored without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub console_size: Option<ConsoleSize>,
    /// Its user, groups and umask; absent is 0:0 with no other groups.
    #[serde(default)]
    pub user: User,
    /// `argv`; the first is looked up as execvp(3) does. At least one is required on Linux.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// The whole environment, `KEY=VALUE` each (environ(7)).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// The working directory, absolute, in the container.
    pub cwd: String,
    /// Its capabilities. Absent means none (promise P2), and is told apart from sets that are present and empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Capabilities>,
    /// Its resource limits (getrlimit(2)); a kind may stand once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rlimits: Vec<Rlimit>,
    /// Whether execve(2) may grant no more privileges (`PR_SET_NO_NEW_PRIVS`).
    #[serde(default, skip_serializing_if = "text::is_default")]
    pub no_new_privileges: bool,
    /// The AppArmor profile.
    #[serde(default, deserialize_with = "text::non_empty", skip_serializing_if = "Option::is_none")]
    pub apparmor_profile: Option<String>,
    /// The SELinux label of the process.
    #[serde(default, deserialize_with = "text::non_empty", skip_serializing_if = "Option::is_none")]
    pub selinux_label: Option<String>,
    /// `oom_score_adj` of proc(5), -1000 to 1000; absent leaves it as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oom_score_adj: Option<i32>,
    /// Its scheduling policy (sched_setattr(2)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduler: Option<Scheduler>,
    /// Its I/O priority (ioprio_set(2)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub io_priority: Option<IoPriority>,
    /// `execCPUAffinity`: the CPUs of a process that joins the container.
    #[serde(rename = "execCPUAffinity", default, skip_serializing_if = "Option::is_none")]
    pub exec_cpu_affinity: Option<CpuAffinity>,
}

/// The size of a terminal in characters (config.md, "Process"; ioctl_tty(2), `TIOCSWINSZ`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsoleSize {
    /// Rows.
    pub height: u32,
    /// Columns.
    pub width: u32,
}

/// User, groups and umask, as numbers in the container's user namespace (config.md, "POSIX-platform User").
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct User {
    /// The user id.
    pub uid: u32,
    /// The group id.
    pub gid: u32,
    /// The umask(2); absent leaves the choice to the runtime.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub umask: Option<u32>,
    /// `additionalGids`: the supplementary groups; absent means none (promise P2).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub additional_gids: Vec<u32>,
}
