//! seccomp(2): loads a filter, a classic BPF program that is asked about each system call of the thread from then on.

use crate::last_errno;
use rustix::fd::{FromRawFd, OwnedFd};
use rustix::io::Errno;

/// One instruction of classic BPF: `struct sock_filter`, <linux/filter.h>.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// What is done: `BPF_LD`, `BPF_JMP`, … and their variants, added up.
    pub code: u16,
    /// How many instructions are skipped where a jump's test holds.
    pub jt: u8,
    /// How many where it does not.
    pub jf: u8,
    /// The number that the instruction works with.
    pub k: u32,
}

/// `struct sock_fprog`, <linux/filter.h>.
#[repr(C)]
struct Program {
    len: u16,
    filter: *const Instruction,
}

/// `SECCOMP_FILTER_FLAG_*`, seccomp(2). A kernel that does not know one answers EINVAL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u32);

impl Flags {
    /// All threads of the process get the filter, or none does and the answer is ESRCH (`TSYNC` with `TSYNC_ESRCH`,
    /// Linux 5.7, so that the answer is an errno and not a thread's id, and may stand beside a listener).
    pub const ALL_THREADS: Flags = Flags(1 | 1 << 4);
    /// Each answer of the filter but `SECCOMP_RET_ALLOW` may be logged (`LOG`).
    pub const LOG: Flags = Flags(1 << 1);
    /// Speculative store bypass is left as it is (`SPEC_ALLOW`).
    pub const SPEC_ALLOW: Flags = Flags(1 << 2);
    /// The answer is a descriptor that is told of calls, seccomp_unotify(2) (`NEW_LISTENER`).
    pub const NEW_LISTENER: Flags = Flags(1 << 3);
    /// A call that the listener has taken up is interrupted by fatal signals only (`WAIT_KILLABLE_RECV`, Linux 5.19).
    pub const WAIT_KILLABLE_RECV: Flags = Flags(1 << 5);

    /// Both.
    #[must_use]
    pub const fn and(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    /// The first without the second.
    #[must_use]
    pub const fn without(self, other: Flags) -> Flags {
        Flags(self.0 & !other.0)
    }

    /// Whether all of `other` are among them.
    #[must_use]
    pub const fn contain(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// As the kernel takes them.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }
}

/// The flags that this kernel knows.
#[must_use]
pub fn known() -> Flags {
    // The last means nothing without a listener, and is refused then.
    let listening = Flags::NEW_LISTENER.and(Flags::WAIT_KILLABLE_RECV);
    let all = [Flags::ALL_THREADS, Flags::LOG, Flags::SPEC_ALLOW, Flags::NEW_LISTENER, listening];
    all.into_iter().filter(|flags| knows(*flags)).fold(Flags::default(), Flags::and)
}

/// Whether this kernel knows `flags`. It looks at them before it looks at the program, of which there is none here.
fn knows(flags: Flags) -> bool {
    // SAFETY: a null program is no memory to read: the kernel answers EFAULT and loads nothing.
    let done = unsafe {
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags.0, std::ptr::null::<Program>())
    };
    done < 0 && last_errno() == Errno::FAULT
}

/// The program as bytes, as a file of it holds them that another process loads from memory.
pub fn bytes(program: &[Instruction]) -> Vec<u8> {
    let each = |one: &Instruction| {
        let ([a, b], [e, f, g, h]) = (one.code.to_ne_bytes(), one.k.to_ne_bytes());
        [a, b, one.jt, one.jf, e, f, g, h]
    };
    program.iter().flat_map(each).collect()
}

/// `SECCOMP_SET_MODE_FILTER`: the calling thread, and what it begets and executes, is under `program` until its end.
///
/// Returns the close-on-exec listener where [`Flags::NEW_LISTENER`] was asked for. No allocation: a step may call it.
///
/// A program changes what every later call of this process is answered, those of the standard library included. It is
/// the caller's to write one that refuses (errno, signal) and never answers success for a call that was not made.
///
/// EACCES: neither `no_new_privs` nor `CAP_SYS_ADMIN`. EINVAL: the program is empty, longer than 4,096 instructions,
/// or one of them is no good, or a flag is unknown. EBUSY: one listener is all that a thread's filters may have.
pub fn load(program: &[Instruction], flags: Flags) -> Result<Option<OwnedFd>, Errno> {
    let done = set_filter(program, flags)?;
    if flags.0 & Flags::NEW_LISTENER.0 == 0 {
        return Ok(None);
    }
    // SAFETY: with this flag a result that is no error is a descriptor that the kernel has just made for us.
    Ok(Some(unsafe { OwnedFd::from_raw_fd(done) }))
}

/// The call, and what it answered.
pub(crate) fn set_filter(program: &[Instruction], flags: Flags) -> Result<i32, Errno> {
    let len = u16::try_from(program.len()).map_err(|_| Errno::INVAL)?;
    let fprog = Program { len, filter: program.as_ptr() };
    // SAFETY: `fprog` is a sock_fprog of `len` instructions that are borrowed for the call; the kernel copies them,
    // and refuses a program that reads anything but the call's number, architecture, address and arguments.
    let done =
        unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags.0, &raw const fprog) };
    if done < 0 {
        return Err(last_errno());
    }
    i32::try_from(done).map_err(|_| Errno::RANGE)
}
