//! Calls that an agent decides, seccomp_unotify(2): how the listener reaches the agent.
//!
//! The listener appears in the process that is filtered from then on, and any call that it made to hand it over may be one
//! that the agent is to decide. So a helper sends it: born before the filter, and sharing our table of descriptors, so that
//! it sees the listener's number appear there. It closes the listener behind it, in both of us: once the agent is gone, the
//! calls are to fail and not to wait.
use core::sync::atomic::{AtomicI32, Ordering};

use crate::report::{EXIT_INTERNAL, Report};
use crate::sharing;
use crate::syscall::{self, Errno};

const SIGKILL: i32 = 9;
/// What the helper says in the number that it shares with us.
const SENT: i32 = 1;
const NOT_SENT: i32 = 2;

/// The agent, and what it is told.
#[derive(Clone, Copy)]
pub struct Agent {
    socket: i32,
    state: i32,
    length: usize,
}

impl Agent {
    /// The agent at this connected socket; what it is told is a file of `length` bytes.
    pub const fn new(socket: i32, state: i32, length: usize) -> Self {
        Self { socket, state, length }
    }

    /// Has `load` load the filter, and returns when the agent has the listener.
    pub fn hand_over(self, report: Report, load: impl FnOnce() -> Result<i32, Errno>) -> Result<(), Errno> {
        let first = syscall::map(self.state, self.length)?;
        // SAFETY: the file holds `length` bytes, and is sealed, so that they stay; the mapping is never undone.
        let text = unsafe { core::slice::from_raw_parts(first, self.length) };
        syscall::close(self.state);
        let said = sharing::shared_number()?;
        let us = syscall::getpid();
        // Nobody else opens anything here: the kernel gives the listener this number.
        let listener = sharing::lowest_free(self.socket)?;
        let child = sharing::fork_sharing_files()?;
        if child == 0 {
            self.help(report, listener, text, us, said);
        }
        if let Err(errno) = load() {
            let _ = syscall::kill(child, SIGKILL);
            let _ = sharing::reap(child);
            return Err(errno);
        }
        // From here on, each call is filtered. Where this one is refused, the helper stays a zombie.
        let _ = sharing::reap(child);
        loop {
            match said.load(Ordering::Acquire) {
                SENT => return Ok(()),
                NOT_SENT => syscall::exit_group(EXIT_INTERNAL),
                _ => core::hint::spin_loop(),
            }
        }
    }

    /// The helper's life.
    fn help(self, report: Report, listener: i32, text: &[u8], us: i32, said: &AtomicI32) -> ! {
        while !sharing::is_open(listener) {
            if sharing::getppid() != us {
                syscall::exit_group(EXIT_INTERNAL);
            }
            sharing::sched_yield();
        }
        let sent = self.send(listener, text);
        if let Err(errno) = sent {
            report.agent_failed(errno);
        }
        syscall::close(listener);
        syscall::close(self.socket);
        said.store(if sent.is_ok() { SENT } else { NOT_SENT }, Ordering::Release);
        syscall::exit_group(0)
    }

    /// The descriptor goes with the first bytes.
    fn send(self, listener: i32, text: &[u8]) -> Result<(), Errno> {
        let (mut rest, mut fd) = (text, Some(listener));
        while !rest.is_empty() {
            let sent = syscall::send_bytes(self.socket, rest, fd.take())?;
            rest = rest.get(sent.unsigned_abs() as usize..).unwrap_or_default();
        }
        Ok(())
    }
}
