//! The loop: one poll(2) over the container's pidfd, the signals, and, with a console, the three descriptors of the
//! relay; with the deadline of `--timeout`.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::process::{Signal, WaitId, WaitIdOptions};

use super::ended::Ended;
use super::error::Error;
use super::relay::{Flow, Ready, Relay};
use super::signals::{Burst, Meaning, Signals};
use super::terminal::{self, RawMode};

/// Wait for a child whose end raises no SIGCHLD as well, as clone3(2) can make it (wait(2), `__WALL`).
const WALL: WaitIdOptions = WaitIdOptions::from_bits_retain(0x4000_0000);

/// More than a console can hold (64 KiB, and a line): what comes after that, a process outside of the container
/// writes, and it could go on for ever.
const LEFT_BEHIND: usize = 1024 * 1024;

/// How long a reader may take nothing, at the end, before we no longer count on the terminal being read.
const STALLED: Duration = Duration::from_secs(1);

/// A container that was born a moment ago and has the caller's attention until it ends.
#[derive(Debug)]
pub struct Foreground<'a> {
    /// The pidfd of the container's pid 1, which has to be our child.
    pub child: BorrowedFd<'a>,
    /// `-t`: the master of the container's console. Its description gets O_NONBLOCK, so it is ours alone.
    pub console: Option<OwnedFd>,
    /// `-i`: with a console, the standard input is relayed to it; without one this changes nothing here.
    pub interactive: bool,
    /// Sent when `timeout` has passed, and in the place of a SIGTERM that we get.
    pub stop_signal: i32,
    /// How long the container may take to heed `stop_signal` before SIGKILL.
    pub stop_timeout: Duration,
    /// How long the container may live.
    pub timeout: Option<Duration>,
}

impl Foreground<'_> {
    /// Watches until the container has ended, and reaps it.
    ///
    /// - Signals are forwarded, but for SIGCHLD and SIGPIPE and those that our own caller ignores. A third SIGINT or
    ///   SIGTERM within three seconds is SIGKILL for the container.
    /// - SIGTERM arrives as `stop_signal`: an init that does not end by SIGTERM can still be stopped.
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
        Watch::new(self, signals)?.run()
    }
}

/// The watch under way. The order of the fields is that of their end: the terminal is restored before the signals are
/// let in again.
struct Watch<'a> {
    raw: Option<RawMode>,
    relay: Option<Relay>,
    child: BorrowedFd<'a>,
    deadline: Deadline,
    burst: Burst,
    signals: Signals,
}

impl<'a> Watch<'a> {
    fn new(of: Foreground<'a>, signals: Signals) -> Result<Self, Error> {
        let relay = of.console.map(|console| Relay::new(console, of.interactive)).transpose()?;
        let deadline = Deadline {
            at: of.timeout.and_then(|timeout| Instant::now().checked_add(timeout)),
            stop_signal: of.stop_signal,
            stop_timeout: of.stop_timeout,
            has_passed: false,
        };
        let mut watch =
            Self { raw: None, relay, child: of.child, deadline, burst: Burst::default(), signals };
        watch.claim_terminal()?;
        Ok(watch)
    }

    fn run(mut self) -> Result<Ended, Error> {
        let ended = loop {
            let (has_ended, ready) = self.poll()?;
            if has_ended {
                break self.reap()?;
            }
            self.take_signals()?;
            let now = Instant::now();
            if let Some(signal) = self.deadline.due(now) {
                self.send(signal)?;
            }
            match self.relay.as_mut().map_or(Ok(Flow::Going), |relay| relay.step(ready, now))? {
                Flow::Going => {}
                Flow::Background => self.claim_terminal()?,
                // The master's last close hangs the console up: SIGHUP for its session, end of file for its readers.
                // The terminal, if it is our output alone that nobody reads, gets its keys back.
                Flow::HungUp => (self.relay, self.raw) = (None, None),
            }
        };
        self.drain()?;
        self.signals.discard();
        Ok(if self.deadline.has_passed { Ended::TimedOut } else { ended })
    }

    /// Waits for something to do: whether the container has ended, and what the relay can move.
    fn poll(&self) -> Result<(bool, Ready), Error> {
        let mut fds =
            vec![PollFd::new(&self.child, PollFlags::IN), PollFd::new(&self.signals, PollFlags::IN)];
        let interests = self.relay.as_ref().map_or([None, None, None], Relay::interests);
        let asked = interests.each_ref().map(Option::is_some);
        fds.extend(interests.into_iter().flatten());
        let retry_at = self.relay.as_ref().and_then(Relay::retry_at);
        let until = [self.deadline.at, retry_at].into_iter().flatten().min();
        poll(&mut fds, until.map(|until| until.saturating_duration_since(Instant::now())))?;

        let mut answers = fds.iter().map(PollFd::revents);
        let has_ended = answers.next().is_some_and(|child| !child.is_empty());
        let mut answers = answers.skip(1);
        let [master, output, input] =
            asked.map(|asked| asked.then(|| answers.next()).flatten().unwrap_or(PollFlags::empty()));
        Ok((has_ended, Ready { master, output, input }))
    }

    /// The end of the container's pid 1, which poll(2) has announced.
    fn reap(&self) -> Result<Ended, Error> {
        let status = rustix::process::waitid(WaitId::PidFd(self.child), WaitIdOptions::EXITED | WALL)
            .and_then(|status| status.ok_or(Errno::CHILD))
            .map_err(|errno| Error::Wait(errno.into()))?;
        // waitid(2) keeps a code's low eight bits.
        let code = status.exit_status().and_then(|code| u8::try_from(code & 0xff).ok());
        match (code, status.terminating_signal()) {
            (Some(code), _) => Ok(Ended::Exited(code)),
            (None, Some(signal)) => Ok(Ended::Signaled(signal)),
            (None, None) => Err(Error::Wait(Errno::CHILD.into())),
        }
    }

