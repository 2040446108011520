//! Becomes the user who shall own the user namespace: the kernel gives it to the effective ids that make it.

use super::{Child, Describe};
use crate::fault::{Call, Done, Fault};
use crate::why::{Act, Around};
use insula_sys::prctl;
use rustix::io::Errno;
use rustix::process::{Gid, Uid};
use rustix::thread::{set_thread_gid, set_thread_groups, set_thread_uid};
use std::borrow::Cow;
use std::fmt;

/// The step.
#[derive(Debug)]
pub struct Owner {
    /// The user id, in the present user namespace.
    pub uid: u32,
    /// The group id.
    pub gid: u32,
}

impl Owner {
    pub(super) fn run(&self, _at: &mut Child<'_>) -> Done {
        set_thread_groups(&[]).map_err(Call::Setgroups.failed())?;
        set_thread_gid(Gid::from_raw(self.gid)).map_err(Call::Setgid.failed())?;
        set_thread_uid(Uid::from_raw(self.uid)).map_err(Call::Setuid.failed())?;
        // A change of user makes our /proc/self root's, and what follows is written there by the new user.
        prctl::dumpable(true).map_err(Call::Prctl.failed())
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "become user {} and group {}, in no other group", self.uid, self.gid)
    }
}

impl Describe for Owner {
    const NAME: &'static str = "owner";

    fn why(&self) -> Cow<'static, str> {
        "who makes a user namespace owns it: the owner has all capabilities in it and may enter it (user_namespaces(7))".into()
    }

    fn act(&self, fault: &Fault, _around: &Around<'_>) -> Option<Act> {
        let changes = matches!(fault.call, Call::Setgroups | Call::Setgid | Call::Setuid);
        changes.then(|| Act::SetIds { uid: Some(self.uid), gids: vec![self.gid] })
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        match (fault.call, fault.errno) {
            (Call::Setgroups | Call::Setgid | Call::Setuid, Errno::PERM) => Some(
                "only a process with CAP_SETUID and CAP_SETGID may make a namespace for another user".into(),
            ),
            (Call::Setgid | Call::Setuid, Errno::INVAL) => Some(
                "the id is not mapped in the present user namespace (/proc/self/uid_map, gid_map)".into(),
            ),
            (Call::Setuid, Errno::AGAIN) => {
                Some("that user's limit of processes is reached (`ulimit -u`)".into())
            }
            _ => None,
        }
    }
}
