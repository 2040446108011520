//! Bytes between the container's console and the caller's standard streams: one buffer a direction, filled only when
//! it is empty, so that a slow peer is felt at the other end and nothing grows.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::termios::SpecialCodeIndex;

use super::error::Error;
use super::stream::Stream;
use super::terminal;

/// When a console that no process has open is looked at again.
const RETRY: Duration = Duration::from_millis(50);

/// The two directions between console and standard streams.
pub(super) struct Relay {
    master: OwnedFd,
    output: Stream,
    input: Option<Input>,
    /// On the way to the caller.
    outward: Buffer,
    /// On the way to the container.
    inward: Buffer,
    /// No process has the console open, so that poll(2) would say POLLHUP without end: left alone until then. It need
    /// not be the end: a getty hangs the console up (vhangup(2)) and opens it again.
    retry_at: Option<Instant>,
}

/// What became of the caller's side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    Going,
    /// The terminal is gone, or nobody reads our output.
    HungUp,
    /// The terminal is there, but not for us.
    Background,
}

/// What poll(2) said of the three descriptors.
#[derive(Clone, Copy)]
pub(super) struct Ready {
    pub(super) master: PollFlags,
    pub(super) output: PollFlags,
    pub(super) input: PollFlags,
}

impl Relay {
    pub(super) fn new(master: OwnedFd, interactive: bool) -> Result<Self, Error> {
        rustix::fs::fcntl_getfl(&master)
            .and_then(|flags| rustix::fs::fcntl_setfl(&master, flags | OFlags::NONBLOCK))
            .map_err(|errno| Error::Console(errno.into()))?;
        Ok(Self {
            master,
            output: Stream::new(rustix::stdio::stdout(), OFlags::WRONLY),
            input: interactive.then(Input::new),
            outward: Buffer::new(),
            inward: Buffer::new(),
            retry_at: None,
        })
    }

    pub(super) fn console(&self) -> BorrowedFd<'_> {
        self.master.as_fd()
    }

    pub(super) fn output(&self) -> BorrowedFd<'_> {
        self.output.as_fd()
    }

    /// The terminal that input is read from, if there is one.
    pub(super) fn terminal(&self) -> Option<BorrowedFd<'static>> {
        self.input.as_ref().filter(|input| input.is_tty).map(|_| rustix::stdio::stdin())
    }

    /// Whether the input is read: not in the background, where it is for others.
    pub(super) fn listen(&mut self, listens: bool) {
        if let Some(input) = &mut self.input {
            input.listens = listens;
        }
    }

    pub(super) fn retry_at(&self) -> Option<Instant> {
        self.retry_at
    }

    /// What to poll for: master, output, input. Without events a descriptor is left out, as POLLHUP comes unasked.
    pub(super) fn interests(&self) -> [Option<PollFd<'_>>; 3] {
        let mut master = PollFlags::empty();
        master.set(PollFlags::IN, self.outward.is_empty() && self.retry_at.is_none());
        master.set(PollFlags::OUT, !self.inward.is_empty() && self.retry_at.is_none());
        let wants_output = !self.outward.is_empty();
        let input = self.input.as_ref().filter(|input| input.listens && self.inward.is_empty());
        [
            (!master.is_empty()).then(|| PollFd::new(&self.master, master)),
            wants_output.then(|| PollFd::new(&self.output, PollFlags::OUT)),
            input.map(|input| PollFd::new(&input.stream, PollFlags::IN)),
        ]
    }

    /// Moves what can be moved after `ready`.
    pub(super) fn step(&mut self, ready: Ready, now: Instant) -> Result<Flow, Error> {
        if !ready.output.is_empty() && self.write_output()? == Flow::HungUp {
            return Ok(Flow::HungUp);
        }
        let retry = self.retry_at.is_some_and(|at| at <= now);
        if retry || !ready.master.is_empty() {
            self.retry_at = None;
            self.write_console()?;
            let open = !self.outward.is_empty() || self.read_console()? != Some(0);
            let idle_hangup = ready.master == PollFlags::HUP && !self.outward.is_empty();
            if !open || idle_hangup {
                self.retry_at = Some(now + RETRY);
            }
        }
        if ready.input.is_empty() { Ok(Flow::Going) } else { self.read_input() }
    }

    /// Fills the empty outward buffer from the console: the number of bytes, 0 if no process has it open, `None` if
    /// nothing is there.
    pub(super) fn read_console(&mut self) -> Result<Option<usize>, Error> {
        match self.outward.fill(|bytes| rustix::io::read(&self.master, bytes)) {
            Ok(read) => Ok(Some(read)),
            // The kernel passes on what a process had written before it closed the console, and says EIO then.
            Err(Errno::IO) => Ok(Some(0)),
            Err(Errno::AGAIN | Errno::INTR) => Ok(None),
            Err(errno) => Err(Error::Console(errno.into())),
        }
    }

    fn write_console(&mut self) -> Result<(), Error> {
        match self.inward.drain(|bytes| rustix::io::write(&self.master, bytes)) {
            Ok(()) | Err(Errno::AGAIN | Errno::INTR | Errno::IO) => Ok(()),
            Err(errno) => Err(Error::Console(errno.into())),
        }
    }

    /// Writes from the outward buffer to the caller.
    pub(super) fn write_output(&mut self) -> Result<Flow, Error> {
        match self.outward.drain(|bytes| self.output.write(bytes)) {
            Ok(()) | Err(Errno::AGAIN | Errno::INTR) => Ok(Flow::Going),
            Err(Errno::PIPE | Errno::IO | Errno::CONNRESET) => Ok(Flow::HungUp),
            Err(errno) => Err(Error::Output(errno.into())),
        }
    }

    pub(super) fn is_drained(&self) -> bool {
        self.outward.is_empty()
    }

    fn read_input(&mut self) -> Result<Flow, Error> {
        let Some(input) = &mut self.input else { return Ok(Flow::Going) };
        match self.inward.fill(|bytes| input.stream.read(bytes)) {
            Ok(0) | Err(Errno::IO) if input.is_tty => {
                // With SIGTTIN blocked, a background read is EIO (setpgid(2), termios(3)), as is a terminal's end.
                let background = terminal::in_background(rustix::stdio::stdin());
                Ok(if background { Flow::Background } else { Flow::HungUp })
            }
            Ok(0) => {
                // The end of a file has no byte; what a user would press stands in: once after a whole line, once
                // more to send an unfinished one off first (termios(3), VEOF).
                let end = end_of_file_key(&self.master);
                let keys = if input.at_line_start { &end[..1] } else { &end[..] };
                self.inward.put(keys);
                self.input = None;
                Ok(Flow::Going)
            }
            Ok(_) => {
                input.at_line_start = self.inward.last() == Some(b'\n');
                Ok(Flow::Going)
            }
            Err(Errno::AGAIN | Errno::INTR) => Ok(Flow::Going),
            Err(errno) => Err(Error::Input(errno.into())),
        }
    }
}