    fn take_signals(&mut self) -> Result<(), Error> {
        while let Some(signo) = self.signals.next()? {
            match Meaning::of(signo) {
                Meaning::Nothing => {}
                Meaning::Forward => self.send(signo)?,
                Meaning::End if self.burst.is_third(Instant::now()) => self.send(Signal::KILL.as_raw())?,
                // Who ends us asks the container to end, in the words that it understands.
                Meaning::End if signo == Signal::TERM.as_raw() => self.send(self.deadline.stop_signal)?,
                Meaning::End => self.send(signo)?,
                Meaning::Resize => {
                    if let Some(relay) = &self.relay {
                        terminal::copy_size(relay.console());
                    }
                }
                Meaning::Suspend(stop) => {
                    // The shell that gets the terminal now shall find it as it was.
                    self.raw = None;
                    self.send(signo)?;
                    self.signals.stop_by(stop)?;
                    self.claim_terminal()?;
                }
                Meaning::Resume => {
                    self.send(signo)?;
                    self.claim_terminal()?;
                }
            }
        }
        Ok(())
    }

    /// With `-i -t`, sets the caller's terminal raw if we are in its foreground, and stops until we are if not, as
    /// whoever reads a terminal in the background does. In any case the console gets the present size.
    fn claim_terminal(&mut self) -> Result<(), Error> {
        let Some(relay) = &mut self.relay else { return Ok(()) };
        if let Some(tty) = relay.terminal() {
            if terminal::in_background(tty) {
                self.raw = None;
                self.signals.stop_by(Signal::TTIN)?;
            }
            // In the background still: no shell is left to bring us to the front. The input is then left alone.
            let in_foreground = !terminal::in_background(tty);
            relay.listen(in_foreground);
            if !in_foreground || self.raw.as_ref().is_some_and(|raw| !raw.holds()) {
                self.raw = None;
            }
            if in_foreground && self.raw.is_none() {
                match RawMode::enter(tty) {
                    // The terminal is gone; with SIGHUP the kernel has sent SIGCONT (setpgid(2)), which led here.
                    Err(Error::RawMode(error)) if error.raw_os_error() == Some(Errno::IO.raw_os_error()) => {
                        self.relay = None;
                        return Ok(());
                    }
                    raw => self.raw = Some(raw?),
                }
            }
        }
        terminal::copy_size(relay.console());
        Ok(())
    }

    /// Sends `signal` to the container's pid 1. That it is gone meanwhile is no error: poll(2) will tell.
    fn send(&self, signal: i32) -> Result<(), Error> {
        match insula_sys::signal::pidfd_send_signal(self.child, signal) {
            Err(error) if error.raw_os_error() != Some(Errno::SRCH.raw_os_error()) => {
                Err(Error::Forward(signal, error))
            }
            _ => Ok(()),
        }
    }

    /// Writes out what the container has left in its console. All its processes are gone with pid 1
    /// (pid_namespaces(7)), so that EAGAIN is the end of it.
    fn drain(&mut self) -> Result<(), Error> {
        let Some(relay) = &mut self.relay else { return Ok(()) };
        let mut left = LEFT_BEHIND;
        loop {
            if relay.is_drained() {
                match relay.read_console()? {
                    Some(read @ 1..) if left > 0 => left = left.saturating_sub(read),
                    _ => return Ok(()),
                }
            }
            let output = relay.output();
            let mut fds = [PollFd::new(&output, PollFlags::OUT), PollFd::new(&self.signals, PollFlags::IN)];
            poll(&mut fds, Some(STALLED))?;
            let [can_write, has_signals] = fds.map(|fd| !fd.revents().is_empty());
            if !can_write && !has_signals {
                if self.deadline.has_passed {
                    return Ok(());
                }
                // A terminal in raw mode would not make Ctrl-C a signal, and nobody else reads it now.
                self.raw = None;
            }
            while let Some(signo) = self.signals.next()? {
                match Meaning::of(signo) {
                    Meaning::Forward | Meaning::End => return Ok(()),
                    Meaning::Suspend(stop) => {
                        self.raw = None;
                        self.signals.stop_by(stop)?;
                    }
                    Meaning::Nothing | Meaning::Resize | Meaning::Resume => {}
                }
            }
            if can_write && relay.write_output()? == Flow::HungUp {
                return Ok(());
            }
        }
    }
}

/// poll(2), where an interruption is an answer with nothing in it.
fn poll(fds: &mut [PollFd<'_>], timeout: Option<Duration>) -> Result<(), Error> {
    // What exceeds the type, some 292 thousand million years, is for ever.
    let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
    match rustix::event::poll(fds, timeout.as_ref()) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(errno) => Err(Error::Poll(errno.into())),
    }
}

/// `--timeout`: first the stop signal, after its grace SIGKILL.
struct Deadline {
    at: Option<Instant>,
    stop_signal: i32,
    stop_timeout: Duration,
    has_passed: bool,
}

impl Deadline {
    /// The signal that is due at `now`.
    fn due(&mut self, now: Instant) -> Option<i32> {
        self.at.filter(|at| *at <= now)?;
        if self.has_passed {
            self.at = None;
            return Some(Signal::KILL.as_raw());
        }
        self.has_passed = true;
        self.at = now.checked_add(self.stop_timeout);
        Some(self.stop_signal)
    }
}
