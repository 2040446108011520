//! The caller's terminal: raw mode that is undone whatever happens, its size, and whether we are in its foreground.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use rustix::pipe::PipeFlags;
use rustix::process::{Signal, WaitId, WaitIdOptions};
use rustix::termios::{OptionalActions, Termios};

use super::error::Error;

/// Refuses `-i -t` where the standard input is no terminal: a program behind a terminal could not tell the input's
/// end from a key, and the input would be echoed. To be asked before anything is made.
pub fn check_tty(interactive: bool, tty: bool) -> Result<(), Error> {
    if interactive && tty && !rustix::termios::isatty(rustix::stdio::stdin()) {
        return Err(Error::NotATty);
    }
    Ok(())
}

/// A terminal in raw mode (cfmakeraw(3)) until this is dropped, or until this process is gone: then a guard process
/// restores it (`insula_sys::process::spawn_guard`), so that SIGKILL and an abort leave no dead terminal either.
pub(super) struct RawMode {
    tty: BorrowedFd<'static>,
    raw: Termios,
    saved: Termios,
    /// Ended after the terminal is restored, since fields are dropped after their struct.
    _guard: Guard,
}

impl RawMode {
    pub(super) fn enter(tty: BorrowedFd<'static>) -> Result<Self, Error> {
        let saved = rustix::termios::tcgetattr(tty).map_err(|errno| Error::RawMode(errno.into()))?;
        let mut raw = saved.clone();
        raw.make_raw();
        // The guard first: between the two, a SIGKILL would find the terminal raw and nobody to care.
        let mode = Self { tty, _guard: Guard::spawn(tty, &raw, &saved)?, raw, saved };
        rustix::termios::tcsetattr(tty, OptionalActions::Now, &mode.raw)
            .map_err(|errno| Error::RawMode(errno.into()))?;
        Ok(mode)
    }

    /// Whether the terminal is as we set it. A shell sets its own modes when its job stops or goes.
    pub(super) fn holds(&self) -> bool {
        rustix::termios::tcgetattr(self.tty).is_ok_and(|now| {
            now.local_modes == self.raw.local_modes
                && now.input_modes == self.raw.input_modes
                && now.output_modes == self.raw.output_modes
        })
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        // In the background the terminal belongs to the shell's line editor, unless its modes are ours still.
        // SIGTTOU is blocked, so that we are not stopped here (tcsetattr(3)).
        if self.holds() || !in_background(self.tty) {
            // It fails if the terminal is gone; there is nothing to restore then.
            let _ = rustix::termios::tcsetattr(self.tty, OptionalActions::Now, &self.saved);
        }
    }
}

/// The guard process, and the pipe whose end of file would set it to work.
struct Guard {
    pidfd: OwnedFd,
    _pipe: OwnedFd,
}

impl Guard {
    fn spawn(tty: BorrowedFd<'_>, raw: &Termios, saved: &Termios) -> Result<Self, Error> {
        let (read, write) =
            rustix::pipe::pipe_with(PipeFlags::CLOEXEC).map_err(|errno| Error::Guard(errno.into()))?;
        let pidfd = insula_sys::process::spawn_guard(tty, read.as_fd(), raw, saved).map_err(Error::Guard)?;
        Ok(Self { pidfd, _pipe: write })
    }
}

impl Drop for Guard {
    /// Ends the guard while it still waits, which the pipe's being open ensures, and leaves no zombie.
    fn drop(&mut self) {
        // Both can only fail if it is gone already; nothing blocks for long after SIGKILL.
        let _ = rustix::process::pidfd_send_signal(&self.pidfd, Signal::KILL);
        let _ = rustix::process::waitid(WaitId::PidFd(self.pidfd.as_fd()), WaitIdOptions::EXITED);
    }
}

/// Whether `tty` is our controlling terminal and another process group has its foreground. ENOTTY (not ours) and a
/// group that is not visible from our pid namespace count as "no".
pub(super) fn in_background(tty: BorrowedFd<'_>) -> bool {
    rustix::termios::tcgetpgrp(tty).is_ok_and(|group| group != rustix::process::getpgrp())
}

/// Gives the container's console the size of the caller's terminal, whichever of the standard streams that is.
pub(super) fn copy_size(console: BorrowedFd<'_>) {
    let streams = [rustix::stdio::stdin(), rustix::stdio::stdout(), rustix::stdio::stderr()];
    // A serial line does not know its size, and says 0 by 0. A console that has no size is still a console: no error.
    let mut sizes = streams.into_iter().filter_map(|stream| rustix::termios::tcgetwinsize(stream).ok());
    if let Some(size) = sizes.find(|size| size.ws_row > 0 && size.ws_col > 0) {
        let _ = rustix::termios::tcsetwinsize(console, size);
    }
}
