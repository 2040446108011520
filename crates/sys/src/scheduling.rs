//! When, where and on which memory a process runs: system calls that rustix lacks.

use crate::check;
use rustix::io::Errno;

/// A scheduling policy and its numbers, sched_setattr(2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attributes {
    /// `SCHED_*`.
    pub policy: u32,
    /// `SCHED_FLAG_*`.
    pub flags: u64,
    /// The nice value, of the policies that are shared.
    pub nice: i32,
    /// The priority, of the real-time policies.
    pub priority: u32,
    /// Nanoseconds of a period in which it runs, of the deadline policy.
    pub runtime_ns: u64,
    /// By when they have to have passed.
    pub deadline_ns: u64,
    /// The period.
    pub period_ns: u64,
}

/// `struct sched_attr`, sched_setattr(2), up to the fields of Linux 5.3.
#[repr(C)]
struct SchedAttr {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    runtime: u64,
    deadline: u64,
    period: u64,
    util_min: u32,
    util_max: u32,
}

/// The words of a set of nodes: 1,024 of them, `MAX_NUMNODES`.
pub type Nodes = [u64; 16];

/// sched_setattr(2) of the calling thread.
pub fn sched_setattr(attributes: Attributes) -> Result<(), Errno> {
    const SIZE: u32 = 56;
    const { assert!(size_of::<SchedAttr>() == SIZE as usize) };
    let Attributes { policy, flags, nice, priority, runtime_ns, deadline_ns, period_ns } = attributes;
    let attr = SchedAttr {
        size: SIZE,
        policy,
        flags,
        nice,
        priority,
        runtime: runtime_ns,
        deadline: deadline_ns,
        period: period_ns,
        util_min: 0,
        util_max: 0,
    };
    // SAFETY: `attr` is a sched_attr of the size that it says, and outlives the call; 0 is the calling thread.
    check(unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attr, 0) }).map(drop)
}

/// ioprio_set(2) of the calling thread: class and priority within it.
pub fn ioprio_set(class: u16, priority: u16) -> Result<(), Errno> {
    const WHO_PROCESS: libc::c_int = 1;
    const CLASS_SHIFT: u32 = 13;
    let value = libc::c_int::from(class) << CLASS_SHIFT | libc::c_int::from(priority);
    // SAFETY: integers only.
    check(unsafe { libc::syscall(libc::SYS_ioprio_set, WHO_PROCESS, 0, value) }).map(drop)
}

/// set_mempolicy(2): the mode with its flags, and the nodes.
pub fn set_mempolicy(mode: i32, nodes: Option<&Nodes>) -> Result<(), Errno> {
    let (pointer, count) = match nodes {
        // The kernel looks at one bit less than it is told.
        Some(nodes) => (nodes.as_ptr(), nodes.len() * 64 + 1),
        None => (std::ptr::null(), 0),
    };
    // SAFETY: `pointer` is null with a count of 0, or an array of so many bits that outlives the call; the bit more is one
    // that the kernel does not read.
    check(unsafe { libc::syscall(libc::SYS_set_mempolicy, mode, pointer, count) }).map(drop)
}

/// personality(2).
pub fn personality(persona: u32) -> Result<(), Errno> {
    // SAFETY: an integer only.
    let done = unsafe { libc::personality(libc::c_ulong::from(persona)) };
    check(libc::c_long::from(done)).map(drop)
}
