//! The one file that prints.

use std::io::{self, Write};

/// Text to stdout, as it is. A reader that has gone away is no reason to stop a check.
pub fn say(text: &str) {
    let mut out = io::stdout().lock();
    drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

/// Text to stderr, as it is.
pub fn complain(text: &str) {
    drop(io::stderr().lock().write_all(text.as_bytes()));
}
