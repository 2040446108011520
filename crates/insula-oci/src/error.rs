//! What can go wrong on this command line.

use insula_oci::escaped;
use insula_runtime::container;
use insula_runtime::foreground;
use std::fmt;

/// A command that failed.
#[derive(Debug)]
pub enum Error {
    /// A flag that there is not, or a value that it does not take.
    Flag {
        /// The flag with its dashes.
        flag: String,
        /// Why.
        reason: String,
    },
    /// The words cannot be parsed.
    Parse(lexopt::Error),
    /// Too few words or too many.
    Words {
        /// The verb.
        verb: String,
        /// What it takes.
        wanted: &'static str,
        /// How many there were.
        got: usize,
    },
    /// No such verb.
    Verb(String),
    /// A verb of runc's that this version does not do.
    NotDone(&'static str),
    /// The container's side.
    Container(container::Error),
    /// Watching it.
    Watch(foreground::Error),
    /// A file of the caller's: what was tried, its path, why.
    File(&'static str, String, String),
}

impl From<container::Error> for Error {
    fn from(error: container::Error) -> Error {
        Error::Container(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Flag { flag, reason } => write!(f, "`{}`: {}", escaped(flag), escaped(reason)),
            Error::Parse(error) => write!(f, "{}", escaped(&error.to_string())),
            Error::Words { verb, wanted, got } => write!(f, "\"{verb}\" requires {wanted}, got {got}"),
            Error::Verb(verb) => write!(f, "no such command: `{}`", escaped(verb)),
            Error::NotDone(verb) => write!(f, "{verb}: this version does not drive criu"),
            Error::Container(error) => error.fmt(f),
            Error::Watch(error) => error.fmt(f),
            Error::File(what, path, why) => write!(f, "{what} `{}`: {}", escaped(path), escaped(why)),
        }
    }
}

impl Error {
    /// The cause, where a look at what was refused has shown it.
    pub fn cause(&self) -> Option<String> {
        match self {
            Error::Container(error) => error.cause(),
            _ => None,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Flag { .. } | Error::Parse(_) | Error::Words { .. } | Error::Verb(_) => {
                Some("`--help` lists what there is".to_owned())
            }
            Error::NotDone(_) => Some("runc does, with the same bundle; nothing was changed".to_owned()),
            Error::Container(error) => error.hint(),
            Error::Watch(error) => error.hint().map(str::to_owned),
            Error::File(..) => None,
        }
    }
}
