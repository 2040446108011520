//! The watch over one foreground container, as `docker run [-i] [-t]` has it: signals go in, the console's bytes go
//! both ways, the end comes out.
//!
//! ```text
//!               signalfd ──► meaning ──► pidfd_send_signal ──► container's pid 1 ──► program
//! caller's stdin (raw) ──► 16 KiB ──► pty master ◄──► /dev/console of the container     (-i -t)
//! caller's stdout      ◄── 16 KiB ◄── pty master                                          (-t)
//! ```
//!
//! Without `-t` the program has inherited the descriptors 0 to 2, and only signals pass here. One thread, one poll(2)
//! loop, and no descriptor in it blocks. Three parts can be read alone: `signals` (what each one means), `terminal`
//! (raw mode, and how it is undone even after SIGKILL), `stream` (how to write without blocking and without O_NONBLOCK
//! on what the shell shares with us).

mod error;
mod relay;
mod signals;
mod stream;
mod terminal;
mod watch;

use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Duration;

pub use error::Error;
pub use signals::Signals;

/// A container that was born a moment ago and has the caller's attention until it ends.
#[derive(Debug)]
pub struct Foreground<'a> {
    /// The pidfd of the container's pid 1, which has to be our child.
    pub child: BorrowedFd<'a>,
    /// `-t`: the master of the container's console. Its description gets O_NONBLOCK, so it is ours alone.
    pub console: Option<OwnedFd>,
    /// `-i`: with a console, the standard input is relayed to it; without one this changes nothing here.
    pub interactive: bool,
    /// Sent when `timeout` has passed.
    pub stop_signal: i32,
    /// How long the container may take to heed `stop_signal` before SIGKILL.
    pub stop_timeout: Duration,
    /// How long the container may live.
    pub timeout: Option<Duration>,
}

/// How the container ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Its pid 1 exited with this code: the program's own, or 128 and the signal that ended the program.
    Exited(u8),
    /// Its pid 1 itself was ended by this signal, which is SIGKILL as a rule.
    Signaled(i32),
    /// `timeout` passed, and we ended it, whatever the code. Callers exit with 124, as timeout(1).
    TimedOut,
}

impl Foreground<'_> {
    /// Watches until the container has ended, and reaps it.
    ///
    /// - Signals are forwarded, but for SIGCHLD and SIGPIPE and those that our own caller ignores. A third SIGINT or
    ///   SIGTERM within three seconds is SIGKILL for the container.
    /// - SIGTSTP (SIGTTIN, SIGTTOU) is forwarded, then we stop; SIGCONT is forwarded when we are continued.
    /// - The console has the size of the caller's terminal, at first and after SIGWINCH.
    /// - With `-i -t` the caller's terminal is raw meanwhile. In the background we stop until we are in the foreground.
    /// - When the caller's terminal is gone, or nobody reads our output any more, the console is hung up, so that the
    ///   program gets SIGHUP as it would on a terminal of its own.
    /// - What the container has written before its end is written out, however slow the reader is; SIGINT, SIGTERM and
    ///   the like end that. After a timeout a reader that takes nothing for a second is not waited for.
    ///
    /// After an error the container may be alive still.
    pub fn watch(self, signals: Signals) -> Result<Ended, Error> {
        watch::Watch::new(self, signals)?.run()
    }
}

/// Refuses `-i -t` where the standard input is no terminal: a program behind a terminal could not tell the input's
/// end from a key, and the input would be echoed. To be asked before anything is made.
pub fn check_tty(interactive: bool, tty: bool) -> Result<(), Error> {
    if interactive && tty && !rustix::termios::isatty(rustix::stdio::stdin()) {
        return Err(Error::NotATty);
    }
    Ok(())
}
