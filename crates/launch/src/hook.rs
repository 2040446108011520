//! One hook, config.md "POSIX-platform Hooks": a program that gets the container's state on its standard input.
//!
//! Run by the caller and by the newborn alike, so that nothing here allocates. Its output goes into a file in memory, of
//! which the beginning is told if it fails.

use crate::fault::{Call, Done, Fault};
use insula_sys::birth::{clone3, exit_now};
use insula_sys::exec::{Strings, cloexec_from, execve};
use insula_sys::signal::{self, pidfd_send_signal};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{MemfdFlags, SeekFrom, memfd_create, seek};
use rustix::io::{Errno, pread};
use rustix::process::{WaitId, WaitIdOptions, WaitIdStatus, waitid};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};
use std::convert::Infallible;
use std::ffi::CString;
use std::io::Write;
use std::time::{Duration, Instant};

/// How much of its output is told.
const TOLD_BYTES: usize = 256;
/// Room for how it ended.
const HOW_BYTES: usize = 64;
/// What a shell says where a program could not be executed.
const NOT_EXECUTED: i32 = 127;

/// A hook, ready to be run.
#[derive(Debug)]
pub struct Hook {
    /// The program.
    pub path: CString,
    /// Its arguments, its name first.
    pub argv: Strings,
    /// Its environment, whole.
    pub envp: Strings,
    /// How long it may take; without one, for ever.
    pub timeout: Option<Duration>,
}

/// What a failed hook leaves to tell: how it ended, and the beginning of its output.
#[derive(Debug)]
pub struct Said {
    bytes: [u8; HOW_BYTES + TOLD_BYTES],
    length: usize,
}

impl Default for Said {
    fn default() -> Said {
        Said { bytes: [0; HOW_BYTES + TOLD_BYTES], length: 0 }
    }
}

impl Said {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// Takes down how it ended, and the beginning of its output.
    fn take(&mut self, how: std::fmt::Arguments<'_>, output: Option<&OwnedFd>) {
        let mut rest: &mut [u8] = &mut self.bytes[..HOW_BYTES];
        // It fits: some words and a number.
        let _ = rest.write_fmt(how);
        let mut length = HOW_BYTES - rest.len();
        let mut text = [0u8; TOLD_BYTES];
        let read = output.and_then(|output| pread(output, &mut text, 0).ok()).unwrap_or(0);
        if read > 0 && length + 2 <= HOW_BYTES {
            self.bytes[length..length + 2].copy_from_slice(b": ");
            length += 2;
            self.bytes[length..length + read].copy_from_slice(&text[..read]);
            length += read;
        }
        self.length = length;
    }
}

impl Hook {
    /// Runs it to its end. `state` is the JSON of the container's state, a file whose beginning is looked up here.
    /// ECANCELED: it has failed. ETIMEDOUT: it took too long, and was killed. `said` is how it ended.
    pub fn run(&self, state: BorrowedFd<'_>, said: &mut Said) -> Done {
        let output = memfd_create(c"hook-output", MemfdFlags::CLOEXEC).map_err(Call::MemfdCreate.failed())?;
        let born = clone3(0, || self.execute(state, &output)).map_err(Call::Clone3.failed())?;
        let in_time = self.wait(born.pidfd.as_fd());
        if !in_time {
            let _ = pidfd_send_signal(born.pidfd.as_fd(), libc::SIGKILL);
        }
        let status = end(born.pidfd.as_fd()).map_err(Call::Hook.failed())?;
        let errno = match (in_time, status.exit_status(), status.terminating_signal()) {
            (true, Some(0), _) => return Ok(()),
            (false, ..) => {
                said.take(format_args!("killed after its timeout"), Some(&output));
                Errno::TIMEDOUT
            }
            (_, Some(code), _) => {
                said.take(format_args!("exit status {code}"), Some(&output));
                Errno::CANCELED
            }
            (.., signal) => {
                said.take(format_args!("ended by signal {}", signal.unwrap_or(0)), Some(&output));
                Errno::CANCELED
            }
        };
        Err(Fault { call: Call::Hook, errno })
    }

    /// The hook's own process.
    fn execute(&self, state: BorrowedFd<'_>, output: &OwnedFd) -> Infallible {
        let ready = signal::reset()
            .and_then(|()| seek(state, SeekFrom::Start(0)))
            .and_then(|_| dup2_stdin(state))
            .and_then(|()| dup2_stdout(output))
            .and_then(|()| dup2_stderr(output))
            .and_then(|()| cloexec_from(3));
        if ready.is_ok() {
            let errno = execve(&self.path, self.argv.vector(), self.envp.vector());
            let mut said = Said::default();
            said.take(format_args!("execve: errno {}", errno.raw_os_error()), None);
            let _ = rustix::io::write(output, said.as_bytes());
        }
        exit_now(NOT_EXECUTED)
    }

    /// Waits for its end; `false`: the time has passed before.
    fn wait(&self, pidfd: BorrowedFd<'_>) -> bool {
        let deadline = self.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let left = left.map(|left| Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: left.subsec_nanos().into(),
            });
            match poll(&mut [PollFd::from_borrowed_fd(pidfd, PollFlags::IN)], left.as_ref()) {
                Ok(0) => return false,
                Err(Errno::INTR) => {}
                // What cannot be waited for with an end is waited for without one.
                Ok(_) | Err(_) => return true,
            }
        }
    }
}

fn end(pidfd: BorrowedFd<'_>) -> Result<WaitIdStatus, Errno> {
    loop {
        match waitid(WaitId::PidFd(pidfd), WaitIdOptions::EXITED) {
            Ok(Some(status)) => return Ok(status),
            Ok(None) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}
