//! The fork in a plan without a birth: from here on a child of this process walks the lane, and the process waits.

use super::{Child, Describe};
use crate::fault::{Call, Done, Fault};
use crate::why::{Act, Around};
use insula_sys::signal::{self, SigSet};
use rustix::io::Errno;
use std::borrow::Cow;
use std::fmt;

/// The step.
#[derive(Debug)]
pub struct Fork {
    /// Signals that the process which waits holds back from now on, so that they do not end it before its child. The
    /// child gets the mask from before.
    pub hold: Vec<i32>,
}

impl Fork {
    /// A step is run by who walks the lane; at this one the walk ends, and its caller gives birth.
    #[expect(clippy::unused_self, reason = "every step has it")]
    pub(super) fn run(&self, _at: &mut Child<'_>) -> Done {
        Err(Fault { call: Call::Check, errno: Errno::INVAL })
    }

    /// Blocks the signals, and returns the mask before.
    pub(crate) fn hold_back(&self) -> Result<SigSet, Fault> {
        let mut set = SigSet::empty();
        self.hold.iter().for_each(|signal| set.add(*signal));
        signal::block(&set).map_err(|error| Fault {
            call: Call::Sigaction,
            errno: Errno::from_io_error(&error).unwrap_or(Errno::INVAL),
        })
    }
}

impl fmt::Display for Fork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("fork: a child goes on, this process waits for it")
    }
}

impl Describe for Fork {
    const NAME: &'static str = "fork";

    fn why(&self) -> Cow<'static, str> {
        "a process never changes its own pid namespace: only its children are in the new one, the first as pid 1"
            .into()
    }

    fn act(&self, fault: &Fault, _around: &Around<'_>) -> Option<Act> {
        (fault.call == Call::Clone3).then_some(Act::Fork)
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        match fault.errno {
            Errno::AGAIN => {
                Some("the limit of processes is reached: `ulimit -u`, pids.max, kernel.pid_max".into())
            }
            Errno::NOMEM => Some(
                "the first process of this pid namespace has ended, or was never born: the kernel starts no other in it \
                 (pid_namespaces(7))"
                    .into(),
            ),
            _ => None,
        }
    }
}
