//! ptrace(2): follows a process and its descendants from stop to stop, for one who watches and changes nothing.
//!
//! Only requests that read, resume or let go are here: none writes to a tracee's memory or registers.

use rustix::io::Errno;
use std::mem::MaybeUninit;

/// What the tracer is told of besides signals; `PTRACE_O_*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options(libc::c_int);

impl Options {
    /// System calls marked as such, births by any call, executions; and the end of the tracer is the end of all.
    pub const ALL: Options = Options(
        libc::PTRACE_O_TRACESYSGOOD
            | libc::PTRACE_O_TRACEFORK
            | libc::PTRACE_O_TRACEVFORK
            | libc::PTRACE_O_TRACECLONE
            | libc::PTRACE_O_TRACEEXEC
            | libc::PTRACE_O_EXITKILL,
    );
    /// The same, and a stop where a seccomp filter answers `SECCOMP_RET_TRACE`.
    pub const ALL_AND_SECCOMP: Options = Options(Self::ALL.0 | libc::PTRACE_O_TRACESECCOMP);
}

/// How far a tracee goes when it is resumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// The next begin or end of a system call.
    Syscall,
    /// The next signal or event.
    Event,
}

/// Why a tracee has stopped, or how it has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The thread has exited with this code.
    Exited(i32),
    /// The thread was killed by this signal.
    Killed(i32),
    /// At the begin or the end of a system call.
    Syscall,
    /// At a system call that a filter of ours has picked out.
    Seccomp,
    /// It has given birth; [`message`] has the child's pid.
    Birth,
    /// It has executed a program; [`message`] has the thread's id from before.
    Exec,
    /// A signal is about to be delivered.
    Signal(i32),
    /// The whole process is stopped by this signal, and stays so ([`listen`]).
    Group(i32),
    /// It was interrupted, has just been born, or came to some other stop.
    Trap,
}

/// What [`syscall`] tells of a stop; `struct ptrace_syscall_info`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syscall {
    /// The call begins.
    Entry {
        /// `AUDIT_ARCH_*` of the call: a 64-bit machine runs 32-bit programs as well.
        arch: u32,
        /// Its number.
        number: u64,
        /// Its arguments.
        args: [u64; 6],
    },
    /// It ends.
    Exit {
        /// What it returns; an error is negative.
        value: i64,
        /// It is an error.
        is_error: bool,
    },
    /// It is at no call.
    None,
}

/// The architecture of this build, as [`Syscall::Entry`] names it (`AUDIT_ARCH_*`, <linux/audit.h>).
#[cfg(target_arch = "x86_64")]
pub const NATIVE_ARCH: u32 = 0xc000_003e;
/// The architecture of this build.
#[cfg(target_arch = "aarch64")]
pub const NATIVE_ARCH: u32 = 0xc000_00b7;
/// The architecture of this build.
#[cfg(target_arch = "riscv64")]
pub const NATIVE_ARCH: u32 = 0xc000_00f3;

/// A request whose `addr` and `data` are plain numbers to the kernel.
fn plain(request: libc::c_uint, pid: i32, addr: usize, data: usize) -> Result<libc::c_long, Errno> {
    // SAFETY: the requests made through here (SEIZE, INTERRUPT, LISTEN, CONT, SYSCALL, DETACH) take numbers only: no
    // memory of ours is read or written, and none of another process that is not a tracee of ours is touched.
    crate::check(unsafe { libc::ptrace(request, pid, addr, data) })
}

/// `PTRACE_SEIZE`: from now on `pid` is our tracee, and runs on.
///
/// EPERM: we may not, or somebody else traces it already (ptrace(2), "Ptrace access mode checking").
pub fn seize(pid: i32, options: Options) -> Result<(), Errno> {
    let options = usize::try_from(options.0).map_err(|_| Errno::INVAL)?;
    plain(libc::PTRACE_SEIZE, pid, 0, options).map(drop)
}

/// `PTRACE_INTERRUPT`: a running tracee comes to a stop ([`Stop::Trap`]) as soon as it can.
pub fn interrupt(pid: i32) -> Result<(), Errno> {
    plain(libc::PTRACE_INTERRUPT, pid, 0, 0).map(drop)
}

/// `PTRACE_LISTEN`: a tracee in a group stop stays stopped, and wakes at SIGCONT.
pub fn listen(pid: i32) -> Result<(), Errno> {
    plain(libc::PTRACE_LISTEN, pid, 0, 0).map(drop)
}

/// `PTRACE_CONT`, `PTRACE_SYSCALL`: resumes a stopped tracee, with a signal or (0) without.
pub fn resume(pid: i32, until: Until, signal: i32) -> Result<(), Errno> {
    let request = match until {
        Until::Syscall => libc::PTRACE_SYSCALL,
        Until::Event => libc::PTRACE_CONT,
    };
    plain(request, pid, 0, usize::try_from(signal).map_err(|_| Errno::INVAL)?).map(drop)
}

/// `PTRACE_DETACH`: a stopped tracee is ours no more, and runs on, with a signal or (0) without.
pub fn detach(pid: i32, signal: i32) -> Result<(), Errno> {
    plain(libc::PTRACE_DETACH, pid, 0, usize::try_from(signal).map_err(|_| Errno::INVAL)?).map(drop)
}

/// `PTRACE_GETEVENTMSG`: the number that belongs to the event at which a tracee has stopped.
pub fn message(pid: i32) -> Result<u64, Errno> {
    let mut message: libc::c_ulong = 0;
    // SAFETY: the request writes one unsigned long, to a place that outlives the call.
    let done = unsafe { libc::ptrace(libc::PTRACE_GETEVENTMSG, pid, 0_usize, &raw mut message) };
    crate::check(done).map(|_| message)
}

