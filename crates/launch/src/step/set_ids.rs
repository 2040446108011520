//! Other ids in the namespaces, by setuid(2) and setgid(2): with what the kernel makes of the capabilities then.

use super::{Child, Describe};
use crate::fault::{Call, Done, Fault};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};
use rustix::thread::{set_thread_gid, set_thread_groups, set_thread_uid};
use std::borrow::Cow;
use std::fmt;

/// The step.
#[derive(Debug)]
pub struct SetIds {
    /// The user id, if it changes.
    pub uid: Option<u32>,
    /// The group id, if it changes; then all supplementary groups are left.
    pub gid: Option<u32>,
}

impl SetIds {
    pub(super) fn run(&self, _at: &mut Child<'_>) -> Done {
        if let Some(gid) = self.gid {
            set_thread_groups(&[]).map_err(Call::Setgroups.failed())?;
            set_thread_gid(Gid::from_raw(gid)).map_err(Call::Setgid.failed())?;
        }
        match self.uid {
            Some(uid) => set_thread_uid(Uid::from_raw(uid)).map_err(Call::Setuid.failed()),
            None => Ok(()),
        }
    }
}

impl fmt::Display for SetIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("become")?;
        if let Some(uid) = self.uid {
            write!(f, " user {uid}")?;
        }
        if let Some(gid) = self.gid {
            f.write_str(if self.uid.is_some() { " and" } else { "" })?;
            write!(f, " group {gid}, in no other group")?;
        }
        Ok(())
    }
}

impl Describe for SetIds {
    const NAME: &'static str = "set-ids";

    fn why(&self) -> Cow<'static, str> {
        "groups first: who is no longer root can no longer change them; and after all that wants root's rights".into()
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        match (fault.call, fault.errno) {
            (Call::Setgid | Call::Setuid, Errno::INVAL) => Some(
                "the id is not mapped in this user namespace: `--map-root-user` maps 0 alone, `--map-auto` the ranges of \
                 /etc/subuid and /etc/subgid"
                    .into(),
            ),
            (Call::Setgroups, Errno::PERM) => Some(
                "this user namespace denies setgroups(2), as one whose group map has a single id written by an ordinary \
                 user must; `--map-auto` maps ranges by newgidmap, and allows it"
                    .into(),
            ),
            (Call::Setgid | Call::Setuid, Errno::PERM) => {
                Some("changing ids wants CAP_SETUID and CAP_SETGID: root, or `--map-root-user` with a range of ids".into())
            }
            (Call::Setuid, Errno::AGAIN) => {
                Some("that user's limit of processes is reached (`ulimit -u`)".into())
            }
            _ => None,
        }
    }
}
