//! When, where and on which memory the program runs: sched_setattr(2), ioprio_set(2), sched_setaffinity(2),
//! set_mempolicy(2), personality(2).

use super::{Child, Describe};
use crate::fault::{Call, Done, Fault};
use insula_sys::scheduling::{Attributes, Nodes, ioprio_set, personality, sched_setattr, set_mempolicy};
use rustix::io::Errno;
use rustix::thread::{CpuSet, sched_setaffinity};
use std::borrow::Cow;
use std::fmt;

/// Sets the scheduling policy.
#[derive(Debug)]
pub struct Scheduler {
    /// Its numbers.
    pub attributes: Attributes,
    /// The policy, for people.
    pub name: &'static str,
}

impl Scheduler {
    pub(super) fn run(&self, _at: &mut Child<'_>) -> Done {
        sched_setattr(self.attributes).map_err(Call::SchedSetattr.failed())
    }
}

impl fmt::Display for Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "run under {}", self.name)
    }
}

impl Describe for Scheduler {
    const NAME: &'static str = "scheduler";

    fn why(&self) -> Cow<'static, str> {
        "with the caller's rights: a higher priority wants CAP_SYS_NICE".into()
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        let real_time = matches!(self.attributes.policy, 1 | 2 | 6);
        Some(match fault.errno {
            Errno::PERM if real_time => "a real-time policy wants CAP_SYS_NICE, a limit RLIMIT_RTPRIO above its priority, and \
                                         with version 1 of control groups a share of real-time time in the group (cpu.rt_runtime_us)",
            Errno::PERM => "a lower nice value wants CAP_SYS_NICE, or a limit RLIMIT_NICE that allows it",
            Errno::INVAL => "the policy, the priority, the flags and the times do not fit together (sched_setattr(2))",
            Errno::BUSY => "the processors have not so much time left for the deadline policy",
            _ => return None,
        }
        .into())
    }
}

/// Sets the priority of input and output.
#[derive(Debug)]
pub struct IoPriority {
    /// `IOPRIO_CLASS_*`.
    pub class: u16,
    /// Within the class, 0 is the highest.
    pub priority: u16,
}

impl IoPriority {
    pub(super) fn run(&self, _at: &mut Child<'_>) -> Done {
        ioprio_set(self.class, self.priority).map_err(Call::IoprioSet.failed())
    }
}

impl fmt::Display for IoPriority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let class = match self.class {
            1 => "real-time",
            2 => "best-effort",
            _ => "idle",
        };
        write!(f, "do input and output with {class} priority {}", self.priority)
    }
}

impl Describe for IoPriority {
    const NAME: &'static str = "io-priority";

    fn why(&self) -> Cow<'static, str> {
        "with the caller's rights: the real-time class wants CAP_SYS_NICE".into()
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        (fault.errno == Errno::PERM).then(|| "the real-time class wants CAP_SYS_NICE or CAP_SYS_ADMIN".into())
    }
}

/// Sets on which processors it runs.
#[derive(Debug)]
pub struct Affinity {
    /// The processors.
    pub set: CpuSet,
    /// The list as it was written.
    pub list: String,
}

impl Affinity {
    pub(super) fn run(&self, _at: &mut Child<'_>) -> Done {
        sched_setaffinity(None, &self.set).map_err(Call::SchedSetaffinity.failed())
    }
}

impl fmt::Display for Affinity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "run on the processors {}", self.list)
    }
}

impl Describe for Affinity {
    const NAME: &'static str = "affinity";

    fn why(&self) -> Cow<'static, str> {
        "the caller's does not enter; behind the move into the group, whose cpuset is what is left to choose from".into()
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        (fault.errno == Errno::INVAL)
            .then(|| "none of these processors is there, or in the cpuset of the control group".into())
    }
}

/// Sets the NUMA policy.
#[derive(Debug)]
pub struct MemoryPolicy {
    /// `MPOL_*` and its flags.
    pub mode: i32,
    /// The nodes.
    pub nodes: Option<Box<Nodes>>,
    /// Mode and nodes, for people.
    pub shown: String,
}

impl MemoryPolicy {
    pub(super) fn run(&self, _at: &mut Child<'_>) -> Done {
        set_mempolicy(self.mode, self.nodes.as_deref()).map_err(Call::SetMempolicy.failed())
    }
}

impl fmt::Display for MemoryPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "take memory by {}", self.shown)
    }
}

impl Describe for MemoryPolicy {
    const NAME: &'static str = "memory-policy";

    fn why(&self) -> Cow<'static, str> {
        "it is inherited by what is executed; before a system call filter may forbid it".into()
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        match fault.errno {
            Errno::INVAL => Some(
                "none of these nodes is there or in the cpuset of the control group, or mode, flags and nodes do not fit \
                 together (set_mempolicy(2))"
                    .into(),
            ),
            Errno::NOSYS => Some("this kernel has no NUMA".into()),
            _ => None,
        }
    }
}

/// Sets the execution domain.
#[derive(Debug)]
pub struct Personality(pub u32);

impl Personality {
    pub(super) fn run(&self, _at: &mut Child<'_>) -> Done {
        personality(self.0).map_err(Call::Personality.failed())
    }
}

impl fmt::Display for Personality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0 == 0 { "be a program of Linux" } else { "be a program of 32-bit Linux" })
    }
}

impl Describe for Personality {
    const NAME: &'static str = "personality";

    fn why(&self) -> Cow<'static, str> {
        "uname(2) says it to the program and all that it executes".into()
    }
}