/// `PTRACE_GETSIGINFO`: who has sent the signal that is about to be delivered: its `si_code` and `si_pid`.
pub fn sender(pid: i32) -> Result<(i32, i32), Errno> {
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    // SAFETY: the request writes one siginfo_t, to a place of that size that outlives the call.
    let done = unsafe { libc::ptrace(libc::PTRACE_GETSIGINFO, pid, 0_usize, info.as_mut_ptr()) };
    crate::check(done)?;
    // SAFETY: zeroed, a valid value, and written by the kernel since; `si_pid` reads four bytes of the union, for which
    // every bit pattern is valid.
    Ok(unsafe {
        let info = info.assume_init();
        (info.si_code, info.si_pid())
    })
}

/// `PTRACE_GET_SYSCALL_INFO`, Linux 5.3.
const GET_SYSCALL_INFO: libc::c_uint = 0x420e;
/// `PTRACE_SYSCALL_INFO_ENTRY`, `_EXIT` and `_SECCOMP`.
const OP_ENTRY: u8 = 1;
const OP_EXIT: u8 = 2;
const OP_SECCOMP: u8 = 3;

/// `struct ptrace_syscall_info`, its union as words.
#[repr(C)]
#[derive(Default)]
struct Info {
    op: u8,
    pad: [u8; 3],
    arch: u32,
    instruction_pointer: u64,
    stack_pointer: u64,
    /// Entry: the number and six arguments. Exit: the value, and a byte that says whether it is an error.
    words: [u64; 8],
}

/// At which system call a tracee has stopped.
pub fn syscall(pid: i32) -> Result<Syscall, Errno> {
    let mut info = Info::default();
    // SAFETY: the kernel writes at most as many bytes as `addr` says, which is the size of `info`, all integers.
    let done = unsafe { libc::ptrace(GET_SYSCALL_INFO, pid, size_of::<Info>(), &raw mut info) };
    crate::check(done)?;
    let [number, a, b, c, d, e, f, _] = info.words;
    Ok(match info.op {
        OP_ENTRY | OP_SECCOMP => Syscall::Entry { arch: info.arch, number, args: [a, b, c, d, e, f] },
        OP_EXIT => Syscall::Exit { value: number.cast_signed(), is_error: a.to_ne_bytes()[0] != 0 },
        _ => Syscall::None,
    })
}

/// waitpid(2) with `__WALL` and `WNOHANG`: the next tracee or child that has news, if there is one.
///
/// One that has ended is reaped, or goes to its own parent if it is no child of ours. ECHILD: there is nobody left.
pub fn news() -> Result<Option<(i32, Stop)>, Errno> {
    let mut status: libc::c_int = 0;
    // SAFETY: waitpid writes one int, to a place that outlives the call.
    let pid = unsafe { libc::waitpid(-1, &raw mut status, libc::__WALL | libc::WNOHANG) };
    match pid {
        0 => Ok(None),
        pid if pid > 0 => Ok(Some((pid, stop(status)))),
        _ => Err(crate::last_errno()),
    }
}

/// `PTRACE_EVENT_STOP`, <linux/ptrace.h>.
const EVENT_STOP: i32 = 128;
/// What `PTRACE_O_TRACESYSGOOD` adds to SIGTRAP.
const SYSGOOD: i32 = 0x80;

/// What a wait status says, ptrace(2).
fn stop(status: libc::c_int) -> Stop {
    if libc::WIFEXITED(status) {
        return Stop::Exited(libc::WEXITSTATUS(status));
    }
    if libc::WIFSIGNALED(status) {
        return Stop::Killed(libc::WTERMSIG(status));
    }
    let (signal, event) = (libc::WSTOPSIG(status), status >> 16);
    match event {
        0 if signal == libc::SIGTRAP | SYSGOOD => Stop::Syscall,
        0 => Stop::Signal(signal),
        libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_VFORK | libc::PTRACE_EVENT_CLONE => Stop::Birth,
        libc::PTRACE_EVENT_EXEC => Stop::Exec,
        libc::PTRACE_EVENT_SECCOMP => Stop::Seccomp,
        EVENT_STOP if matches!(signal, libc::SIGSTOP | libc::SIGTSTP | libc::SIGTTIN | libc::SIGTTOU) => {
            Stop::Group(signal)
        }
        _ => Stop::Trap,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wait_statuses_are_read_as_ptrace_writes_them() {
        let stopped = |signal: i32, event: i32| 0x7f | signal << 8 | event << 16;
        let table = [
            (7 << 8, Stop::Exited(7)),
            (libc::SIGKILL, Stop::Killed(libc::SIGKILL)),
            (stopped(libc::SIGTRAP | 0x80, 0), Stop::Syscall),
            (stopped(libc::SIGTRAP, 0), Stop::Signal(libc::SIGTRAP)),
            (stopped(libc::SIGTRAP, 1), Stop::Birth),
            (stopped(libc::SIGTRAP, 2), Stop::Birth),
            (stopped(libc::SIGTRAP, 3), Stop::Birth),
            (stopped(libc::SIGTRAP, 4), Stop::Exec),
            (stopped(libc::SIGTRAP, 7), Stop::Seccomp),
            (stopped(libc::SIGTRAP, 128), Stop::Trap),
            (stopped(libc::SIGSTOP, 128), Stop::Group(libc::SIGSTOP)),
            (stopped(libc::SIGSTOP, 0), Stop::Signal(libc::SIGSTOP)),
        ];
        for (status, expected) in table {
            assert_eq!(stop(status), expected, "{status:#x}");
        }
    }
}
