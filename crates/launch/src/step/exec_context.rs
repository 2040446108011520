//! The security context that the program gets, as setexeccon(3) of SELinux sets it.

use super::{Child, Describe};
use crate::fault::{Call, Done, Fault};
use crate::kit::Slot;
use rustix::io::Errno;
use std::borrow::Cow;
use std::fmt;

/// The step.
#[derive(Debug)]
pub struct ExecContext {
    /// Our own `/proc/thread-self/attr/exec`, open for writing.
    pub slot: Slot,
    /// The context, as proc_pid_attr(5) has it.
    pub context: Vec<u8>,
}

impl ExecContext {
    pub(super) fn run(&self, at: &mut Child<'_>) -> Done {
        let file = at.kit.get(self.slot).map_err(Call::Check.failed())?;
        // In one write, or the kernel takes the first part for the whole.
        match rustix::io::write(file, &self.context) {
            Ok(written) if written == self.context.len() => Ok(()),
            Ok(_) => Err(Fault { call: Call::Write, errno: Errno::IO }),
            Err(errno) => Err(Fault { call: Call::Write, errno }),
        }
    }
}

impl fmt::Display for ExecContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let context = String::from_utf8_lossy(&self.context);
        write!(f, "execute in the security context `{}`", context.trim_end_matches(['\0', '\n']))
    }
}

impl Describe for ExecContext {
    const NAME: &'static str = "exec-context";

    fn why(&self) -> Cow<'static, str> {
        "the context of the process that is entered; first, while /proc is still ours".into()
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        matches!(fault.errno, Errno::ACCESS | Errno::PERM | Errno::INVAL)
            .then(|| "SELinux's policy forbids this change of context: see `ausearch -m avc`".into())
    }
}
