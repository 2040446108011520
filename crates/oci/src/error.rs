//! What is wrong with a configuration.

use crate::bounds::{MAX_BYTES, MAX_DEPTH};
use crate::escape::escaped;
use std::fmt;

/// Why a `config.json` was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// It has more than [`MAX_BYTES`].
    TooLarge {
        /// How many it has.
        bytes: usize,
    },
    /// Arrays and objects stand in one another more than [`MAX_DEPTH`] deep.
    TooDeep {
        /// The line, from 1.
        line: usize,
    },
    /// A string holds a NUL, which no system call can take.
    Nul {
        /// The field, as in `process.args[1]`.
        field: String,
    },
    /// It is no JSON, or more than one value.
    Syntax {
        /// What the parser says, with line and column.
        reason: String,
    },
    /// A field holds what the specification does not allow, or is missing.
    Field {
        /// The field, as in `linux.namespaces[0].type`; `.` is the whole.
        field: String,
        /// What the parser says, with line and column.
        reason: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { bytes } => {
                write!(f, "config.json: {bytes} bytes, more than the {MAX_BYTES} allowed")
            }
            Self::TooDeep { line } => {
                write!(f, "config.json: nested more than {MAX_DEPTH} deep at line {line}")
            }
            Self::Nul { field } => write!(f, "`{}`: holds a NUL character", escaped(field)),
            Self::Syntax { reason } => write!(f, "config.json: {}", escaped(reason)),
            Self::Field { field, reason } if field == "." => write!(f, "config.json: {}", escaped(reason)),
            Self::Field { field, reason } => write!(f, "`{}`: {}", escaped(field), escaped(reason)),
        }
    }
}

impl std::error::Error for Error {}
