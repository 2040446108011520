//! Whom a word means: a name, a process, a namespace file, or `host`.

use crate::error::Error;
use crate::name;
use crate::pids::proc_is_ours;
use crate::process::Process;
use insula_launch::plan::Kind;
use insula_sys::nsfs;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags, fstat, open};
use rustix::io::Errno;
use std::path::Path;

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
    /// Finds out. Names go before pids, as with ip(8).
    pub fn find(word: &str) -> Result<Party, Error> {
        let whom = if word == HOST {
            host()?
        } else if word.contains('/') {
            let (kind, file) = namespace_file(Path::new(word))?;
            Whom::Namespaces(vec![(kind, file)])
        } else if let Some(path) = name::lookup(Kind::Net, word) {
            let (kind, file) = namespace_file(&path)?;
            Whom::Namespaces(vec![(kind, file)])
        } else {
            let pid =
                word.parse().ok().filter(|pid| *pid > 0 && word.bytes().all(|byte| byte.is_ascii_digit()));
            Whom::Process(Process::open(pid.ok_or_else(|| unknown(word))?)?)
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

/// Opens a namespace file, and finds its kind out.
fn namespace_file(path: &Path) -> Result<(Kind, OwnedFd), Error> {
    let failed = |errno| Error::File("open the namespace", path.display().to_string(), errno);
    // O_NONBLOCK: what is named may be a FIFO.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = open(path, flags, Mode::empty()).map_err(failed)?;
    let flag = match nsfs::kind(file.as_fd()) {
        Err(Errno::NOTTY) => return Err(no_namespace(path)),
        flag => flag.map_err(failed)?,
    };
    let kind = Kind::ALL.into_iter().find(|kind| u64::try_from(flag) == Ok(kind.flag()));
    Ok((kind.ok_or_else(|| no_namespace(path))?, file))
}

fn no_namespace(path: &Path) -> Error {
    Error::Asked {
        what: path.display().to_string(),
        reason: "it is no namespace".to_owned(),
        hint: Some(
            "the file of a namespace is /proc/PID/ns/KIND, or one that a namespace is mounted on".to_owned(),
        ),
    }
}

fn unknown(word: &str) -> Error {
    Error::Asked {
        what: word.to_owned(),
        reason: "there is no such name, process or file".to_owned(),
        hint: Some(
            "write a name of /run/netns, the pid of a process, the path of a namespace file, or `host`"
                .to_owned(),
        ),
    }
}
