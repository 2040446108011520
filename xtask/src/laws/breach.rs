//! What the laws find.

use std::fmt;

/// One breach of one law.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Breach {
    /// Where: a path, and a line if there is one.
    pub place: String,
    pub words: String,
}

impl Breach {
    pub fn new(place: impl Into<String>, words: impl Into<String>) -> Breach {
        Breach { place: place.into(), words: words.into() }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.words)
    }
}
