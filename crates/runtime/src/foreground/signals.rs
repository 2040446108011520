//! The signals of this process, held back from before the container's birth until its end, and what each means for
//! the container.

use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use insula_sys::signal::{self, SigSet};
use rustix::process::Signal;

use super::error::Error;

/// Raised by the thread itself at a faulty instruction: blocked, they would end the process all the same, but past
/// their handlers (signal(7), sigprocmask(2)).
const SYNCHRONOUS: [Signal; 6] =
    [Signal::SEGV, Signal::BUS, Signal::FPE, Signal::ILL, Signal::TRAP, Signal::SYS];

/// All signals blocked, and a signalfd(2) to read them by. Dropping it restores the mask.
///
/// Made before the container is born, so that no signal falls between birth and watch: what arrives in between waits.
/// Every process that is forked meanwhile inherits the mask, and must be given [`Signals::mask`] or an empty one
/// before execve(2). The mask is that of the calling thread: a process with other threads has to block there too.
pub struct Signals {
    fd: OwnedFd,
    old: SigSet,
    ignored: SigSet,
    /// The mask is restored on the thread that it was taken from.
    not_send: PhantomData<*const ()>,
}

impl Signals {
    /// Blocks all signals but the synchronous ones.
    ///
    /// SIGCHLD gets its default disposition: were it ignored, as some daemons leave it, the kernel would reap the
    /// container itself and forget its exit code (waitpid(2), NOTES).
    pub fn block() -> Result<Self, Error> {
        let ignored = signal::ignored();
        if ignored.contains(Signal::CHILD.as_raw()) {
            signal::set_default(Signal::CHILD.as_raw()).map_err(Error::Signals)?;
        }
        let mut set = SigSet::new_full();
        for synchronous in SYNCHRONOUS {
            set.remove(synchronous.as_raw());
        }
        let fd = signal::signalfd(&set).map_err(Error::Signals)?;
        let old = signal::block(&set).map_err(Error::Signals)?;
        Ok(Self { fd, old, ignored, not_send: PhantomData })
    }

    /// The mask before, for the children that are to have it.
    #[must_use]
    pub fn mask(&self) -> &SigSet {
        &self.old
    }

    /// The next signal that has arrived, if any.
    ///
    /// A blocked signal is queued even where it is ignored. Those that our caller has ignored stay so: nohup(1) means
    /// the container as well, and a script's `insula run … &` is not to die of the script's Ctrl-C. SIGCONT is the
    /// exception, since it continues us whatever the disposition.
    pub(super) fn next(&self) -> Result<Option<i32>, Error> {
        loop {
            match signal::read_signalfd(self.fd.as_fd()).map_err(Error::Signals)? {
                Some(info) if info.signo != Signal::CONT.as_raw() && self.ignored.contains(info.signo) => {}
                info => return Ok(info.map(|info| info.signo)),
            }
        }
    }

    /// Reads what is pending and forgets it: it was meant for a container that is gone, and delivered with the mask
    /// restored it would replace the container's exit code by our death.
    pub(super) fn discard(&self) {
        while let Ok(Some(_)) = self.next() {}
    }

    /// Does to ourselves what `signal` (SIGTSTP, SIGTTIN, SIGTTOU) does by default: we stop, and return continued.
    /// By the true signal and not SIGSTOP, so that the shell reads the right cause in our status, and a process group
    /// that is orphaned, with no shell left to continue it, does not stop at all (setpgid(2), signal(7)).
    pub(super) fn stop_by(&self, signal: Signal) -> Result<(), Error> {
        if self.ignored.contains(signal.as_raw()) {
            return Ok(());
        }
        let mut only = SigSet::empty();
        only.add(signal.as_raw());
        rustix::process::kill_process(rustix::process::getpid(), signal)
            .map_err(|errno| Error::Signals(errno.into()))?;
        // It is delivered, and we stop, before this returns.
        let blocked = signal::unblock(&only).map_err(Error::Signals)?;
        signal::set_mask(&blocked).map(drop).map_err(Error::Signals)
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        // It was this thread's mask: that it is valid is all that the call asks.
        let _: io::Result<SigSet> = signal::set_mask(&self.old);
    }
}

/// What a signal that arrived is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// For the container.
    Forward,
    /// SIGINT or SIGTERM: for the container, and counted by [`Burst`].
    End,
    /// The terminal has another size.
    Resize,
    /// Job control: the container stops, and we.
    Suspend(Signal),
    /// Continued.
    Resume,
    /// Ours alone: the pidfd tells of the container's end, and a closed pipe is EPIPE.
    Nothing,
}

impl Meaning {
    pub(super) fn of(signo: i32) -> Self {
        match Signal::from_named_raw(signo) {
            Some(Signal::CHILD | Signal::PIPE) => Self::Nothing,
            Some(Signal::WINCH) => Self::Resize,
            Some(Signal::CONT) => Self::Resume,
            Some(stop @ (Signal::TSTP | Signal::TTIN | Signal::TTOU)) => Self::Suspend(stop),
            Some(Signal::INT | Signal::TERM) => Self::End,
            // The real-time signals have no name.
            _ => Self::Forward,
        }
    }
}

/// Recognises a user who means it: three SIGINT or SIGTERM within [`Burst::WITHIN`], as docker(1) has it, end a
/// container whose program does not heed them.
#[derive(Default)]
pub(super) struct Burst([Option<Instant>; 2]);

impl Burst {
    const WITHIN: Duration = Duration::from_secs(3);

    /// Notes a signal at `now`; true for the third one in time.
    pub(super) fn is_third(&mut self, now: Instant) -> bool {
        let [first, second] = self.0;
        self.0 = [second, Some(now)];
        first.is_some_and(|first| now.duration_since(first) <= Self::WITHIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_third_signal_counts_only_within_three_seconds() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut burst = Burst::default();
        assert!(!burst.is_third(at(0)));
        assert!(!burst.is_third(at(2000)));
        assert!(!burst.is_third(at(3500)));
        assert!(burst.is_third(at(4900)));
    }

    #[test]
    fn real_time_signals_are_forwarded_and_sigchld_is_not() {
        assert_eq!(Meaning::of(40), Meaning::Forward);
        assert_eq!(Meaning::of(Signal::HUP.as_raw()), Meaning::Forward);
        assert_eq!(Meaning::of(Signal::CHILD.as_raw()), Meaning::Nothing);
    }
}
