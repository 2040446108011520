//! A session of its own: no controlling terminal, no keys of the caller.

use super::{Child, Describe};
use crate::fault::{Call, Done, Fault};
use insula_sys::{keyring, signal};
use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::process::{setsid, umask};
use std::borrow::Cow;
use std::fmt;

/// The step.
#[derive(Debug)]
pub struct Session {
    /// Join a new session keyring, keyrings(7).
    pub keyring: bool,
}

impl Session {
    pub(super) fn run(&self, _at: &mut Child<'_>) -> Done {
        signal::reset().map_err(Call::Sigaction.failed())?;
        setsid().map_err(Call::Setsid.failed())?;
        // What is made from here on has the modes that are asked for.
        umask(Mode::empty());
        if self.keyring {
            match keyring::join_new_session() {
                // A kernel without keyrings, or an outer seccomp filter that hides them, has no keys to leave behind.
                Ok(()) | Err(Errno::NOSYS) => {}
                Err(errno) => return Err(Fault { call: Call::Keyctl, errno }),
            }
        }
        Ok(())
    }
}

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("start a session with default signals")?;
        f.write_str(if self.keyring { " and an empty keyring" } else { "" })
    }
}

impl Describe for Session {
    const NAME: &'static str = "session";

    fn why(&self) -> Cow<'static, str> {
        "the caller's terminal, keys, signal mask and ignored signals do not enter".into()
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        match (fault.call, fault.errno) {
            (Call::Keyctl, Errno::DQUOT) => Some(
                "the quota of keys is used up: kernel.keys.maxkeys (root: kernel.keys.root_maxkeys)".into(),
            ),
            _ => None,
        }
    }
}
