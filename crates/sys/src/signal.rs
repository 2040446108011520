//! Signal sets, the mask of this thread, dispositions, signalfd(2).

use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read as _};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The highest signal number of Linux on the architectures that we build for (`_NSIG`).
pub const HIGHEST: i32 = 64;

/// A set of signals, `sigset_t`.
#[derive(Clone, Copy)]
pub struct SigSet(libc::sigset_t);

impl std::fmt::Debug for SigSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries((1..=HIGHEST).filter(|signal| self.contains(*signal))).finish()
    }
}

impl SigSet {
    /// The empty set.
    pub fn empty() -> Self {
        let mut set = MaybeUninit::uninit();
        // SAFETY: sigemptyset initialises the whole set that it is given, and cannot fail with a valid pointer.
        Self(unsafe {
            libc::sigemptyset(set.as_mut_ptr());
            set.assume_init()
        })
    }

    /// Every signal (but those that the C library keeps for itself).
    pub fn new_full() -> Self {
        let mut set = MaybeUninit::uninit();
        // SAFETY: as in `empty`.
        Self(unsafe {
            libc::sigfillset(set.as_mut_ptr());
            set.assume_init()
        })
    }

    /// Adds `signal`; a number that is no signal changes nothing.
    pub fn add(&mut self, signal: i32) {
        // SAFETY: the set is initialised and ours; a bad number is EINVAL.
        unsafe { libc::sigaddset(&raw mut self.0, signal) };
    }

    /// Takes `signal` out; a number that is no signal changes nothing.
    pub fn remove(&mut self, signal: i32) {
        // SAFETY: as in `add`.
        unsafe { libc::sigdelset(&raw mut self.0, signal) };
    }

    /// Whether `signal` is in the set.
    pub fn contains(&self, signal: i32) -> bool {
        // SAFETY: as in `add`.
        unsafe { libc::sigismember(&raw const self.0, signal) == 1 }
    }
}

/// Blocks `set` in addition, for this thread, and returns the mask before.
pub fn block(set: &SigSet) -> io::Result<SigSet> {
    mask(libc::SIG_BLOCK, set)
}

/// Unblocks `set` for this thread, and returns the mask before. What of it is pending is delivered before this returns.
pub fn unblock(set: &SigSet) -> io::Result<SigSet> {
    mask(libc::SIG_UNBLOCK, set)
}

/// Sets this thread's mask, and returns the one before.
pub fn set_mask(set: &SigSet) -> io::Result<SigSet> {
    mask(libc::SIG_SETMASK, set)
}

fn mask(how: libc::c_int, set: &SigSet) -> io::Result<SigSet> {
    let mut old = SigSet::empty();
    // SAFETY: both point to initialised sets that outlive the call.
    match unsafe { libc::pthread_sigmask(how, &raw const set.0, &raw mut old.0) } {
        0 => Ok(old),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}

/// The signals whose disposition is SIG_IGN now (nohup(1), a shell's background jobs).
pub fn ignored() -> SigSet {
    let mut set = SigSet::empty();
    let told = told_ignored();
    let is = |signal: &i32| told.map_or_else(|| is_ignored(*signal), |bits| has(bits, *signal));
    (1..=HIGHEST).filter(is).for_each(|signal| set.add(signal));
    set
}

/// A bit for each that is ignored, the lowest for signal 1: `SigIgn` of proc_pid_status(5), where sigaction(2) has to be asked
/// for one signal after another, and the C library hides two of them. `None`: /proc does not say. Allocates nothing.
fn told_ignored() -> Option<u64> {
    const FIELD: &[u8] = b"SigIgn:\t";
    let mut text = [0u8; 4096];
    let read = File::open("/proc/self/status").and_then(|mut file| file.read(&mut text)).ok()?;
    let at = text[..read].windows(FIELD.len()).position(|window| window == FIELD)? + FIELD.len();
    let digits = text[..read].get(at..at + 16)?;
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

fn has(bits: u64, signal: i32) -> bool {
    bits >> (signal - 1) & 1 == 1
}

fn is_ignored(signal: i32) -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: with no new action sigaction(2) only writes the old one, for which all zeros is a valid value.
    unsafe {
        libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) == 0
            && action.assume_init().sa_sigaction == libc::SIG_IGN
    }
}

