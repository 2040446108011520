//! What can be wrong with an expression, and with what it is asked about.

use std::fmt;

/// Why an expression was not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The place in the expression, in bytes.
    pub at: usize,
    /// What is wrong there.
    pub reason: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at character {}", self.reason, self.at + 1)
    }
}

/// The values of a row were not what the expression compares them with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mismatch;
