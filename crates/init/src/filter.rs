//! The container's seccomp filter, seccomp(2), which is loaded here: so late that of all calls between it and the program
//! only execve(2) is left for it to allow (MODE `exec`), and early enough to be in force in process 1 as well.
use crate::notify::Agent;
use crate::report::Report;
use crate::syscall::{self, Errno};

/// A file of instructions, and what they are loaded with.
#[derive(Clone, Copy)]
pub struct Filter {
    fd: i32,
    count: u16,
    flags: u32,
    agent: Option<Agent>,
}

impl Filter {
    /// The filter in this descriptor: `count` instructions of eight bytes. Where it has calls for an agent to decide, that is
    /// who gets the listener, and `flags` ask for one.
    pub const fn new(fd: i32, count: u16, flags: u32, agent: Option<Agent>) -> Self {
        Self { fd, count, flags, agent }
    }

    /// Loads it, for us and all that we beget. Nothing but execve(2) may be called behind it without need: a call that it
    /// does not know may be our death.
    fn load(self, report: Report) -> Result<(), Errno> {
        let length = usize::from(self.count) * 8;
        let first = syscall::map(self.fd, length)?;
        // Closed before the filter could say no; the mapping stays, and ends with execve(2).
        syscall::close(self.fd);
        // SAFETY: the file holds `count` instructions, whose mapping is never undone; it is sealed, so that they stay.
        let load = || unsafe { syscall::seccomp(self.flags, self.count, first) };
        match self.agent {
            Some(agent) => agent.hand_over(report, load),
            None => load().map(drop),
        }
    }

    /// Loads the filter, if there is one; without it there is no program.
    pub fn begin(filter: Option<Self>, report: Report) {
        if let Some(filter) = filter
            && let Err(errno) = filter.load(report)
        {
            report.filter_failed(errno)
        }
    }
}
