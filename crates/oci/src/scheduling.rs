//! `process.scheduler`, `ioPriority` and `execCPUAffinity`: when and where the program runs (config.md, "Linux Process").

use crate::text;
use serde::{Deserialize, Serialize};

/// The attributes for sched_setattr(2) (config.md, "Linux Process").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Scheduler {
    /// The policy.
    pub policy: Policy,
    /// The nice value, -20 to 19.
    #[serde(default, skip_serializing_if = "text::is_default")]
    pub nice: i32,
    /// The static priority, 1 to 99, for the real-time policies.
    #[serde(default, skip_serializing_if = "text::is_default")]
    pub priority: i32,
    /// Flags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<SchedulerFlag>,
    /// Nanoseconds of each period in which the process runs, for [`Policy::Deadline`].
    #[serde(default, skip_serializing_if = "text::is_default")]
    pub runtime: u64,
    /// Nanoseconds until the work of a period must be done.
    #[serde(default, skip_serializing_if = "text::is_default")]
    pub deadline: u64,
    /// The period in nanoseconds.
    #[serde(default, skip_serializing_if = "text::is_default")]
    pub period: u64,
}

/// A scheduling policy (config.md, "Linux Process"; sched(7)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Policy {
    /// The usual time sharing.
    #[serde(rename = "SCHED_OTHER")]
    Other,
    /// Real time, first in, first out.
    #[serde(rename = "SCHED_FIFO")]
    Fifo,
    /// Real time, in turns.
    #[serde(rename = "SCHED_RR")]
    Rr,
    /// Time sharing for batch work.
    #[serde(rename = "SCHED_BATCH")]
    Batch,
    /// Named by the specification; no kernel has it.
    #[serde(rename = "SCHED_ISO")]
    Iso,
    /// Only when nothing else runs.
    #[serde(rename = "SCHED_IDLE")]
    Idle,
    /// Earliest deadline first.
    #[serde(rename = "SCHED_DEADLINE")]
    Deadline,
}

/// A flag for sched_setattr(2) (config.md, "Linux Process").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SchedulerFlag {
    /// Children do not inherit the policy.
    #[serde(rename = "SCHED_FLAG_RESET_ON_FORK")]
    ResetOnFork,
    /// Unused bandwidth of others may be taken.
    #[serde(rename = "SCHED_FLAG_RECLAIM")]
    Reclaim,
    /// SIGXCPU when the runtime is overrun.
    #[serde(rename = "SCHED_FLAG_DL_OVERRUN")]
    DlOverrun,
    /// The policy stays as it is.
    #[serde(rename = "SCHED_FLAG_KEEP_POLICY")]
    KeepPolicy,
    /// The parameters stay as they are.
    #[serde(rename = "SCHED_FLAG_KEEP_PARAMS")]
    KeepParams,
    /// The lower utilization clamp is set.
    #[serde(rename = "SCHED_FLAG_UTIL_CLAMP_MIN")]
    UtilClampMin,
    /// The upper utilization clamp is set.
    #[serde(rename = "SCHED_FLAG_UTIL_CLAMP_MAX")]
    UtilClampMax,
}

/// The I/O priority (config.md, "Linux Process"; ioprio_set(2)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IoPriority {
    /// The class.
    pub class: IoPriorityClass,
    /// The priority in the class, 0 (highest) to 7.
    #[serde(default)]
    pub priority: i32,
}

/// A class of I/O scheduling (config.md, "Linux Process").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum IoPriorityClass {
    /// Real time.
    #[serde(rename = "IOPRIO_CLASS_RT")]
    Rt,
    /// Best effort.
    #[serde(rename = "IOPRIO_CLASS_BE")]
    Be,
    /// Only when no one else asks.
    #[serde(rename = "IOPRIO_CLASS_IDLE")]
    Idle,
}

/// The CPUs of a process that joins (config.md, "Linux Process"), as lists like `0-3,7` (cpuset(7)).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CpuAffinity {
    /// Before it is moved to the container's cgroup.
    #[serde(deserialize_with = "text::non_empty", skip_serializing_if = "Option::is_none")]
    pub initial: Option<String>,
    /// After.
    #[serde(rename = "final", deserialize_with = "text::non_empty", skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
}