/// VEOF of the console, Ctrl-D unless the program has set another.
fn end_of_file_key(master: &OwnedFd) -> [u8; 2] {
    const CTRL_D: u8 = 4;
    [rustix::termios::tcgetattr(master).map_or(CTRL_D, |now| now.special_codes[SpecialCodeIndex::VEOF]); 2]
}

/// The standard input.
struct Input {
    stream: Stream,
    is_tty: bool,
    listens: bool,
    at_line_start: bool,
}

impl Input {
    fn new() -> Self {
        let stdin = rustix::stdio::stdin();
        Self {
            stream: Stream::new(stdin, OFlags::RDONLY),
            is_tty: rustix::termios::isatty(stdin),
            listens: true,
            at_line_start: true,
        }
    }
}

/// Bytes on their way: filled when empty, then drained.
struct Buffer {
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Buffer {
    /// Several times what a terminal gives at once (4 KiB, n_tty), and a quarter of a pipe.
    const SIZE: usize = 16 * 1024;

    fn new() -> Self {
        Self { bytes: vec![0; Self::SIZE].into_boxed_slice(), start: 0, end: 0 }
    }

    fn is_empty(&self) -> bool {
        self.start == self.end
    }

    fn last(&self) -> Option<u8> {
        self.bytes[self.start..self.end].last().copied()
    }

    /// Reads into the buffer, which is empty.
    fn fill(&mut self, read: impl FnOnce(&mut [u8]) -> Result<usize, Errno>) -> Result<usize, Errno> {
        debug_assert!(self.is_empty(), "bytes would be lost");
        let read = read(&mut self.bytes)?;
        (self.start, self.end) = (0, read);
        Ok(read)
    }

    /// Puts a few bytes into the buffer, which is empty.
    fn put(&mut self, bytes: &[u8]) {
        self.bytes[..bytes.len()].copy_from_slice(bytes);
        (self.start, self.end) = (0, bytes.len());
    }

    /// Writes from the buffer what one call takes.
    fn drain(&mut self, write: impl FnOnce(&[u8]) -> Result<usize, Errno>) -> Result<(), Errno> {
        if !self.is_empty() {
            self.start += write(&self.bytes[self.start..self.end])?;
        }
        Ok(())
    }
}
