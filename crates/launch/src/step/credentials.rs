//! Who the program is and what it may: ids, groups, capabilities(7), no_new_privs.

use super::{Child, Describe};
use crate::fault::{Call, Done, Fault};
use crate::why::{Act, Around};
use insula_sys::prctl;
use rustix::io::Errno;
use rustix::process::{Gid, Uid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};
use std::borrow::Cow;
use std::fmt;

/// Drops what is not in the bounding set.
#[derive(Debug)]
pub struct Bounding(pub u64);

impl Bounding {
    pub(super) fn run(&self, _at: &mut Child<'_>) -> Done {
        for capability in (0..=prctl::CAP_LIMIT).filter(|c| self.0 & (1 << c) == 0) {
            match prctl::bounding_drop(capability) {
                Ok(()) => {}
                // The kernel knows no higher one.
                Err(Errno::INVAL) => break,
                // Without CAP_SETPCAP nothing can be dropped, which is no matter where it is gone already.
                Err(Errno::PERM) if prctl::bounding_has(capability) == Ok(false) => {}
                Err(errno) => return Err(Fault { call: Call::Prctl, errno }),
            }
        }
        Ok(())
    }
}

impl fmt::Display for Bounding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bound the capabilities to {} ({:#x})", self.0.count_ones(), self.0)
    }
}

impl Describe for Bounding {
    const NAME: &'static str = "bounding";

    fn why(&self) -> Cow<'static, str> {
        "dropping from the bounding set needs CAP_SETPCAP, so it stands before the capabilities fall".into()
    }
}

/// Takes on the program's user and groups.
#[derive(Debug)]
pub struct User {
    /// `process.user.uid`.
    pub uid: u32,
    /// `process.user.gid`.
    pub gid: u32,
    /// `process.user.additionalGids`; `None` where the user namespace denies setgroups(2).
    pub groups: Option<Vec<Gid>>,
}

impl User {
    pub(super) fn run(&self, _at: &mut Child<'_>) -> Done {
        if let Some(groups) = &self.groups {
            set_thread_groups(groups).map_err(Call::Setgroups.failed())?;
        }
        let gid = Gid::from_raw(self.gid);
        set_thread_res_gid(gid, gid, gid).map_err(Call::Setresgid.failed())?;
        // The permitted set survives until the next step sets it exactly.
        prctl::keep_caps(true).map_err(Call::Prctl.failed())?;
        let uid = Uid::from_raw(self.uid);
        set_thread_res_uid(uid, uid, uid).map_err(Call::Setresuid.failed())?;
        prctl::keep_caps(false).map_err(Call::Prctl.failed())
    }
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "become user {} and group {}", self.uid, self.gid)?;
        match self.groups.as_deref() {
            Some([]) => f.write_str(", in no other group"),
            Some(groups) => {
                f.write_str(", in the groups")?;
                groups.iter().try_for_each(|g| write!(f, " {}", g.as_raw()))
            }
            None => Ok(()),
        }
    }
}

impl Describe for User {
    const NAME: &'static str = "user";

    fn why(&self) -> Cow<'static, str> {
        "groups first: after the change of user they can no longer be set".into()
    }

    fn act(&self, fault: &Fault, _around: &Around<'_>) -> Option<Act> {
        let groups = self.groups.iter().flatten().map(|gid| gid.as_raw());
        let gids = groups.filter(|_| fault.call == Call::Setgroups).chain([self.gid]).collect();
        let changes = matches!(fault.call, Call::Setgroups | Call::Setresgid | Call::Setresuid);
        changes.then(|| Act::SetIds { uid: Some(self.uid), gids })
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        match (fault.call, fault.errno) {
            (Call::Setresuid | Call::Setresgid | Call::Setgroups, Errno::INVAL) => Some(
                "the id is not mapped in the container's user namespace; with a single id only 0 is: newuidmap and \
                 ranges in /etc/subuid and /etc/subgid give more"
                    .into(),
            ),
            (Call::Setgroups, Errno::PERM) => {
                Some("this user namespace denies setgroups(2): with a single id there are no supplementary groups".into())
            }
            _ => None,
        }
    }
}

/// Sets the capabilities exactly.
#[derive(Debug)]
pub struct Capabilities {
    /// The effective set, bit N for capability N.
    pub effective: u64,
    /// The permitted set.
    pub permitted: u64,
    /// The inheritable set.
    pub inheritable: u64,
    /// The ambient set.
    pub ambient: u64,
}

impl Capabilities {
    pub(super) fn run(&self, _at: &mut Child<'_>) -> Done {
        prctl::ambient_clear().map_err(Call::Prctl.failed())?;
        prctl::capset(self.effective, self.permitted, self.inheritable).map_err(Call::Capset.failed())?;
        for capability in (0..=prctl::CAP_LIMIT).filter(|c| self.ambient & (1 << c) != 0) {
            prctl::ambient_raise(capability).map_err(Call::Prctl.failed())?;
        }
        Ok(())
    }
}

impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "set the capabilities: {} permitted, {} effective",
            self.permitted.count_ones(),
            self.effective.count_ones()
        )?;
        write!(f, ", {} inheritable, {} ambient", self.inheritable.count_ones(), self.ambient.count_ones())
    }
}

impl Describe for Capabilities {
    const NAME: &'static str = "capabilities";

    fn why(&self) -> Cow<'static, str> {
        "the last thing that needs them was the change of user".into()
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        (fault.call == Call::Capset && fault.errno == Errno::PERM).then(|| {
            "a capability is asked for that this process does not have; as an ordinary user without a user namespace \
             there are none to give"
                .into()
        })
    }
}

/// No program gains rights by set-user-ID bits or file capabilities: `PR_SET_NO_NEW_PRIVS`.
#[derive(Debug)]
pub struct NoNewPrivs;

impl NoNewPrivs {
    pub(super) fn run(&self, _at: &mut Child<'_>) -> Done {
        prctl::no_new_privs().map_err(Call::Prctl.failed())
    }
}

impl fmt::Display for NoNewPrivs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("gain no new privileges by any exec")
    }
}

impl Describe for NoNewPrivs {
    const NAME: &'static str = "no-new-privs";

    fn why(&self) -> Cow<'static, str> {
        "the configuration asks for it; it cannot be taken back".into()
    }
}
