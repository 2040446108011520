//! A container's id: a word that is safe as a file name, on a command line and in a log.

use super::error::Error;
use std::fmt;

/// The longest id, in bytes.
const MOST_BYTES: usize = 1024;

/// An id that is one: what runc takes, and not `.` or `..`, which name directories.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id(String);

impl Id {
    /// Letters, digits, `_`, `+`, `-` and `.`.
    pub fn parse(text: &str) -> Result<Id, Error> {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"_+-.".contains(&byte);
        let is_id = !text.is_empty()
            && text.len() <= MOST_BYTES
            && text.bytes().all(letter)
            && !matches!(text, "." | "..");
        if is_id { Ok(Id(text.to_owned())) } else { Err(Error::Id(text.to_owned())) }
    }

    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_safe_word() {
        for text in ["a", "web-1", "a.b", "..a", "A_b+c", "0123"] {
            assert!(Id::parse(text).is_ok(), "{text}");
        }
        for text in ["", ".", "..", "a/b", "a b", "a\n", "é", "a\0", &"x".repeat(1025)] {
            assert!(Id::parse(text).is_err(), "{text:?}");
        }
    }
}
