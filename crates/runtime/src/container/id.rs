//! A container's id: a word that is safe as a file name, on a command line and in a log.

use super::error::Error;
use std::fmt;

/// The longest id, in bytes. It becomes the name of a directory and of a control group (NAME_MAX, 255), with more around it
/// in the names of units and temporary files.
const MOST_BYTES: usize = 128;

/// An id that is one. runc takes more: a first `.`, which hides a directory, a first `-`, which is taken for a flag, and any
/// length, where the file system says what is too much. No client makes such ids: containerd, CRI-O, podman and dockerd have
/// 64 hexadecimal digits, people and suites names and UUIDs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id(String);

impl Id {
    /// Letters, digits, `_`, `+`, `-` and `.`, the first a letter, a digit or `_`; 128 at most.
    pub fn parse(text: &str) -> Result<Id, Error> {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"_+-.".contains(&byte);
        let first = text.bytes().next().filter(|byte| !b"+-.".contains(byte));
        let is_id = first.is_some() && text.len() <= MOST_BYTES && text.bytes().all(letter);
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
        for text in ["a", "web-1", "a.b", "a..", "A_b+c", "0123", "_", &"f".repeat(64), &"x".repeat(128)] {
            assert!(Id::parse(text).is_ok(), "{text}");
        }
        for text in ["", ".", "..", ".a", "-a", "+a", "a/b", "a b", "a\n", "é", "a\0", &"x".repeat(129)] {
            assert!(Id::parse(text).is_err(), "{text:?}");
        }
    }
}
