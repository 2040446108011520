//! Takes on root's ids in the user namespace, so that files can be made and mounts done.

use super::{Child, Describe};
use crate::fault::{Call, Done, Fault};
use crate::why::{Act, Around};
use rustix::process::{Gid, Uid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};
use std::borrow::Cow;
use std::fmt;

/// The step.
#[derive(Debug)]
pub struct OwnIds {
    /// The user id.
    pub uid: u32,
    /// The group id.
    pub gid: u32,
    /// Leave all supplementary groups; not where the namespace denies setgroups(2).
    pub leave_groups: bool,
}

impl OwnIds {
    pub(super) fn run(&self, _at: &mut Child<'_>) -> Done {
        if self.leave_groups {
            set_thread_groups(&[]).map_err(Call::Setgroups.failed())?;
        }
        let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
        set_thread_res_gid(gid, gid, gid).map_err(Call::Setresgid.failed())?;
        set_thread_res_uid(uid, uid, uid).map_err(Call::Setresuid.failed())?;
        Ok(())
    }
}

impl fmt::Display for OwnIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "become user {} and group {} of the container", self.uid, self.gid)?;
        f.write_str(if self.leave_groups { ", in no other group" } else { "" })
    }
}

impl Describe for OwnIds {
    const NAME: &'static str = "own-ids";

    fn why(&self) -> Cow<'static, str> {
        "a process whose ids are not mapped can create no file (EOVERFLOW), and the caller's groups must not enter".into()
    }

    fn act(&self, fault: &Fault, _around: &Around<'_>) -> Option<Act> {
        let changes = matches!(fault.call, Call::Setgroups | Call::Setresgid | Call::Setresuid);
        changes.then(|| Act::SetIds { uid: Some(self.uid), gids: vec![self.gid] })
    }
}
