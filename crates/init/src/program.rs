//! The program: how it is executed, and how init starts it as its child.
use core::ffi::c_void;
use core::mem::MaybeUninit;

use crate::report::Report;
use crate::syscall::{self, Errno};
use crate::{arch, signals};

/// Path, argv and envp, pointers into our initial stack; and who hears of a failure.
pub struct Program {
    path: *const u8,
    argv: *const *const u8,
    envp: *const *const u8,
    report: Report,
}

/// The child calls four functions deep at the most, none with a frame of more than some dozen bytes, and no
/// signal handler exists that could need more.
#[repr(C, align(16))]
struct Stack([MaybeUninit<u8>; 2048]);

const CLONE_VM: usize = 0x100;
const CLONE_VFORK: usize = 0x4000;
const EINVAL: Errno = 22;

impl Program {
    /// # Safety
    /// `path` is a NUL-terminated string, `argv` and `envp` are NULL-terminated arrays of such strings, and
    /// all of it stays valid and unwritten for as long as the process lives.
    pub const unsafe fn new(
        path: *const u8,
        argv: *const *const u8,
        envp: *const *const u8,
        report: Report,
    ) -> Self {
        Self { path, argv, envp, report }
    }

    /// Becomes the program, or reports why not and exits.
    pub fn execve(&self) -> ! {
        // SAFETY: the pointers are what execve(2) wants; `Program::new`'s caller promised it.
        let errno = unsafe { syscall::execve(self.path, self.argv, self.envp) };
        // A reader that is gone must not turn the exit code into SIGPIPE.
        let _ = signals::set_mask(signals::ALL);
        self.report.failed(errno)
    }

    /// Starts the program as a child in a process group of its own, and returns its pid once it runs (or has
    /// failed: it has reported that itself, and waits to be reaped).
    ///
    /// The child borrows our memory (CLONE_VM) and we sleep until it has let go of it (CLONE_VFORK): no page
    /// tables to copy, and when we wake its process group exists and the report fd is ours alone.
    ///
    /// A kernel before Linux 6.3 leaves us, after our own execve(2), with children that are to be in another time
    /// namespace, and then lets nobody share memory with us (EINVAL): there the child gets a copy.
    ///
    /// Every signal must be blocked: the child inherits the mask, and no signal may stop or end it half way.
    pub fn start(&self) -> Result<i32, Errno> {
        let mut stack = Stack([const { MaybeUninit::uninit() }; 2048]);
        let top = (&raw mut stack).wrapping_add(1).cast::<c_void>();
        let shared = (&raw const *self).cast_mut().cast::<c_void>();
        let flags = CLONE_VFORK | signals::SIGCHLD.unsigned_abs() as usize;
        // SAFETY: `top` is the aligned end of a stack that only the child uses. Stack and `self` outlive the
        // child's use of them, for CLONE_VFORK keeps us here until it has executed the program or ended. The
        // child only reads `self`. No TLS, no libc, no lock exists that the two could share by accident.
        let born = syscall::result(unsafe { arch::clone(flags | CLONE_VM, top, child, shared) });
        match born {
            // SAFETY: the same; the child has all of it at the same addresses, as its own.
            Err(EINVAL) => syscall::result(unsafe { arch::clone(flags, top, child, shared) }),
            born => born,
        }
    }
}

/// The child, from clone(2) to execve(2).
///
/// # Safety
/// `program` points at a `Program` that nobody writes to meanwhile. `Program::start` keeps this.
unsafe extern "C" fn child(program: *mut c_void) -> ! {
    // SAFETY: our contract.
    let program = unsafe { &*program.cast_const().cast::<Program>() };
    let before = syscall::getpgid();
    // A group of its own, so that what a terminal sends does not reach init as well and get here twice.
    let _ = syscall::setpgid();
    take_terminal(before);
    // Last before execve: from here on a signal ends us as it would end the program.
    let _ = signals::set_mask(signals::NONE);
    program.execve()
}

/// Makes our new process group the foreground one of the controlling terminal, if a standard fd is it.
///
/// Only if the group that we come from had the foreground: a job started with `&` must not take the terminal
/// from the shell. (Groups outside of our pid namespace all read as 0 and cannot be told apart: whoever lets
/// init share a session across that border must know.) SIGTTOU is blocked, or tcsetpgrp(3) from the
/// background would stop us.
fn take_terminal(before: Result<i32, Errno>) {
    for fd in 0..3 {
        if let Ok(foreground) = syscall::tcgetpgrp(fd) {
            if before == Ok(foreground) {
                let _ = syscall::tcsetpgrp(fd, syscall::getpid());
            }
            return;
        }
    }
}
