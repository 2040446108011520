//! The line to the runtime: five bytes if execve(2) fails, end of file if it succeeds.
//!
//! ```text
//! 0      1            5
//! | 'E'  | errno, i32 |   little endian; 'S': the filter could not be loaded; 'N': the agent could not be told;
//!                       'L': the label could not be set
//! ```
//!
//! Nothing is ever sent on success: close-on-exec does that, and cannot be late or forged by a program that
//! runs.
use crate::syscall::{self, Errno};

/// Our own failure, by the convention of env(1), nohup(1) and the container engines.
pub const EXIT_INTERNAL: i32 = 125;
const EXIT_NOT_FOUND: i32 = 127;
const EXIT_NOT_EXECUTABLE: i32 = 126;
const ENOENT: Errno = 2;
const ENOTDIR: Errno = 20;

/// The report fd, or none.
#[derive(Clone, Copy)]
pub struct Report(i32);

impl Report {
    /// Nobody listens.
    pub const NONE: Self = Self(-1);

    /// A connected socket or the writing end of a pipe.
    pub const fn to(fd: i32) -> Self {
        Self(fd)
    }

    /// The program must not inherit it: its end of file says that the program runs.
    pub fn close_on_exec(self) -> Result<(), Errno> {
        if self.0 < 0 { Ok(()) } else { syscall::set_close_on_exec(self.0) }
    }

    /// There is no program to come: the end of file says that we run.
    pub fn close(self) {
        if self.0 >= 0 {
            syscall::close(self.0);
        }
    }

    /// Sends the errno. A write that fails has no one else to go to.
    pub fn send(self, errno: Errno) {
        self.send_as(b'E', errno);
    }

    fn send_as(self, kind: u8, errno: Errno) {
        if self.0 >= 0 {
            let [a, b, c, d] = errno.to_le_bytes();
            let _ = syscall::write(self.0, &[kind, a, b, c, d]);
        }
    }

    /// Sends the errno of a seccomp(2), and exits.
    pub fn filter_failed(self, errno: Errno) -> ! {
        self.send_as(b'S', errno);
        syscall::exit_group(EXIT_INTERNAL)
    }

    /// Sends the errno of what kept the label from being set.
    pub fn label_failed(self, errno: Errno) {
        self.send_as(b'L', errno);
    }

    /// Sends the errno of what kept the listener from the agent.
    pub fn agent_failed(self, errno: Errno) {
        self.send_as(b'N', errno);
    }

    /// Sends the errno of an execve(2), and exits as a shell would: POSIX "Exit status for commands", 127 and
    /// 126.
    pub fn failed(self, errno: Errno) -> ! {
        self.send(errno);
        syscall::exit_group(match errno {
            ENOENT | ENOTDIR => EXIT_NOT_FOUND,
            _ => EXIT_NOT_EXECUTABLE,
        })
    }
}
