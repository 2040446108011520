//! Closes the process to those who are what it becomes: `PR_SET_DUMPABLE`, prctl(2).

use super::{Child, Describe};
use crate::fault::{Call, Done};
use crate::injected;
use insula_sys::prctl;
use rustix::io::Errno;
use std::borrow::Cow;
use std::fmt;

/// The step.
#[derive(Debug)]
pub struct Hide;

impl Hide {
    #[expect(clippy::unused_self, reason = "every step has it")]
    pub(super) fn run(&self, _at: &mut Child<'_>) -> Done {
        hide().map_err(Call::Prctl.failed())
    }
}

/// Nobody may look into this process and its children, nor trace them, by being the same user. What is executed is again
/// what it was before.
pub(crate) fn hide() -> Result<(), Errno> {
    if injected::exposes_process() { Ok(()) } else { prctl::dumpable(false) }
}

impl fmt::Display for Hide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("let no other process look into this one or trace it")
    }
}

impl Describe for Hide {
    const NAME: &'static str = "hide";

    fn why(&self) -> Cow<'static, str> {
        "others see it in this pid namespace, and from here on it gives up what sets it above them; execve(2) ends it"
            .into()
    }
}
