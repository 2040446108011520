//! What can be wrong with an `insula link`, and what to do about it.

use insula_launch::why::Cause;
use rustix::io::Errno;
use std::borrow::Cow;
use std::fmt;

/// What can be wrong. What it quotes is escaped when it is shown.
#[derive(Debug)]
pub enum Error {
    /// The network refused.
    Net(insula_net::error::Error),
    /// A name does not lead to its network namespace.
    Name(insula_namespaces::error::Error),
    /// A word leads to no network namespace.
    Unknown {
        /// The word.
        word: String,
        /// The names that there are.
        names: Vec<String>,
    },
    /// The file behind a word cannot be opened.
    Open {
        /// The file.
        path: String,
        /// Why.
        errno: Errno,
    },
    /// The file behind a word is no network namespace.
    NoNamespace {
        /// The file.
        path: String,
    },
    /// A word is not of the form that it should have.
    Form {
        /// The word.
        word: String,
        /// What is wrong with it.
        reason: &'static str,
        /// What could be written.
        form: &'static str,
    },
    /// Two things that were said contradict one another.
    Conflict {
        /// What was said, in words.
        what: String,
        /// What to do.
        cure: &'static str,
    },
}

impl Error {
    /// The cause, looked for now, on this process.
    pub fn cause(&self) -> Option<Cause> {
        match self {
            Error::Net(error) => error.cause(),
            _ => None,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<Cow<'static, str>> {
        Some(match self {
            Error::Net(error) => return error.hint().map(Cow::Borrowed),
            Error::Name(error) => return error.hint().map(Cow::Owned),
            Error::Unknown { names, .. } if names.is_empty() => {
                "`insula netns add NAME` makes one; a process is written as its pid, a file as its path, ours as `host`".into()
            }
            Error::Unknown { names, .. } => {
                format!("those with names are {}; a process is written as its pid, a file as its path", names.join(", ")).into()
            }
            Error::Open { errno: Errno::ACCESS | Errno::PERM, .. } => {
                "the process is another user's: be root, or that user".into()
            }
            Error::Open { errno: Errno::NOENT, path } if path.starts_with("/proc/") => {
                "there is no such process".into()
            }
            Error::Open { .. } => return None,
            Error::NoNamespace { .. } => {
                "a namespace's file is mounted in /run/netns, or /proc/PID/ns/net".into()
            }
            Error::Form { form, .. } => format!("write {form}").into(),
            Error::Conflict { cure, .. } => (*cure).into(),
        })
    }
}

impl From<insula_net::error::Error> for Error {
    fn from(error: insula_net::error::Error) -> Error {
        Error::Net(error)
    }
}

impl From<insula_namespaces::error::Error> for Error {
    fn from(error: insula_namespaces::error::Error) -> Error {
        Error::Name(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Name(error) => error.fmt(f),
            Error::Net(error) => error.fmt(f),
            Error::Unknown { word, .. } => {
                write!(f, "there is no network namespace `{word}`: it is no name, and no process")
            }
            Error::Open { path, errno } => {
                write!(f, "open the network namespace `{path}`: {}", insula_launch::error::Named(*errno))
            }
            Error::NoNamespace { path } => write!(f, "`{path}` is no network namespace"),
            Error::Form { word, reason, .. } => write!(f, "`{word}`: {reason}"),
            Error::Conflict { what, .. } => f.write_str(what),
        }
    }
}

impl std::error::Error for Error {}
