//! `linux.seccomp`: which system calls are allowed (config-linux.md, "Seccomp"; seccomp(2)).

use crate::text;
use serde::{Deserialize, Serialize};

/// A system call filter (config-linux.md, "Seccomp").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seccomp {
    /// What is done with a call that no rule matches.
    pub default_action: Action,
    /// The errno of the default action; absent is EPERM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_errno_ret: Option<u32>,
    /// The architectures besides the native one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub architectures: Vec<Arch>,
    /// Flags for `SECCOMP_SET_MODE_FILTER`; absent leaves the choice to the runtime, so it differs from empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flags: Option<Vec<Flag>>,
    /// The socket of the agent that is sent the notify descriptor.
    #[serde(default, deserialize_with = "text::non_empty", skip_serializing_if = "Option::is_none")]
    pub listener_path: Option<String>,
    /// Opaque data for the agent.
    #[serde(default, deserialize_with = "text::non_empty", skip_serializing_if = "Option::is_none")]
    pub listener_metadata: Option<String>,
    /// The rules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub syscalls: Vec<Rule>,
}

/// One entry of `syscalls` (config-linux.md, "Seccomp").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// The names of the calls; one that the runtime does not know is skipped, as libseccomp's users do.
    pub names: Vec<String>,
    /// What is done with them.
    pub action: Action,
    /// The errno of [`Action::Errno`] or [`Action::Trace`]; absent is EPERM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errno_ret: Option<u32>,
    /// Conditions on the arguments, all of which must hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<Arg>,
}

/// A condition on one argument (config-linux.md, "Seccomp").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Arg {
    /// Which argument, 0 to 5.
    pub index: u32,
    /// What it is compared with; the mask for [`Operator::MaskedEq`].
    pub value: u64,
    /// What the masked argument is compared with.
    #[serde(default, skip_serializing_if = "text::is_default")]
    pub value_two: u64,
    /// How it is compared.
    pub op: Operator,
}

/// What is done with a call (config-linux.md, "Seccomp"; the `SECCOMP_RET_*` values of seccomp(2)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Action {
    /// `SECCOMP_RET_KILL_THREAD` under its old name.
    #[serde(rename = "SCMP_ACT_KILL")]
    Kill,
    /// `SECCOMP_RET_KILL_PROCESS`.
    #[serde(rename = "SCMP_ACT_KILL_PROCESS")]
    KillProcess,
    /// `SECCOMP_RET_KILL_THREAD`.
    #[serde(rename = "SCMP_ACT_KILL_THREAD")]
    KillThread,
    /// `SECCOMP_RET_TRAP`: SIGSYS.
    #[serde(rename = "SCMP_ACT_TRAP")]
    Trap,
    /// `SECCOMP_RET_ERRNO`.
    #[serde(rename = "SCMP_ACT_ERRNO")]
    Errno,
    /// `SECCOMP_RET_TRACE`.
    #[serde(rename = "SCMP_ACT_TRACE")]
    Trace,
    /// `SECCOMP_RET_ALLOW`.
    #[serde(rename = "SCMP_ACT_ALLOW")]
    Allow,
    /// `SECCOMP_RET_LOG`: allowed, and logged.
    #[serde(rename = "SCMP_ACT_LOG")]
    Log,
    /// `SECCOMP_RET_USER_NOTIF`: an agent decides.
    #[serde(rename = "SCMP_ACT_NOTIFY")]
    Notify,
}

/// How an argument is compared (config-linux.md, "Seccomp").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Operator {
    /// Not equal.
    #[serde(rename = "SCMP_CMP_NE")]
    Ne,
    /// Less than.
    #[serde(rename = "SCMP_CMP_LT")]
    Lt,
    /// Less or equal.
    #[serde(rename = "SCMP_CMP_LE")]
    Le,
    /// Equal.
    #[serde(rename = "SCMP_CMP_EQ")]
    Eq,
    /// Greater or equal.
    #[serde(rename = "SCMP_CMP_GE")]
    Ge,
    /// Greater than.
    #[serde(rename = "SCMP_CMP_GT")]
    Gt,
    /// Equal to `valueTwo` under the mask `value`.
    #[serde(rename = "SCMP_CMP_MASKED_EQ")]
    MaskedEq,
}

/// A flag of the filter (config-linux.md, "Seccomp"; `SECCOMP_FILTER_FLAG_*` of seccomp(2)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Flag {
    /// All threads get the filter.
    #[serde(rename = "SECCOMP_FILTER_FLAG_TSYNC")]
    Tsync,
    /// All actions but allow are logged.
    #[serde(rename = "SECCOMP_FILTER_FLAG_LOG")]
    Log,
    /// No mitigation of speculative store bypass.
    #[serde(rename = "SECCOMP_FILTER_FLAG_SPEC_ALLOW")]
    SpecAllow,
    /// Only fatal signals interrupt a call that an agent has received.
    #[serde(rename = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV")]
    WaitKillableRecv,
}

/// An architecture (config-linux.md, "Seccomp"; libseccomp's names).
#[expect(missing_docs, reason = "each variant is the architecture of its name")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Arch {
    #[serde(rename = "SCMP_ARCH_X86")]
    X86,
    #[serde(rename = "SCMP_ARCH_X86_64")]
    X86_64,
    #[serde(rename = "SCMP_ARCH_X32")]
    X32,
    #[serde(rename = "SCMP_ARCH_ARM")]
    Arm,
    #[serde(rename = "SCMP_ARCH_AARCH64")]
    Aarch64,
    #[serde(rename = "SCMP_ARCH_LOONGARCH64")]
    Loongarch64,
    #[serde(rename = "SCMP_ARCH_M68K")]
    M68k,
    #[serde(rename = "SCMP_ARCH_MIPS")]
    Mips,
    #[serde(rename = "SCMP_ARCH_MIPS64")]
    Mips64,
    #[serde(rename = "SCMP_ARCH_MIPS64N32")]
    Mips64n32,
    #[serde(rename = "SCMP_ARCH_MIPSEL")]
    Mipsel,
    #[serde(rename = "SCMP_ARCH_MIPSEL64")]
    Mipsel64,
    #[serde(rename = "SCMP_ARCH_MIPSEL64N32")]
    Mipsel64n32,
    #[serde(rename = "SCMP_ARCH_PPC")]
    Ppc,
    #[serde(rename = "SCMP_ARCH_PPC64")]
    Ppc64,
    #[serde(rename = "SCMP_ARCH_PPC64LE")]
    Ppc64le,
    #[serde(rename = "SCMP_ARCH_S390")]
    S390,
    #[serde(rename = "SCMP_ARCH_S390X")]
    S390x,
    #[serde(rename = "SCMP_ARCH_SH")]
    Sh,
    #[serde(rename = "SCMP_ARCH_SHEB")]
    Sheb,
    #[serde(rename = "SCMP_ARCH_PARISC")]
    Parisc,
    #[serde(rename = "SCMP_ARCH_PARISC64")]
    Parisc64,
    #[serde(rename = "SCMP_ARCH_RISCV64")]
    Riscv64,
}
