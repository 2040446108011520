//! What can go wrong with namespaces.

use crate::names::trouble::Trouble;
use insula_launch::error::{Failure, Named};
use insula_launch::fault::{Call, Fault};
use insula_launch::plan::Kind;
use insula_launch::step::unshare::refused_kinds;
use insula_launch::why::{self, Act, Attempt, Cause, Refusal, Subject};
use rustix::io::Errno;
use std::fmt;
use std::path::PathBuf;

/// Who may look into a process: ptrace(2), "Ptrace access mode checking".
pub const MAY_NOT_LOOK: &str = "looking into a process wants its uid and gid, and its capabilities to be among ours; or CAP_SYS_PTRACE in \
                            its user namespace. Security modules (Yama's kernel.yama.ptrace_scope) and `hidepid` of /proc may ask for more (ptrace(2))";

/// An error of this storey.
#[derive(Debug)]
pub enum Error {
    /// What was asked for makes no sense: the flag or word, and the reason.
    Asked {
        /// The flag or word as it was written.
        what: String,
        /// Why not: lower case, no full stop.
        reason: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// A call on a file failed: what was tried, the path, the errno.
    File(&'static str, String, Errno),
    /// A process may not be looked at, or not so: what was tried, its pid, the errno.
    Process {
        /// What was tried.
        what: String,
        /// The pid.
        pid: i32,
        /// The errno.
        errno: Errno,
        /// The cause, if a look at both processes has shown it.
        found: Option<Box<Cause>>,
    },
    /// There is no such process.
    NoProcess(i32),
    /// A process has no pid in a pid namespace: it is in another one, and not below it.
    NotVisible {
        /// Its pid with us.
        pid: i32,
        /// The namespace, in words.
        namespace: String,
    },
    /// Nobody that we see is called so in a pid namespace.
    NoPid {
        /// The pid there.
        pid: i32,
        /// The namespace, in words.
        namespace: String,
        /// How many processes with such a number could not be looked at.
        unseen: usize,
    },
    /// What a word names has no namespace of a kind.
    NoPart {
        /// The word.
        word: String,
        /// The kind.
        kind: Kind,
    },
    /// The launch failed; nothing of it is left.
    Launch(Box<Failure>),
    /// The network's kernel side refused.
    Net(insula_net::error::Error),
    /// A call on the directory of names, or on a file in it: what was tried, the path, the errno.
    Netns(&'static str, PathBuf, Errno),
    /// A file that should be a network namespace is none.
    NoNamespace(PathBuf),
    /// A new namespace of this kind was refused.
    Fresh {
        /// The kind.
        kind: Kind,
        /// The errno.
        errno: Errno,
        /// The cause, if a look at this process has shown it.
        found: Option<Box<Cause>>,
    },
    /// Something is wrong with a name.
    Name {
        /// The name.
        name: String,
        /// What.
        trouble: Trouble,
    },
    /// A name is not taken away while there is hardware behind it.
    Physical {
        /// The name.
        name: String,
        /// The devices.
        devices: Vec<String>,
    },
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Error {
        Error::Launch(Box::new(failure))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Asked { what, reason, .. } => write!(f, "`{what}`: {reason}"),
            Error::File(what, path, errno) => write!(f, "{what} `{path}`: {}", Named(*errno)),
            Error::Process { what, pid, errno, .. } => {
                write!(f, "{what} of process {pid}: {}", Named(*errno))
            }
            Error::NoProcess(pid) => write!(f, "there is no process {pid}"),
            Error::NotVisible { pid, namespace } => {
                write!(f, "process {pid} is not visible in {namespace}: it has no pid there")
            }
            Error::NoPid { pid, namespace, unseen: 0 } => {
                write!(f, "there is no process {pid} in {namespace}, or it has no pid here")
            }
            Error::NoPid { pid, namespace, unseen } => write!(
                f,
                "no process that may be looked at is {pid} in {namespace}; {unseen} with such a number may not"
            ),
            Error::NoPart { word, kind } => write!(f, "`{word}` has no {} namespace", kind.name()),
            Error::Launch(failure) => failure.fmt(f),
            Error::Net(error) => error.fmt(f),
            Error::Netns(what, path, errno) => write!(f, "{what} `{}`: {}", path.display(), Named(*errno)),
            Error::NoNamespace(path) => write!(f, "`{}` is no network namespace", path.display()),
            Error::Fresh { kind, errno, .. } => {
                write!(f, "make a {} namespace: {}", kind.name(), Named(*errno))
            }
            Error::Name { name, trouble } => trouble.tell(name, f),
            Error::Physical { name, devices } => {
                let devices: Vec<String> = devices.iter().map(|device| format!("`{device}`")).collect();
                write!(f, "`{name}` is not deleted: it has {}, which is hardware", devices.join(", "))
            }
        }
    }
}

impl std::error::Error for Error {}

impl Error {
    /// Something is wrong with a name.
    pub(crate) fn name(name: &str, trouble: Trouble) -> Error {
        Error::Name { name: name.to_owned(), trouble }
    }

    /// The network namespace of a process cannot be looked at.
    pub(crate) fn network_of(pid: &str, errno: Errno) -> Error {
        // No number is our own.
        let pid = pid.parse().unwrap_or_else(|_| rustix::process::getpid().as_raw_nonzero().get());
        Error::process("look at the network namespace".to_owned(), pid, errno)
    }

    /// A process may not be looked at, or not so; looks for the cause.
    pub(crate) fn process(what: String, pid: i32, errno: Errno) -> Error {
        Error::Process { what, pid, errno, found: found(Act::Look(pid), Call::Openat2, errno) }
    }

    /// A new namespace was refused to this process; looks for the cause.
    pub(crate) fn fresh(kind: Kind, errno: Errno) -> Error {
        Error::Fresh { kind, errno, found: found(Act::Make(vec![kind]), Call::Unshare, errno) }
    }

    /// Was it that the program could not be executed? Then the errno.
    pub fn of_program(&self) -> Option<Errno> {
        match self {
            Error::Launch(failure) => failure.of_program(),
            _ => None,
        }
    }

    /// The cause, where the look at the process that failed has shown it.
    pub fn cause(&self) -> Option<&Cause> {
        match self {
            Error::Launch(failure) => failure.found.as_deref(),
            Error::Process { found, .. } | Error::Fresh { found, .. } => found.as_deref(),
            _ => None,
        }
    }

    /// The cause, also where no launch failed: looked for now, on this process.
    pub fn found(&self) -> Option<Cause> {
        match self {
            Error::Net(error) => error.cause(),
            Error::Netns(what, path, errno) => {
                let path = path.to_string_lossy().into_owned();
                let (attempt, call) = match *what {
                    "make" | "make the directory" | "remove" | "open to everybody" => {
                        (Attempt::Write { path }, Call::Mkdirat)
                    }
                    "mount the network namespace on" | "mount on itself" | "share the mounts below" => {
                        (Attempt::Attach { target: path }, Call::Mount)
                    }
                    _ => (Attempt::Reach { path }, Call::Openat2),
                };
                found(Act::Mount(attempt), call, *errno).map(|found| *found)
            }
            error => error.cause().cloned(),
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        self.cause().map(Cause::cure).or_else(|| self.general_hint())
    }

    /// Where the cause was not found.
    fn general_hint(&self) -> Option<String> {
        match self {
            Error::Asked { hint, .. } => hint.clone(),
            Error::Launch(failure) => failure.hint.clone(),
            Error::Net(error) => error.hint().map(str::to_owned),
            Error::Netns(what, _, errno) => named(what, *errno).map(str::to_owned),
            Error::NoNamespace(_) => Some(
                "an `add` that was killed leaves such a file: `insula netns delete` removes it, and `add` makes it anew"
                    .to_owned(),
            ),
            Error::Fresh { errno, .. } => refused_kinds(*errno, false).map(str::to_owned),
            Error::Name { name, trouble } => trouble.hint(name),
            Error::Physical { .. } => Some(
                "it would be lost with the last process of the namespace, or end up bare elsewhere: \
                 `--move-devices-back` brings it here with its addresses, `--force` leaves it to the kernel"
                    .to_owned(),
            ),
            Error::Process { errno: Errno::ACCESS | Errno::PERM, .. } => Some(MAY_NOT_LOOK.to_owned()),
            Error::NoProcess(_) => {
                Some("pids are those of the pid namespace that /proc shows: `ps` lists them".to_owned())
            }
            Error::NotVisible { .. } => Some(
                "a process is visible in its own pid namespace and in those above it only: without a namespace, \
                 `insula ns pid PID` shows at which levels it has a pid"
                    .to_owned(),
            ),
            Error::NoPid { unseen: 0, .. } => Some(
                "a process is visible in its own pid namespace and in those above it only: one beside or above ours \
                 has no pid here"
                    .to_owned(),
            ),
            Error::NoPart { .. } => Some("a process has one of each kind: write its pid".to_owned()),
            Error::NoPid { .. } => Some(MAY_NOT_LOOK.to_owned()),
            Error::File(..) | Error::Process { .. } => None,
        }
    }
}

fn found(act: Act, call: Call, errno: Errno) -> Option<Box<Cause>> {
    why::find(&Refusal { act, fault: Fault { call, errno } }, &Subject::ourselves()).map(Box::new)
}

/// What to do where the directory of names refuses.
fn named(what: &str, errno: Errno) -> Option<&'static str> {
    Some(match (what, errno) {
        ("open", Errno::ACCESS) => {
            "only root may look at it: an `add` that was killed leaves such a file, and `insula netns delete` removes it"
        }
        ("watch", Errno::MFILE | Errno::NOSPC) => {
            "a limit is reached: sysctl fs.inotify.max_user_instances, fs.inotify.max_user_watches"
        }
        (_, Errno::ACCESS | Errno::PERM) => {
            "names of network namespaces are root's (CAP_SYS_ADMIN, and to write in /run); without a name, \
             `insula unshare -Urn PROGRAM` runs a program in a new one"
        }
        ("remove", Errno::BUSY) => {
            "its namespace is mounted there and cannot be unmounted from here: that mount came from another mount \
             namespace with more rights; delete the name where it was added"
        }
        (_, Errno::ROFS) => "the file system is mounted read-only",
        (_, Errno::NOSPC) => "there is no room, or there are too many mounts (sysctl fs.mount-max)",
        _ => return None,
    })
}
