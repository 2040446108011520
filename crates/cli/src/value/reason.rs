//! Why a value is refused, in the words of the small language that it is written in.

use insula_oci::escaped;
use std::fmt;

/// Why a value is refused; what it quotes is escaped when it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason(String);

impl Reason {
    /// A reason in words: lower case, no full stop.
    pub fn new(words: impl Into<String>) -> Self {
        Self(words.into())
    }

    /// The same, of a part of the value, which is quoted in front.
    pub fn of(part: &str, words: &str) -> Self {
        Self(format!("`{part}` {words}"))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        escaped(&self.0).fmt(f)
    }
}
