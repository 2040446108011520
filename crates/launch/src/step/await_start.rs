//! Between `create` and `start`: the process waits, for a later process of the runtime, without an end.

use super::{Child, Describe};
use crate::fault::{Call, Done, Fault};
use crate::kit::Slot;
use crate::late::GO;
use insula_sys::prctl;
use rustix::io::Errno;
use std::borrow::Cow;
use std::fmt;

/// The step. Behind it nobody listens on the baton any more: [`crate::late`] is the other end.
#[derive(Debug)]
pub struct AwaitStart {
    /// The FIFO on which the word to go comes, open for both directions, so that there is no end of file.
    pub go: Slot,
    /// The FIFO on which a failure is told from here on, and whose closing means that the program runs.
    pub answer: Slot,
}

impl AwaitStart {
    pub(super) fn run(&self, at: &mut Child<'_>) -> Done {
        // Whoever shares the pid namespace by then must not look into this process, nor at its executable.
        prctl::dumpable(false).map_err(Call::Prctl.failed())?;
        at.late = Some(self.answer);
        let go = at.kit.get(self.go).map_err(Call::Check.failed())?;
        let mut byte = [0u8; 1];
        loop {
            match rustix::io::read(go, &mut byte) {
                Ok(1) if byte[0] == GO => return Ok(()),
                Ok(1) | Err(Errno::INTR) => {}
                Ok(_) => return Err(Fault { call: Call::Read, errno: Errno::PIPE }),
                Err(errno) => return Err(Fault { call: Call::Read, errno }),
            }
        }
    }
}

impl fmt::Display for AwaitStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("wait for `start`")
    }
}

impl Describe for AwaitStart {
    const NAME: &'static str = "await-start";

    fn why(&self) -> Cow<'static, str> {
        "by read(2) on a FIFO alone, which a system call filter that is in force by now can hardly forbid"
            .into()
    }
}
