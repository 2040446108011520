//! Whom a word means where two are compared: `host`, or a subject, as a process with all that it has or as namespaces.

use crate::error::Error;
use crate::id::Identity;
use crate::names;
use crate::pids::proc_is_ours;
use crate::process::Process;
use crate::subject::{Of, Part, Subject};
use insula_launch::plan::Kind;
use rustix::fd::OwnedFd;
use rustix::fs::fstat;
use rustix::io::Errno;
use std::ffi::OsStr;

/// The word for the machine's own view.
pub const HOST: &str = "host";

/// The inode of the first pid namespace of a machine: `PROC_PID_INIT_INO` of the kernel.
const FIRST_PID_NAMESPACE: u64 = 0xefff_fffc;

/// Who is meant.
#[derive(Debug)]
pub struct Party {
    /// The word.
    pub word: String,
    /// What it leads to.
    pub whom: Whom,
}

/// What a word leads to.
#[derive(Debug)]
pub enum Whom {
    /// A process, with all that it has.
    Process(Process),
    /// The machine's own view: process 1, or ourselves where that may not be looked at.
    Host(Process, Host),
    /// Namespaces without a process: those of a name, or the one of a file.
    Namespaces(Vec<(Kind, OwnedFd)>),
}

/// What `host` is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host {
    /// Process 1 of the machine.
    Machine,
    /// Process 1 of the pid namespace that we are in, which is not the machine's.
    Container,
    /// Process 1 may not be looked at: the view that we are called in.
    Ours,
}

impl Party {
    /// Finds out: `host`, or what [`Subject::find`] takes. Names go before pids, as with ip(8). A name of which a part is
    /// stale is refused.
    pub fn find(word: &str) -> Result<Party, Error> {
        let whom = if word == HOST {
            host()?
        } else if let Some(process) = process(word)? {
            Whom::Process(process)
        } else {
            of(Subject::find(OsStr::new(word))?)?
        };
        Ok(Party { word: word.to_owned(), whom })
    }

    /// The process, if there is one.
    pub fn process(&self) -> Option<&Process> {
        match &self.whom {
            Whom::Process(process) | Whom::Host(process, _) => Some(process),
            Whom::Namespaces(_) => None,
        }
    }

    /// The namespace of a kind. [`Error::NoPart`]: the name or file has none of this kind.
    pub fn namespace(&self, kind: Kind) -> Result<OwnedFd, Error> {
        match &self.whom {
            Whom::Namespaces(parts) => {
                let part = parts.iter().find(|(of, _)| *of == kind);
                let (_, file) = part.ok_or_else(|| Error::NoPart { word: self.word.clone(), kind })?;
                file.try_clone().map_err(|error| {
                    let errno = Errno::from_io_error(&error).unwrap_or(Errno::IO);
                    Error::File("open again the namespace", self.word.clone(), errno)
                })
            }
            Whom::Process(process) | Whom::Host(process, _) => process.namespace(kind).map_err(|errno| {
                Error::process(format!("look at the {} namespace", kind.name()), process.pid, errno)
            }),
        }
    }

    /// What people call its namespace of a kind, as it stands in messages.
    pub fn describe(&self, kind: Kind) -> String {
        let kind = kind.name();
        match &self.whom {
            Whom::Process(process) => format!("the {kind} namespace of process {}", process.pid),
            Whom::Host(..) => format!("the host's {kind} namespace"),
            Whom::Namespaces(_) => format!("the {kind} namespace `{}`", self.word),
        }
    }

    /// What is to be said of `host` before anything else.
    pub fn note(&self) -> Option<&'static str> {
        match &self.whom {
            Whom::Host(_, Host::Container) => Some(
                "`host` is process 1 of the pid namespace that insula is called in; it is not the machine's",
            ),
            Whom::Host(_, Host::Ours) => {
                Some("`host` is the view that insula is called in: process 1 may not be looked at")
            }
            _ => None,
        }
    }
}

/// The process of a pid, whatever may be looked at of it; `None`: the word means something else.
fn process(word: &str) -> Result<Option<Process>, Error> {
    let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
    let Some(pid) = word.parse().ok().filter(|pid| is_number && *pid > 0) else { return Ok(None) };
    if names::find(word)?.is_some() {
        return Ok(None);
    }
    match Process::open(pid) {
        Err(Error::NoProcess(_)) => Ok(None),
        process => process.map(Some),
    }
}

/// With the process, where it is one; else the namespaces.
fn of(subject: Subject) -> Result<Whom, Error> {
    if let Of::Process(pid) = subject.of {
        return Ok(Whom::Process(Process::open(
            i32::try_from(pid).map_err(|_| Error::NoProcess(i32::MAX))?,
        )?));
    }
    let mut parts = Vec::new();
    for Part { kind, file, fault, identity } in subject.parts {
        match (file, fault) {
            (Some(file), _) => parts.push((kind, file)),
            (None, Some(fault)) => return Err(fault),
            (None, None) => return Err(unopened(kind, identity)),
        }
    }
    Ok(Whom::Namespaces(parts))
}

fn host() -> Result<Whom, Error> {
    let first = Process::open(1)?;
    match first.namespace(Kind::Pid) {
        Ok(file) if fstat(&file).is_ok_and(|stat| stat.st_ino == FIRST_PID_NAMESPACE) => {
            Ok(Whom::Host(first, Host::Machine))
        }
        Ok(_) => Ok(Whom::Host(first, Host::Container)),
        Err(_) => {
            let own = if proc_is_ours() {
                rustix::process::getpid().as_raw_nonzero().get()
            } else {
                own_in_proc()?
            };
            Ok(Whom::Host(Process::open(own)?, Host::Ours))
        }
    }
}

/// Our pid as /proc has it, where that is of another pid namespace.
fn own_in_proc() -> Result<i32, Error> {
    let link = rustix::fs::readlink("/proc/self", Vec::new())
        .map_err(|errno| Error::File("read", "/proc/self".to_owned(), errno))?;
    link.to_str().ok().and_then(|pid| pid.parse().ok()).ok_or(Error::NoProcess(0))
}

/// It stands in a table of mounts that we may not enter.
fn unopened(kind: Kind, identity: Option<Identity>) -> Error {
    Error::Asked {
        what: format!("{}:[{}]", kind.name(), identity.map_or(0, |identity| identity.inode)),
        reason: "this namespace is mounted where we may not open it".to_owned(),
        hint: Some("be root, or name a process that is in it".to_owned()),
    }
}
