//! Signals: a set is the kernel's 64 bits, one for each; signal(7).
use crate::syscall::{self, Errno, SigInfo};

/// Every signal. The kernel leaves SIGKILL and SIGSTOP out by itself.
pub const ALL: u64 = u64::MAX;
/// No signal.
pub const NONE: u64 = 0;

/// A child changed state.
pub const SIGCHLD: i32 = 17;
/// A polite end.
pub const SIGTERM: i32 = 15;
const SIGINT: i32 = 2;
const SIGQUIT: i32 = 3;
const SIGCONT: i32 = 18;
const SIGTSTP: i32 = 20;
const SIGTTIN: i32 = 21;
const SIGTTOU: i32 = 22;
const SIGWINCH: i32 = 28;

/// `si_code` of sigqueue(3): the signal carries a value.
const SI_QUEUE: i32 = -1;
const ESRCH: Errno = 3;

/// Blocks exactly the signals of `set`.
pub fn set_mask(set: u64) -> Result<(), Errno> {
    syscall::rt_sigprocmask(set)
}

/// Hands a signal that init received on to its child, as if there were no init between.
///
/// What a terminal sends, it sends to a process group, so the group gets it here too. Everything else was
/// meant for one process. A child that has ended (ESRCH) is about to be reaped.
pub fn forward(info: &SigInfo, child: i32) {
    let signal = info.signo;
    match signal {
        SIGINT | SIGQUIT | SIGTSTP | SIGTTIN | SIGTTOU | SIGCONT | SIGWINCH => {
            // The child may have left its group for another one.
            if syscall::kill(-child, signal) == Err(ESRCH) {
                let _ = syscall::kill(child, signal);
            }
        }
        // Keeps the value of sigqueue(3). The kernel lets us pass a siginfo on only if its code says "from a
        // user".
        _ if info.code == SI_QUEUE => {
            let _ = syscall::rt_sigqueueinfo(child, info);
        }
        _ => {
            let _ = syscall::kill(child, signal);
        }
    }
}
