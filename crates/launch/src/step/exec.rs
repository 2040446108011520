//! Finds the program and executes it, through the freestanding init.
//!
//! The process that executes what the container chose must not have our own binary as its `/proc/self/exe`: a script
//! with `#!/proc/self/exe` would make the kernel execute it, and the container could then open it for writing
//! (CVE-2019-5736). So the last thing that our binary executes is the init, a few kB in a sealed memfd, which then
//! either executes the program or stays in front of it as pid 1.

use super::{Child, Describe};
use crate::fault::{Call, Done, Fault};
use crate::kit::Slot;
use crate::program_file::{executable, usable};
use crate::why::{Act, Around, Attempt};
use insula_sys::exec::{Strings, cloexec_from, decimal, execveat};
use rustix::fd::BorrowedFd;
use rustix::io::{Errno, FdFlags, fcntl_setfd};
use std::borrow::Cow;
use std::ffi::CString;
use std::fmt;

/// Looks for the program where the container's `PATH` says.
#[derive(Debug)]
pub struct Program {
    /// The name as it was given, for people.
    pub name: String,
    /// Where it may be, in order.
    pub candidates: Vec<CString>,
}

impl Program {
    pub(super) fn run(&self, at: &mut Child<'_>) -> Done {
        let mut worst = Errno::NOENT;
        for (i, path) in self.candidates.iter().enumerate() {
            match usable(path) {
                Ok(()) => {
                    at.program = Some(i);
                    return Ok(());
                }
                // execvp(3): a file that may not be executed is remembered, and the search goes on.
                Err(Errno::ACCESS) => worst = Errno::ACCESS,
                Err(Errno::NOENT | Errno::NOTDIR) => {}
                Err(errno) => return Err(Fault { call: Call::Execve, errno }),
            }
        }
        Err(Fault { call: Call::Execve, errno: worst })
    }
}

/// What was tried, where it was a refusal to execute.
pub(super) fn execute(candidates: &[CString], fault: &Fault) -> Option<Act> {
    let paths = candidates.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    (fault.call == Call::Execve).then_some(Act::Mount(Attempt::Execute { paths }))
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "find the program `{}`", self.name)
    }
}

impl Describe for Program {
    const NAME: &'static str = "program";

    fn why(&self) -> Cow<'static, str> {
        "in the container's own files and as its own user, so that what is found is what it may run".into()
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        match fault.errno {
            Errno::NOENT if self.candidates.len() == 1 => {
                Some("there is no such file in the container".into())
            }
            Errno::NOENT => Some("no directory of the container's PATH has it".into()),
            Errno::ACCESS => {
                Some("it is there, but it is no file that the container's user may execute".into())
            }
            _ => None,
        }
    }

    fn act(&self, fault: &Fault, _around: &Around<'_>) -> Option<Act> {
        execute(&self.candidates, fault)
    }
}

/// What the init does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Front {
    /// It stays as pid 1: forwards signals, reaps, reports the program's end as its own.
    Init,
    /// It executes the program in its own place.
    None,
}

/// Executes.
#[derive(Debug)]
pub struct Exec {
    /// What the init does.
    pub front: Front,
    /// The sealed memfd of the init.
    pub init: Slot,
    /// The argument vector: the init's words, then the program's own.
    pub argv: Strings,
    /// The environment.
    pub envp: Strings,
    /// The candidates of [`Program`], of which one was found.
    pub candidates: Vec<CString>,
    /// Descriptors from 3 on that the program inherits: `--preserve-fds`.
    pub preserve: u32,
}

impl Exec {
    /// Where the program's path stands in the init's argument vector.
    pub const PROGRAM_AT: usize = 3;
    /// Where the number of our end of the baton stands.
    pub const REPORT_AT: usize = 2;

    pub(super) fn run(&self, at: &mut Child<'_>) -> Done {
        let found = at.program.and_then(|i| self.candidates.get(i));
        let path = found.ok_or(Fault { call: Call::Check, errno: Errno::NOENT })?;
        let room = at.argv_room.as_mut().ok_or(Fault { call: Call::Check, errno: Errno::NOMEM })?;
        let mut space = [0u8; 16];
        let number =
            decimal(at.report.fd(), &mut space).ok_or(Fault { call: Call::Check, errno: Errno::OVERFLOW })?;
        let argv = self.argv.put([(Self::REPORT_AT, number), (Self::PROGRAM_AT, path)], room);
        cloexec_from(3 + self.preserve).map_err(Call::CloseRange.failed())?;
        // The only descriptor that passes on: the init closes it when the program runs.
        let report: BorrowedFd<'_> = at.report.fd();
        fcntl_setfd(report, FdFlags::empty()).map_err(Call::Fcntl.failed())?;
        let init = at.kit.get(self.init).map_err(Call::Check.failed())?;
        Err(Fault { call: Call::Execve, errno: execveat(init, argv, self.envp.vector()) })
    }
}

impl Exec {
    /// Would it be executed? For a rehearsal.
    pub(crate) fn check(&self, at: &Child<'_>) -> Done {
        let found = at.program.and_then(|i| self.candidates.get(i));
        let path = found.ok_or(Fault { call: Call::Check, errno: Errno::NOENT })?;
        executable(path).map_err(Call::Execve.failed())
    }
}

impl fmt::Display for Exec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("execute it")?;
        f.write_str(if self.front == Front::Init { ", behind a small init as pid 1" } else { "" })
    }
}

impl Describe for Exec {
    const NAME: &'static str = "exec";

    fn why(&self) -> Cow<'static, str> {
        match self.front {
            Front::Init => {
                "pid 1 must reap and pass signals on; it is a sealed file in memory, so that the container \
                            never sees our own binary"
                    .into()
            }
            Front::None => {
                "by way of a sealed file in memory, so that the container never sees our own binary".into()
            }
        }
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        match fault.errno {
            Errno::NOENT => Some("the file is there, so its interpreter (the `#!` line or the ELF loader) is missing".into()),
            Errno::NOEXEC => Some("it is no program of this machine: another architecture, or a script without `#!`".into()),
            Errno::ACCESS => Some("the file system may be mounted noexec, or memory files may not be executed (vm.memfd_noexec)".into()),
            _ => None,
        }
    }

    fn act(&self, fault: &Fault, _around: &Around<'_>) -> Option<Act> {
        execute(&self.candidates, fault)
    }
}
