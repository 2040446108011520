//! What a journal holds, and what can go wrong with it.

use crate::error::Named;
use rustix::io::Errno;
use std::fmt;

/// What proves that a thing is the one that was made, whatever has its name now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// A file or directory: device and inode.
    File(u64, u64),
    /// A namespace: its 64-bit id.
    Namespace(u64),
    /// A network device: its index.
    Link(u32),
}

/// One thing that was made, or was about to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Who made it.
    pub owner: String,
    /// Its kind: a word of the storey that knows how to undo it.
    pub kind: String,
    /// What the undoing needs: a path, a name.
    pub payload: String,
    /// Its identity; `None` if the owner died between intent and effect, or just after the effect.
    pub identity: Option<Identity>,
    /// It was made before the machine last started: what lives in the kernel is gone, files may be there.
    pub other_boot: bool,
}

/// A kind and its undoing. Undoing what is not there is no error.
pub type Undo = (&'static str, fn(&Trace) -> Result<(), Errno>);

/// What can go wrong with the Book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// A call on a file of the Book failed: what was tried, the path, the errno.
    File(&'static str, String, Errno),
    /// The owner's name is taken by a living process.
    Taken(String),
    /// The directory is not ours alone: another's, or open to others.
    NotOurs(String),
    /// A name, kind or payload that cannot be written down: empty, or with a control character or slash.
    Unwritable(String),
    /// A thing of a dead owner could not be undone.
    Undo(Box<Trace>, Errno),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::File(what, path, errno) => write!(f, "{what} `{path}`: {}", Named(*errno)),
            Error::Taken(owner) => write!(f, "`{owner}` is in use by a container that runs"),
            Error::NotOurs(path) => write!(f, "`{path}` belongs to another user, or others may write to it"),
            Error::Unwritable(text) => write!(f, "`{text}` cannot stand in the journal"),
            Error::Undo(trace, errno) => {
                write!(
                    f,
                    "undo the {} `{}` of `{}`: {}",
                    trace.kind,
                    trace.payload,
                    trace.owner,
                    Named(*errno)
                )
            }
        }
    }
}

impl std::error::Error for Error {}
