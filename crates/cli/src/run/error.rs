//! What is wrong with a command line, and how it is put right.
//!
//! A mini-language knows only its own text: it answers with a [`Reason`]. The flag and the form that would have been
//! right are added where the flag is known, so that every message names flag, value and cure.

use crate::value::reason::Reason;
use insula_oci::escaped;
use std::fmt;

/// Why a request cannot be made of a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// A flag's value is refused.
    Value {
        /// The flag with its dashes.
        flag: &'static str,
        /// The value as it was written.
        value: String,
        /// What is wrong with it.
        reason: Reason,
        /// What could be written: behind `write`.
        form: &'static str,
    },
    /// Two flags contradict one another.
    Conflict {
        /// The one, with its value.
        flag: String,
        /// The other, with its value.
        with: String,
        /// What to do.
        cure: &'static str,
    },
    /// ROOT is none.
    Root {
        /// The word.
        word: String,
        /// What is wrong with it.
        reason: Reason,
        /// What to do.
        cure: String,
    },
    /// A profile of system calls cannot be read, or is none.
    Profile {
        /// Its file's path.
        path: String,
        /// What is wrong with it.
        reason: Reason,
    },
    /// A file of variables cannot be read.
    EnvFile {
        /// Its path.
        path: String,
        /// What the system says.
        reason: Reason,
    },
    /// A line of a file of variables is refused.
    EnvLine {
        /// The file's path.
        path: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: Reason,
    },
}

impl Error {
    /// A flag's value is refused.
    pub fn value(flag: &'static str, value: &str, reason: Reason, form: &'static str) -> Self {
        Self::Value { flag, value: value.to_owned(), reason, form }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value { flag, value, reason, form } => {
                write!(f, "`{flag} {}`: {reason}; write {form}", escaped(value))
            }
            Self::Conflict { flag, with, cure } => {
                write!(f, "`{}` contradicts `{}`; {cure}", escaped(flag), escaped(with))
            }
            Self::Root { word, reason, cure } => {
                write!(f, "`{}`: {reason}; {}", escaped(word), escaped(cure))
            }
            Self::Profile { path, reason } => {
                write!(f, "`--security-opt seccomp={}`: {reason}", escaped(path))
            }
            Self::EnvFile { path, reason } => write!(f, "`--env-file {}`: {reason}", escaped(path)),
            Self::EnvLine { path, line, reason } => {
                write!(f, "`--env-file {}`: line {line}: {reason}", escaped(path))
            }
        }
    }
}

impl std::error::Error for Error {}
