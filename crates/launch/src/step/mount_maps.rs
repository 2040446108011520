//! Makes a user namespace for nothing but its maps, by which mounts are translated, mount_setattr(2) "ID-mapped mounts".

use super::map_ids::{self, IdMap};
use super::{Describe, Parent};
use crate::fault::{Call, Done, Fault};
use crate::kit::Slot;
use insula_sys::birth::{clone3, exit_now};
use insula_sys::nsfs;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::{Errno, read};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{WaitId, WaitIdOptions, waitid};
use std::borrow::Cow;
use std::fmt;

/// The step.
#[derive(Debug)]
pub struct MountMaps {
    /// User ids: on the file system (inside) to those of the mount (outside).
    pub uid: Vec<IdMap>,
    /// Group ids, likewise.
    pub gid: Vec<IdMap>,
    /// Where the namespace goes.
    pub slot: Slot,
}

impl MountMaps {
    pub(super) fn run(&self, at: &mut Parent<'_>) -> Done {
        // A namespace lives as long as a process is in it or a descriptor is open: the process ends when that is so, and
        // when we end before.
        let (asleep, awake) = pipe_with(PipeFlags::CLOEXEC).map_err(Call::Read.failed())?;
        let mut awake = Some(awake);
        let born = clone3(u64::from(libc::CLONE_NEWUSER.unsigned_abs()), || {
            drop(awake.take());
            while read(&asleep, &mut [0u8; 1]) == Err(Errno::INTR) {}
            exit_now(0)
        })
        .map_err(Call::Clone3.failed())?;
        let made = self.mapped(born.pid, &born.pidfd);
        drop(awake);
        // It has nothing to tell.
        let _ = waitid(WaitId::PidFd(born.pidfd.as_fd()), WaitIdOptions::EXITED);
        at.kit.put(self.slot, made?).map_err(Call::Clone3.failed())
    }

    fn mapped(&self, pid: i32, pidfd: &OwnedFd) -> Result<OwnedFd, Fault> {
        map_ids::write(&format!("/proc/{pid}/gid_map"), &map_ids::text(&self.gid))?;
        map_ids::write(&format!("/proc/{pid}/uid_map"), &map_ids::text(&self.uid))?;
        nsfs::user_of(pidfd.as_fd()).or_else(|_| {
            let flags = OFlags::RDONLY | OFlags::CLOEXEC;
            open(format!("/proc/{pid}/ns/user"), flags, Mode::empty()).map_err(Call::Openat2.failed())
        })
    }
}

impl fmt::Display for MountMaps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("make a user namespace for mounts:")?;
        map_ids::show(f, &self.uid, &self.gid)
    }
}

impl Describe for MountMaps {
    const NAME: &'static str = "mount-maps";

    fn why(&self) -> Cow<'static, str> {
        "a mount is translated by the maps of a namespace, and these are not the container's".into()
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        match (fault.call, fault.errno) {
            (Call::Write, Errno::PERM) => Some(
                "these ids are not all ours to map: they must be mapped in the user namespace that the runtime is in".into(),
            ),
            (Call::Clone3, Errno::NOSPC | Errno::USERS) => {
                Some("there may be no more user namespaces: /proc/sys/user/max_user_namespaces".into())
            }
            _ => None,
        }
    }
}
