//! What can go wrong with namespaces.

use insula_launch::error::{Failure, Named};
use rustix::io::Errno;
use std::fmt;

/// ptrace(2), "Ptrace access mode checking".
const MAY_NOT_LOOK: &str = "looking into a process wants its uid and gid, and its capabilities to be among ours; or CAP_SYS_PTRACE in \
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
    },
    /// The launch failed; nothing of it is left.
    Launch(Box<Failure>),
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
            Error::Process { what, pid, errno } => write!(f, "{what} of process {pid}: {}", Named(*errno)),
            Error::Launch(failure) => failure.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl Error {
    /// Was it that the program could not be executed? Then the errno.
    pub fn of_program(&self) -> Option<Errno> {
        match self {
            Error::Launch(failure) => failure.of_program(),
            _ => None,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Asked { hint, .. } => hint.clone(),
            Error::Launch(failure) => failure.hint.clone(),
            Error::Process { errno: Errno::ACCESS | Errno::PERM, .. } => Some(MAY_NOT_LOOK.to_owned()),
            Error::File(..) | Error::Process { .. } => None,
        }
    }
}
