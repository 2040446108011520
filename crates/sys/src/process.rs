//! The guard of the caller's terminal: a tiny process that puts the terminal's modes back when its parent is gone
//! without having done so itself (SIGKILL, an abort).

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, OwnedFd, RawFd};

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, WaitOptions};
use rustix::termios::{OptionalActions, Termios};

/// Forks the guard of `tty` and returns its pidfd.
///
/// The guard waits for the end of file on `pipe`, whose write end the caller alone holds (CLOEXEC, never handed on).
/// Then, if `tty` still has the modes of `raw`, it sets those of `saved`, and exits in any case. To end it otherwise,
/// send it SIGKILL by the pidfd *while the pipe is open*; it is a child like any other and has to be waited for.
///
/// The caller blocks all signals before, so that the guard, which inherits the mask, dies of nothing but SIGKILL.
pub fn spawn_guard(
    tty: BorrowedFd<'_>,
    pipe: BorrowedFd<'_>,
    raw: &Termios,
    saved: &Termios,
) -> io::Result<OwnedFd> {
    // SAFETY: fork(2) asks nothing of its caller but that the child of a process with threads keeps to
    // async-signal-safe calls (signal-safety(7)); `guard` makes system calls only, and never returns.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        guard(tty, pipe, raw, saved);
    }
    // -1 is the failure of fork; the kernel hands out no other number below 1.
    let Some(pid) = (pid > 0).then(|| Pid::from_raw(pid)).flatten() else {
        return Err(io::Error::last_os_error());
    };
    // The pid cannot be another process's meanwhile: it is our child and nobody has waited for it.
    rustix::process::pidfd_open(pid, PidfdFlags::empty()).map_err(|errno| {
        // A guard that cannot be named is no use; both calls can only fail if it is gone already.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        let _ = rustix::process::waitpid(Some(pid), WaitOptions::empty());
        errno.into()
    })
}

/// The child's whole life: no allocation, no lock, no panic.
fn guard(tty: BorrowedFd<'_>, pipe: BorrowedFd<'_>, raw: &Termios, saved: &Termios) -> ! {
    // A session of its own: no signal of the terminal or of a shell to our group arrives, and tcsetattr on a terminal
    // that is not the controlling one is no background write, so no SIGTTOU (credentials(7), tcsetattr(3)).
    let _ = rustix::process::setsid();
    // The caller's directory shall not be busy on our account; the name is for ps(1).
    let _ = rustix::process::chdir(c"/");
    let _ = rustix::thread::set_name(c"insula-tty");
    // Among the rest is the inherited write end of the pipe: while we hold that, its end of file never comes.
    if close_all_but(tty.as_raw_fd(), pipe.as_raw_fd()) && at_end_of_file(pipe) {
        restore(tty, raw, saved);
    }
    // SAFETY: _exit(2) has no precondition; it runs no destructor and no atexit handler, which a fork must not.
    unsafe { libc::_exit(0) }
}

/// Waits until the last writer of `pipe` is gone. A byte in it, or an error, means that there is nothing to restore.
fn at_end_of_file(pipe: BorrowedFd<'_>) -> bool {
    let mut byte = [0_u8; 1];
    loop {
        match rustix::io::read(pipe, &mut byte) {
            Ok(0) => return true,
            Err(Errno::INTR) => {}
            _ => return false,
        }
    }
}

/// Sets `saved` if the terminal is still as we left it. Our parent's shell learns of the death when we do: had it (or
/// its line editor) set its own modes already, ours would spoil them.
fn restore(tty: BorrowedFd<'_>, raw: &Termios, saved: &Termios) {
    let untouched = rustix::termios::tcgetattr(tty).is_ok_and(|now| {
        now.local_modes == raw.local_modes
            && now.input_modes == raw.input_modes
            && now.output_modes == raw.output_modes
    });
    if untouched {
        // TCSANOW: to drain the output first could wait for ever for a terminal that has stopped.
        let _ = rustix::termios::tcsetattr(tty, OptionalActions::Now, saved);
    }
}

/// Closes every descriptor but two, by close_range(2) (Linux 5.9).
fn close_all_but(one: RawFd, two: RawFd) -> bool {
    let (low, high) = (one.min(two).unsigned_abs(), one.max(two).unsigned_abs());
    close_range(0, low.wrapping_sub(1), low > 0)
        && close_range(low + 1, high.wrapping_sub(1), high > low + 1)
        && close_range(high + 1, u32::MAX, true)
}

fn close_range(first: u32, last: u32, wanted: bool) -> bool {
    // SAFETY: the descriptors belong to a process that runs `guard` alone, which uses none of those closed here; in
    // the parent, whose owners of them are copied into this memory, they stay open.
    !wanted || unsafe { libc::syscall(libc::SYS_close_range, first, last, 0_u32) } == 0
}
