//! Why something was refused: the cause, found by looking at the process that failed, and the cure.
//!
//! A step that fails says what it has tried ([`Act`]). [`find`] looks at the process while it still waits ([`Subject`]), in
//! a file for each field: each of its causes has a key for programs, a sentence with the value that was found, and a cure.
//! What is not seen is not said: then the step's own hint stands.

mod act;
mod key;
pub mod namespaces;
mod status;
mod subject;

pub use act::{Act, Around, Enter, Ids, Map, Refusal, Writer};
pub use status::Status;
pub use subject::{Caller, Subject, sysctl};

use namespaces::NewNamespace;
use std::fmt;

/// A cause, by its field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// A new namespace, or a new process in it, was refused.
    NewNamespace(NewNamespace),
}

impl Cause {
    /// The word for programs: kebab-case, and always the same.
    pub fn key(&self) -> &'static str {
        match self {
            Cause::NewNamespace(cause) => cause.key(),
        }
    }

    /// What to do about it.
    pub fn cure(&self) -> String {
        match self {
            Cause::NewNamespace(cause) => cause.cure(),
        }
    }

    /// Every key there is.
    pub fn keys() -> impl Iterator<Item = &'static str> {
        NewNamespace::KEYS.iter().copied()
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::NewNamespace(cause) => cause.fmt(f),
        }
    }
}

/// Looks for the cause. `None`: nothing that is seen explains it.
pub fn find(refusal: &Refusal, subject: &Subject) -> Option<Cause> {
    match &refusal.act {
        Act::Make(kinds) => namespaces::made(kinds, refusal.fault, subject).map(Cause::NewNamespace),
        Act::Fork | Act::Enter(_) | Act::Map(_) | Act::Setgroups(_) | Act::SetIds { .. } => None,
    }
}
