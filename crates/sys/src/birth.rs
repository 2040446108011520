//! clone3(2): a new process in new namespaces, with a pidfd.

use crate::last_errno;
use rustix::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use rustix::io::Errno;
use std::mem::size_of;

/// A child as its parent sees it.
#[derive(Debug)]
pub struct Born {
    /// The child's pid in the caller's pid namespace.
    pub pid: i32,
    /// A close-on-exec pidfd of the child, pidfd_open(2).
    pub pidfd: OwnedFd,
}

/// `struct clone_args`, clone3(2), up to the fields of Linux 5.7.
#[repr(C, align(8))]
#[derive(Default)]
struct CloneArgs {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// clone3(2) without a stack: the child continues here on a copy of this process, runs `child`, which never returns.
///
/// `flags` are `CLONE_NEW*` and `CLONE_PARENT` only; memory, files and file system information are never shared.
/// The child must neither allocate nor unwind: the caller keeps this, and [`crate::guard_alloc`] watches it in debug
/// builds. `CLONE_PARENT` wants no exit signal of its own (clone(2): the parent's is used), any other birth SIGCHLD.
pub fn clone3<F: FnOnce() -> std::convert::Infallible>(flags: u64, child: F) -> Result<Born, Errno> {
    const ALLOWED: u64 = libc::CLONE_NEWNS as u64
        | libc::CLONE_NEWUTS as u64
        | libc::CLONE_NEWIPC as u64
        | libc::CLONE_NEWUSER as u64
        | libc::CLONE_NEWPID as u64
        | libc::CLONE_NEWNET as u64
        | libc::CLONE_NEWCGROUP as u64
        | CLONE_NEWTIME
        | libc::CLONE_PARENT as u64;
    if flags & !ALLOWED != 0 {
        return Err(Errno::INVAL);
    }
    born(flags, None, || {
        crate::guard_alloc::enter_child();
        child()
    })
}

/// The call. `flags` share nothing but the parent: [`clone3`] and [`fork`] keep this.
fn born<F: FnOnce() -> std::convert::Infallible>(
    flags: u64,
    cgroup: Option<BorrowedFd<'_>>,
    child: F,
) -> Result<Born, Errno> {
    let mut pidfd: libc::c_int = -1;
    let own_signal = flags & libc::CLONE_PARENT as u64 == 0;
    let mut args = CloneArgs {
        flags: flags | libc::CLONE_PIDFD as u64,
        pidfd: (&raw mut pidfd) as u64,
        exit_signal: if own_signal { libc::SIGCHLD as u64 } else { 0 },
        ..CloneArgs::default()
    };
    if let Some(cgroup) = cgroup {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = u64::try_from(cgroup.as_raw_fd()).map_err(|_| Errno::BADF)?;
    }
    // SAFETY: `args` is a valid clone_args of the size given; `pidfd` outlives the call. Without CLONE_VM (both callers
    // refuse or omit it) the child has its own copy of all memory, so no reference of the parent is shared; it runs on the copied
    // stack and leaves by `_exit` or execve only, never by returning from this frame.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw mut args, size_of::<CloneArgs>()) };
    match pid {
        0 =>
        {
            #[expect(
                unreachable_code,
                reason = "`child` cannot return: its type says so, and this line for the compiler"
            )]
            match child() {}
        }
        pid if pid > 0 => {
            // SAFETY: the kernel stored a fresh descriptor in `pidfd` (CLONE_PIDFD), which nobody else owns.
            let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
            Ok(Born { pid: i32::try_from(pid).map_err(|_| Errno::RANGE)?, pidfd })
        }
        _ => Err(last_errno()),
    }
}

/// fork(2) with a pidfd: a child in the caller's own namespaces that may allocate.
///
/// The caller has one thread: the copy of a lock that another thread holds would never be let go. All commands are
/// single-threaded; a storey with threads executes the runtime instead.
pub fn fork<F: FnOnce() -> std::convert::Infallible>(child: F) -> Result<Born, Errno> {
    born(0, None, child)
}

/// clone3(2) with arguments that are none: what answers it. The kernel says EINVAL, and begets nobody; one without the call,
/// or a filter of system calls, says something else.
pub fn clone3_nothing() -> Errno {
    // SAFETY: a size of 0 is less than any clone_args, which the kernel refuses before it looks at the pointer.
    let done = unsafe { libc::syscall(libc::SYS_clone3, std::ptr::null::<CloneArgs>(), 0usize) };
    crate::check(done).err().unwrap_or(Errno::INVAL)
}

/// [`fork`] into a control group of version 2, by its directory (clone3(2), `CLONE_INTO_CGROUP`, Linux 5.7). EACCES: its
/// `cgroup.procs`, or that of the group above both, is not ours to write; EBUSY: it gives controllers to groups below.
pub fn fork_into<F: FnOnce() -> std::convert::Infallible>(
    cgroup: BorrowedFd<'_>,
    child: F,
) -> Result<Born, Errno> {
    born(0, Some(cgroup), child)
}

/// [`fork`] by fork(2) itself, for those who ask whether clone3(2) can be used at all.
pub fn plain_fork<F: FnOnce() -> std::convert::Infallible>(child: F) -> Result<Born, Errno> {
    // SAFETY: fork(2) gives the child its own copy of all memory; like that of `born` it runs `child` and leaves by
    // `_exit` or execve only. The caller has one thread, as for `fork`.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        #[expect(
            unreachable_code,
            reason = "`child` cannot return: its type says so, and this line for the compiler"
        )]
        match child() {}
    }
    let pid = rustix::process::Pid::from_raw(pid).filter(|_| pid > 0).ok_or_else(last_errno)?;
    match rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) {
        Ok(pidfd) => Ok(Born { pid: pid.as_raw_nonzero().get(), pidfd }),
        Err(errno) => {
            // It is our child, and nobody has waited for it: the number is still its own.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            let _ = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty());
            Err(errno)
        }
    }
}

/// `CLONE_INTO_CGROUP` of <linux/sched.h>.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// `CLONE_NEWTIME` (time_namespaces(7)); libc's constant is an int of the same value.
pub const CLONE_NEWTIME: u64 = 0x80;

/// _exit(2): ends the process at once; no destructors, no `atexit`, nothing flushed.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: _exit touches no memory of ours and does not return.
    unsafe { libc::_exit(code) }
}

/// setns(2) with a namespace file or a pidfd; `kinds` is a mask of `CLONE_NEW*`, 0 for "whatever this file is".
pub fn setns(fd: BorrowedFd<'_>, kinds: i32) -> Result<(), Errno> {
    // SAFETY: setns takes no pointers; the descriptor is borrowed for the call.
    crate::check(libc::c_long::from(unsafe { libc::setns(fd.as_raw_fd(), kinds) })).map(drop)
}

/// unshare(2) with a mask of `CLONE_NEW*`.
pub fn unshare(kinds: u64) -> Result<(), Errno> {
    let kinds = i32::try_from(kinds).map_err(|_| Errno::INVAL)?;
    if kinds & (libc::CLONE_VM | libc::CLONE_FILES | libc::CLONE_FS | libc::CLONE_SIGHAND) != 0 {
        return Err(Errno::INVAL);
    }
    // SAFETY: unshare takes no pointers; flags that change what memory or descriptors mean are refused above.
    crate::check(libc::c_long::from(unsafe { libc::unshare(kinds) })).map(drop)
}
