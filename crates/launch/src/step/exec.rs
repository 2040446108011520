//! Finds the program and executes it, through the freestanding init.
//!
//! The process that executes what the container chose must not have our own binary as its `/proc/self/exe`: a script
//! with `#!/proc/self/exe` would make the kernel execute it, and the container could then open it for writing
//! (CVE-2019-5736). So the last thing that our binary executes is the init, a few kB in a sealed memfd, which then
//! either executes the program or stays in front of it as pid 1.

use super::{Child, Describe, reporting};
use crate::fault::{Call, Done, Fault};
use crate::init::Filter;
use crate::kit::{Kit, Slot};
use crate::program_file::{executable, usable};
use crate::why::{Act, Around, Attempt};
use insula_sys::exec::{Strings, cloexec_from, execveat};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd};
use rustix::fs::fstat;
use rustix::io::{Errno, FdFlags, fcntl_setfd};
use std::borrow::Cow;
use std::ffi::{CStr, CString};
use std::fmt;
use std::io::Write;

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
    /// Where in the environment `HOME` stands that [`FindHome`](super::FindHome) looks for.
    pub home_at: Option<usize>,
    /// Descriptors from 3 on that the program inherits: `--preserve-fds`.
    pub preserve: u32,
}

impl Exec {
    /// Where the program's path stands in the init's argument vector; with a label, two further.
    pub const PROGRAM_AT: usize = 4;
    /// Where, with a label, the directory stands that it is written to; behind it stands the label.
    pub const ATTR_AT: usize = 4;
    /// Where the filter stands that the init loads.
    pub const FILTER_AT: usize = 3;
    /// Where the number of our end of the baton stands.
    pub const REPORT_AT: usize = 2;

    pub(super) fn run(&self, at: &mut Child<'_>) -> Done {
        let found = at.program.and_then(|i| self.candidates.get(i));
        let path = found.ok_or(Fault { call: Call::Check, errno: Errno::NOENT })?;
        let rooms = at.rooms.as_mut().ok_or(Fault { call: Call::Check, errno: Errno::NOMEM })?;
        let too_long = Fault { call: Call::Check, errno: Errno::OVERFLOW };
        let report = reporting(at.late, at.kit, at.report);
        let mut space = [0u8; SPACE];
        let number = text(format_args!("{}", report.as_raw_fd()), &mut space).ok_or(too_long)?;
        let filter = at.filter.map(|filter| Loading::with(filter, at.kit)).transpose()?;
        let mut space = [0u8; SPACE];
        let shown = match &filter {
            Some(loading) => text(format_args!("{loading}"), &mut space).ok_or(too_long)?,
            None => c"-",
        };
        let places = [(Self::REPORT_AT, number), (Self::FILTER_AT, shown)];
        let mut space = [0u8; SPACE];
        let argv = match &at.attr {
            Some(attr) => {
                let attr = text(format_args!("{}", attr.as_raw_fd()), &mut space).ok_or(too_long)?;
                let [report, filter] = places;
                let places = [report, filter, (Self::ATTR_AT, attr), (Self::PROGRAM_AT + 2, path)];
                self.argv.put(places, &mut rooms.argv)
            }
            None => self.argv.put([places[0], places[1], (Self::PROGRAM_AT, path)], &mut rooms.argv),
        };
        let envp = match (self.home_at.zip(at.home.as_ref()), &mut rooms.envp) {
            (Some((place, home)), Some(room)) => self.envp.put([(place, home.as_c_str())], room),
            _ => self.envp.vector(),
        };
        cloexec_from(3 + self.preserve).map_err(Call::CloseRange.failed())?;
        // The only descriptors that pass on: the init closes them before the program runs.
        fcntl_setfd(report, FdFlags::empty()).map_err(Call::Fcntl.failed())?;
        for file in filter.iter().flat_map(Loading::files).chain(at.attr.as_ref().map(AsFd::as_fd)) {
            fcntl_setfd(file, FdFlags::empty()).map_err(Call::Fcntl.failed())?;
        }
        let init = at.kit.get(self.init).map_err(Call::Check.failed())?;
        Err(Fault { call: Call::Execve, errno: execveat(init, argv, envp) })
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

/// A filter as the init is told of it: the files' numbers.
struct Loading<'a> {
    filter: Filter,
    program: BorrowedFd<'a>,
    /// The socket of the agent, what it is told, and how long that is.
    agent: Option<(BorrowedFd<'a>, BorrowedFd<'a>, i64)>,
}

impl<'a> Loading<'a> {
    fn with(filter: Filter, kit: &'a Kit) -> Result<Loading<'a>, Fault> {
        let get = |slot| kit.get(slot).map_err(Call::Check.failed());
        let agent = match filter.agent {
            None => None,
            Some(agent) => {
                let (socket, state) = (get(agent.socket)?, get(agent.state)?);
                Some((socket, state, fstat(state).map_err(Call::Fstat.failed())?.st_size))
            }
        };
        Ok(Loading { filter, program: get(filter.slot)?, agent })
    }

    fn files(&self) -> impl Iterator<Item = BorrowedFd<'a>> + use<'a> {
        [Some(self.program), self.agent.map(|agent| agent.0), self.agent.map(|agent| agent.1)]
            .into_iter()
            .flatten()
    }
}

impl fmt::Display for Loading<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Filter { count, flags, .. } = self.filter;
        write!(f, "{}:{count}:{flags}", self.program.as_raw_fd())?;
        match self.agent {
            Some((socket, state, length)) => {
                write!(f, ":{}:{}:{length}", socket.as_raw_fd(), state.as_raw_fd())
            }
            None => Ok(()),
        }
    }
}

/// More than six numbers of 32 bits.
const SPACE: usize = 80;

/// Words for the init, written without allocation.
fn text<'a>(words: fmt::Arguments<'_>, space: &'a mut [u8; SPACE]) -> Option<&'a CStr> {
    (&mut space[..SPACE - 1]).write_fmt(words).ok()?;
    CStr::from_bytes_until_nul(space).ok()
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
            Errno::PERM | Errno::NOSYS if fault.call == Call::Execve => Some(
                "a seccomp filter around us, or the container's own without no_new_privs, denies execveat(2): allow it, or \
                 set no_new_privs, with which the container's filter begins later"
                    .into(),
            ),
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
