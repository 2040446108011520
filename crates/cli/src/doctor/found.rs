//! A check with what was found, and what all of them come to.

use insula_namespaces::doctor::{Answer, Check, State, Weight};

/// Something that costs a feature is missing.
pub const LACKS: u8 = 1;
/// insula cannot run anything here.
pub const NOTHING_RUNS: u8 = 2;

/// A check and what was found.
#[derive(Debug)]
pub struct Found {
    /// What was asked.
    pub check: &'static Check,
    /// The answer.
    pub answer: Answer,
}

impl Found {
    /// Does it cost a feature?
    pub fn is_lack(&self) -> bool {
        self.check.weight != Weight::Comfort && matches!(self.answer.state, State::Missing | State::Limited)
    }

    /// Does nothing run without it?
    pub fn is_fatal(&self) -> bool {
        self.check.weight == Weight::Essential && self.answer.state == State::Missing
    }
}

/// The exit code.
pub fn verdict(found: &[Found]) -> u8 {
    if found.iter().any(Found::is_fatal) {
        NOTHING_RUNS
    } else if found.iter().any(Found::is_lack) {
        LACKS
    } else {
        0
    }
}
