//! Waiting for a forked child as unshare(1) and nsenter(1) do: its end becomes our end, the same signal included.

use insula_launch::perform::Running;
use insula_sys::birth::exit_now;
use insula_sys::prctl;
use insula_sys::signal::{self, SigSet};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::AsFd;
use rustix::io::Errno;
use rustix::process::{
    PidfdFlags, Signal, WaitId, WaitIdOptions, WaitIdStatus, getpid, kill_process, pidfd_open,
    pidfd_send_signal, waitid,
};

/// What we do while we wait.
#[derive(Debug, Clone, Default)]
pub struct Manner {
    /// Signals, blocked since before the birth, that are passed on to the child.
    pub forward: Vec<i32>,
    /// When the child is stopped we stop as well, and it goes on when we do: the shell's job control sees us, not it.
    pub stop_with_child: bool,
}

/// How the child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// With this exit code.
    Exited(u8),
    /// By this signal.
    Signaled(i32),
}

/// Waits until the child has ended, and reaps it.
pub fn until_end(running: &Running, manner: &Manner) -> Result<Ended, Errno> {
    if !manner.forward.is_empty() {
        forward_until_end(running, &manner.forward)?;
    }
    let mut options = WaitIdOptions::EXITED;
    if manner.stop_with_child {
        options |= WaitIdOptions::STOPPED;
    }
    loop {
        match waitid(WaitId::PidFd(running.pidfd.as_fd()), options) {
            Ok(Some(status)) if status.stopped() => stop_with(running)?,
            Ok(Some(status)) => return ended(&status).ok_or(Errno::CHILD),
            Ok(None) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

fn ended(status: &WaitIdStatus) -> Option<Ended> {
    // waitid(2) keeps a code's low eight bits.
    let code = status.exit_status().and_then(|code| u8::try_from(code & 0xff).ok());
    code.map(Ended::Exited).or_else(|| status.terminating_signal().map(Ended::Signaled))
}

/// The child suspended, so suspend as well; when somebody continues us, continue it.
fn stop_with(running: &Running) -> Result<(), Errno> {
    kill_process(getpid(), Signal::STOP)?;
    match pidfd_send_signal(&running.pidfd, Signal::CONT) {
        Err(Errno::SRCH) => Ok(()),
        done => done,
    }
}

/// Passes signals on until the child has ended; who reaps it is next.
fn forward_until_end(running: &Running, signals: &[i32]) -> Result<(), Errno> {
    let errno = |error: std::io::Error| Errno::from_io_error(&error).unwrap_or(Errno::IO);
    let mut set = SigSet::empty();
    signals.iter().for_each(|signal| set.add(*signal));
    let heard = signal::signalfd(&set).map_err(errno)?;
    loop {
        let mut both = [PollFd::new(&running.pidfd, PollFlags::IN), PollFd::new(&heard, PollFlags::IN)];
        match poll(&mut both, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
        if !both[0].revents().is_empty() {
            return Ok(());
        }
        while let Some(signal) = signal::read_signalfd(heard.as_fd()).map_err(errno)? {
            match signal::pidfd_send_signal(running.pidfd.as_fd(), signal.signo).map_err(errno) {
                Ok(()) | Err(Errno::SRCH) => {}
                Err(errno) => return Err(errno),
            }
        }
    }
}

/// Ends this process as the child has ended: with its exit code, or by its signal. `failed` is the code where the signal
/// does not end us.
pub fn end_like(ended: Ended, failed: u8) -> ! {
    let signal = match ended {
        Ended::Exited(code) => exit_now(code.into()),
        Ended::Signaled(signal) => signal,
    };
    // The child has left a core, if one was wanted; ours would be of no use to anybody.
    let _ = prctl::dumpable(false);
    let _ = signal::set_default(signal);
    let mut set = SigSet::empty();
    set.add(signal);
    let _ = signal::unblock(&set);
    // By a pidfd, since rustix has no words for real-time signals.
    if let Ok(own) = pidfd_open(getpid(), PidfdFlags::empty()) {
        let _ = signal::pidfd_send_signal(own.as_fd(), signal);
    }
    exit_now(failed.into())
}
