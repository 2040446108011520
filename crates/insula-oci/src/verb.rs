//! What a verb is.

use crate::error::Error;
use crate::flags::{Flag, Given, Order};
use crate::global::Global;
use std::process::ExitCode;

/// One verb.
pub struct Verb {
    /// Its name.
    pub name: &'static str,
    /// One line about it.
    pub about: &'static str,
    /// What follows the flags in the usage line.
    pub usage: &'static str,
    /// Its flags.
    pub flags: &'static [Flag],
    /// Where its flags end.
    pub order: Order,
    /// What it does.
    pub go: fn(&Global, &Given) -> Result<ExitCode, Error>,
    /// What it ends with where it fails.
    pub failed: u8,
}
