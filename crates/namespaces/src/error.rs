//! What can go wrong with namespaces.

use insula_launch::error::{Failure, Named};
use rustix::io::Errno;
use std::fmt;

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
            Error::File(..) => None,
        }
    }
}
