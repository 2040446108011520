//! Hands the capabilities in a user namespace on to the program, although it is not its root: capabilities(7), ambient.

use super::{Child, Describe};
use crate::fault::{Call, Done, Fault};
use insula_sys::prctl;
use rustix::io::Errno;
use std::borrow::Cow;
use std::fmt;

/// The step.
#[derive(Debug)]
pub struct KeepCaps;

impl KeepCaps {
    #[expect(clippy::unused_self, reason = "every step has it")]
    pub(super) fn run(&self, _at: &mut Child<'_>) -> Done {
        let (effective, permitted, _) = prctl::capget().map_err(Call::Capget.failed())?;
        // Only what is inheritable can be ambient.
        prctl::capset(effective, permitted, permitted).map_err(Call::Capset.failed())?;
        for capability in (0..=prctl::CAP_LIMIT).filter(|capability| effective & (1 << capability) != 0) {
            match prctl::ambient_raise(capability) {
                Ok(()) => {}
                // The kernel knows no higher one.
                Err(Errno::INVAL) => break,
                Err(errno) => return Err(Fault { call: Call::Prctl, errno }),
            }
        }
        Ok(())
    }
}

impl fmt::Display for KeepCaps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("make all capabilities ambient")
    }
}

impl Describe for KeepCaps {
    const NAME: &'static str = "keep-caps";

    fn why(&self) -> Cow<'static, str> {
        "at execve(2) the kernel takes all others from a program that is not root in its user namespace"
            .into()
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        match (fault.call, fault.errno) {
            (Call::Prctl, Errno::PERM) => {
                Some("the secure bits forbid it (SECBIT_NO_CAP_AMBIENT_RAISE, capabilities(7))".into())
            }
            _ => None,
        }
    }
}
