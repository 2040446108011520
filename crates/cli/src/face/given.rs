//! What was given on a face's command line.

use std::ffi::OsString;

/// The words of a face: flags with their values, in the order in which they were given, and what is no flag.
#[derive(Debug, Default)]
pub struct Given {
    /// Each flag by its long name.
    pub flags: Vec<(&'static str, Option<OsString>)>,
    /// The program and its arguments, or what else stands behind the flags.
    pub words: Vec<OsString>,
}

impl Given {
    /// Was this flag given?
    pub fn has(&self, long: &str) -> bool {
        self.flags.iter().any(|(name, _)| *name == long)
    }
}
