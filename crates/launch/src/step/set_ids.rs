//! Other ids in the namespaces, by setuid(2) and setgid(2): with what the kernel makes of the capabilities then.

use super::{Child, Describe};
use crate::fault::{Call, Done, Fault};
use crate::kit::Slot;
use crate::why::{Act, Around};
use rustix::fs::{Stat, fstat};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};
use rustix::thread::{set_thread_gid, set_thread_groups, set_thread_uid};
use std::borrow::Cow;
use std::fmt;

/// Leaves the supplementary groups while that may still be allowed; if not, [`SetIds`] has to.
#[derive(Debug)]
pub struct LeaveGroups;

impl LeaveGroups {
    #[expect(clippy::unnecessary_wraps, reason = "every step returns that")]
    pub(super) fn run(&self, at: &mut Child<'_>) -> Done {
        at.kept_groups = set_thread_groups(&[]).is_err();
        Ok(())
    }
}

impl fmt::Display for LeaveGroups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("leave the supplementary groups, if we may")
    }
}

impl Describe for LeaveGroups {
    const NAME: &'static str = "leave-groups";

    fn why(&self) -> Cow<'static, str> {
        "the user namespace that is entered next may deny setgroups(2)".into()
    }
}

/// An id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Id {
    /// This one.
    Given(u32),
    /// That of a process, by its directory in /proc, as the namespace that we are in then has it.
    Of(Slot),
}

impl Id {
    fn number(self, at: &Child<'_>, which: impl Fn(&Stat) -> u32) -> Result<u32, Fault> {
        match self {
            Id::Given(id) => Ok(id),
            Id::Of(slot) => {
                let stat = at.kit.get(slot).and_then(fstat).map_err(Call::Fstat.failed())?;
                Ok(which(&stat))
            }
        }
    }
}

/// Sets the ids.
#[derive(Debug)]
pub struct SetIds {
    /// The user id, if it changes.
    pub uid: Option<Id>,
    /// The group id, if it changes; then all supplementary groups are left.
    pub gid: Option<Id>,
    /// Where setgroups(2) is refused the groups stay; but not if [`LeaveGroups`] was refused before.
    pub groups_may_stay: bool,
    /// An id that the user namespace does not have is not taken on: we stay who we are.
    pub if_mapped: bool,
}

impl SetIds {
    pub(super) fn run(&self, at: &mut Child<'_>) -> Done {
        // All that is looked at, before anything changes who may look.
        let uid = self.uid.map(|id| id.number(at, |stat| stat.st_uid)).transpose()?;
        let gid = self.gid.map(|id| id.number(at, |stat| stat.st_gid)).transpose()?;
        if let Some(gid) = gid {
            match set_thread_groups(&[]) {
                Err(_) if self.groups_may_stay && !at.kept_groups => {}
                done => done.map_err(Call::Setgroups.failed())?,
            }
            self.done(set_thread_gid(Gid::from_raw(gid))).map_err(Call::Setgid.failed())?;
        }
        match uid {
            Some(uid) => self.done(set_thread_uid(Uid::from_raw(uid))).map_err(Call::Setuid.failed()),
            None => Ok(()),
        }
    }

    /// EINVAL: there is no such id.
    fn done(&self, set: Result<(), Errno>) -> Result<(), Errno> {
        match set {
            Err(Errno::INVAL) if self.if_mapped => Ok(()),
            done => done,
        }
    }
}

impl fmt::Display for SetIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("become")?;
        if let Some(uid) = self.uid {
            write!(f, " user {}", Words(uid))?;
        }
        if let Some(gid) = self.gid {
            let and = if self.uid.is_some() { " and" } else { "" };
            write!(f, "{and} group {}, in no other group", Words(gid))?;
        }
        f.write_str(if self.if_mapped { ", where they are mapped" } else { "" })
    }
}

struct Words(Id);

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Id::Given(id) => id.fmt(f),
            Id::Of(_) => f.write_str("of the process"),
        }
    }
}

impl Describe for SetIds {
    const NAME: &'static str = "set-ids";

    fn why(&self) -> Cow<'static, str> {
        "groups first: who is no longer root can no longer change them; and after all that wants root's rights".into()
    }

    fn act(&self, fault: &Fault, _around: &Around<'_>) -> Option<Act> {
        let known = |id: Option<Id>| match id {
            Some(Id::Given(id)) => Some(id),
            _ => None,
        };
        let changes = matches!(fault.call, Call::Setgroups | Call::Setgid | Call::Setuid);
        let gids = known(self.gid).into_iter().collect();
        changes.then(|| Act::SetIds { uid: known(self.uid), gids })
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        match (fault.call, fault.errno) {
            (Call::Setgid | Call::Setuid, Errno::INVAL) => Some(
                "the id is not mapped in this user namespace, see /proc/self/uid_map and gid_map there: unshare's \
                 `--map-root-user` maps 0 alone, `--map-auto` the ranges of /etc/subuid and /etc/subgid"
                    .into(),
            ),
            (Call::Setgroups, Errno::PERM) => Some(
                "this user namespace denies setgroups(2), as one whose group map has a single id written by an ordinary \
                 user must: unshare's `--map-auto` maps ranges by newgidmap, and allows it; nsenter's \
                 `--preserve-credentials` keeps ids and groups as they are"
                    .into(),
            ),
            (Call::Setgid | Call::Setuid, Errno::PERM) => Some(
                "changing ids wants CAP_SETUID and CAP_SETGID in the user namespace that we are in: root has them".into(),
            ),
            (Call::Setuid, Errno::AGAIN) => {
                Some("that user's limit of processes is reached (`ulimit -u`)".into())
            }
            _ => None,
        }
    }
}