/// Gives `signal` its default disposition.
pub fn set_default(signal: i32) -> io::Result<()> {
    // SAFETY: all zeros is a valid `sigaction`: SIG_DFL, no flags, no mask. No handler is installed that could run.
    let done = unsafe {
        let action: libc::sigaction = MaybeUninit::zeroed().assume_init();
        libc::sigaction(signal, &raw const action, std::ptr::null_mut())
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Whether SIGPIPE was ignored when this process began. Rust's runtime ignores it before `main`.
static PIPE_WAS_IGNORED: AtomicBool = AtomicBool::new(false);

/// Looks before Rust's runtime does: the C library calls what stands in `.init_array` before `main`, elf(5).
#[used]
#[unsafe(link_section = ".init_array")]
static LOOK_AT_PIPE: extern "C" fn() = {
    extern "C" fn look() {
        PIPE_WAS_IGNORED.store(is_ignored(libc::SIGPIPE), Ordering::Relaxed);
    }
    look
};

/// Gives SIGPIPE the disposition back that this process was started with, for a program that takes its place.
pub fn restore_pipe() -> Result<(), Errno> {
    if PIPE_WAS_IGNORED.load(Ordering::Relaxed) { Ok(()) } else { kernel_default(libc::SIGPIPE) }
}

/// As [`set_default`], past the C library: it refuses 32 and 33, which its own posix_spawn(3) leaves ignored.
fn kernel_default(signal: i32) -> Result<(), Errno> {
    // `struct kernel_sigaction` of 64-bit machines: handler, flags, restorer, mask.
    let by_default = [0_u64; 4];
    let old = std::ptr::null_mut::<u64>();
    // SAFETY: the kernel reads the 32 bytes of one kernel_sigaction; SIG_DFL installs no code that could run.
    let done = unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, by_default.as_ptr(), old, 8_usize) };
    crate::check(done).map(drop)
}

/// A bit for each signal that [`reset`] puts back: all, until [`remember_ignored`] knows better.
static TO_RESET: AtomicU64 = AtomicU64::new(u64::MAX);

/// Looks which signals are ignored, for all resets of this process and its children: before a birth, because a child may stand
/// in a container, whose /proc is not to be asked. Nothing of ours ignores a signal after that.
pub fn remember_ignored() {
    TO_RESET.store(told_ignored().unwrap_or(u64::MAX), Ordering::Relaxed);
}

/// Leaves every disposition at the default for the program that is executed next, then unblocks all: what it should find
/// (signal(7)). Handlers end with execve(2) by themselves, so that what is ignored has to be put back, and nothing else.
pub fn reset() -> Result<(), Errno> {
    let ignored = TO_RESET.load(Ordering::Relaxed);
    for signal in (1..=HIGHEST).filter(|signal| has(ignored, *signal)) {
        // KILL and STOP cannot be changed.
        if !matches!(signal, libc::SIGKILL | libc::SIGSTOP) {
            kernel_default(signal)?;
        }
    }
    set_mask(&SigSet::empty()).map(drop).map_err(|e| Errno::from_io_error(&e).unwrap_or(Errno::INVAL))
}

/// What signalfd(2) tells of a signal.
#[derive(Clone, Copy, Debug)]
pub struct Siginfo {
    /// The signal's number.
    pub signo: i32,
    /// `si_code`.
    pub code: i32,
    /// The sender, or the child, if any.
    pub pid: i32,
    /// A child's status.
    pub status: i32,
}

/// A descriptor, non-blocking and CLOEXEC, by which the blocked signals of `set` are read.
pub fn signalfd(set: &SigSet) -> io::Result<OwnedFd> {
    // SAFETY: the set is initialised; -1 asks for a new descriptor.
    let fd = unsafe { libc::signalfd(-1, &raw const set.0, libc::SFD_NONBLOCK | libc::SFD_CLOEXEC) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made it, and nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The next pending signal of a signalfd, if there is one.
pub fn read_signalfd(fd: BorrowedFd<'_>) -> io::Result<Option<Siginfo>> {
    const SIZE: usize = size_of::<libc::signalfd_siginfo>();
    let mut info = MaybeUninit::<libc::signalfd_siginfo>::zeroed();
    // SAFETY: the kernel writes at most SIZE bytes to a place of that size; every bit pattern is a valid value.
    let read = unsafe { libc::read(fd.as_raw_fd(), info.as_mut_ptr().cast(), SIZE) };
    if usize::try_from(read) != Ok(SIZE) {
        let error = io::Error::last_os_error();
        return match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(None),
            _ => Err(error),
        };
    }
    // SAFETY: zeroed, then written whole.
    let info = unsafe { info.assume_init() };
    Ok(Some(Siginfo {
        signo: info.ssi_signo.cast_signed(),
        code: info.ssi_code,
        pid: info.ssi_pid.cast_signed(),
        status: info.ssi_status,
    }))
}

/// Sends `signal`, real-time ones included (for which rustix's `Signal` has no safe constructor).
pub fn pidfd_send_signal(pidfd: BorrowedFd<'_>, signal: i32) -> io::Result<()> {
    let info = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: a null siginfo means that of kill(2); the kernel checks the descriptor and the number.
    let sent = unsafe { libc::syscall(libc::SYS_pidfd_send_signal, pidfd.as_raw_fd(), signal, info, 0_u32) };
    if sent == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
