//! What can go wrong in the runtime.

use crate::foreground;
use insula_launch::error::{Failure, Named};
use insula_launch::journal;
use insula_launch::why::Cause;
use insula_oci::escaped;
use rustix::io::Errno;
use std::fmt;

/// A fault of a spec: the field, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// The field's path in config.json: `mounts[2].destination`.
    pub field: String,
    /// The reason, lower case, no full stop.
    pub reason: String,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", escaped(&self.field), escaped(&self.reason))
    }
}

/// An error of the runtime.
#[derive(Debug)]
pub enum Error {
    /// The spec has these faults; nothing was done.
    Invalid(Vec<Invalid>),
    /// The launch failed; nothing of it is left.
    Launch(Box<Failure>),
    /// A namespace to enter could not be opened.
    Namespace {
        /// Its path.
        path: String,
        /// Why.
        errno: Errno,
    },
    /// The name of a container could not be taken, or what it left could not be removed.
    Journal(journal::Error),
    /// Watching the running container failed.
    Watch(foreground::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Invalid(faults) => {
                for (i, fault) in faults.iter().enumerate() {
                    write!(f, "{}{fault}", if i == 0 { "" } else { "\n" })?;
                }
                Ok(())
            }
            Error::Launch(failure) => write!(f, "{}", escaped(&failure.to_string())),
            Error::Namespace { path, errno } => {
                write!(f, "namespace `{}`: {}", escaped(path), Named(*errno))
            }
            Error::Journal(error) => write!(f, "{}", escaped(&error.to_string())),
            Error::Watch(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl Error {
    /// The cause, where the look at the process that failed has shown it.
    pub fn cause(&self) -> Option<&Cause> {
        match self {
            Error::Launch(failure) => failure.found.as_deref(),
            _ => None,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Launch(failure) => failure.hint.clone(),
            Error::Namespace { errno: Errno::NOENT, .. } => {
                Some("no process, name or file of that kind is there; `lsns` lists what is".to_owned())
            }
            Error::Namespace { errno: Errno::INVAL, .. } => {
                Some("the file is no namespace of this kind".to_owned())
            }
            Error::Journal(journal::Error::Taken(_)) => {
                Some("choose another, or wait until that container has ended".to_owned())
            }
            Error::Watch(error) => error.hint().map(str::to_owned),
            _ => None,
        }
    }
}
