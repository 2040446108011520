//! A signal by name or number (signal(7)).

use super::reason::Reason;
use insula_runtime::signal_name;

/// What can be written.
pub const FORM: &str = "the name or number of a signal, as SIGTERM, int, 9 or SIGRTMIN+3";

/// Reads a signal: 1 to 64, or a name in either case, with or without `SIG`.
pub fn parse(text: &str) -> Result<i32, Reason> {
    signal_name::parse(text).ok_or_else(|| Reason::of(text, "is no signal"))
}
