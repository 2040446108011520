//! Mounts a new sysfs on /sys: one shows the network devices of the namespace that it was mounted from, sysfs(5).

use super::{Child, Describe};
use crate::fault::{Call, Done, Fault};
use crate::why::{Act, Around, Attempt};
use rustix::fs::{StatVfsMountFlags, statvfs};
use rustix::io::Errno;
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use std::borrow::Cow;
use std::ffi::{CStr, CString};
use std::fmt;

/// Where sysfs is.
const SYS: &CStr = c"/sys";

/// The step.
#[derive(Debug)]
pub struct Sysfs {
    /// What stands as its source in the table of mounts: the name of the network namespace.
    pub source: CString,
}

impl Sysfs {
    pub(super) fn run(&self, _at: &mut Child<'_>) -> Done {
        // All of the old one goes, with what is mounted below it. In a user namespace it may be locked in its place, or
        // there may be none: the new one is mounted over what is there. Over a read-only one only a read-only one may be.
        let is_gone = unmount(SYS, UnmountFlags::DETACH).is_ok();
        let is_read_only =
            !is_gone && statvfs(SYS).is_ok_and(|found| found.f_flag.contains(StatVfsMountFlags::RDONLY));
        let flags = if is_read_only { MountFlags::RDONLY } else { MountFlags::empty() };
        mount(&self.source, SYS, c"sysfs", flags, None).map_err(Call::Mount.failed())
    }
}

impl fmt::Display for Sysfs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("mount a new sysfs in place of the one on /sys")
    }
}

impl Describe for Sysfs {
    const NAME: &'static str = "sysfs";

    fn why(&self) -> Cow<'static, str> {
        "/sys/class/net shows the devices of the network namespace that sysfs was mounted from".into()
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        match fault.errno {
            Errno::PERM => Some(
                "the kernel refuses a new one to a user namespace that does not own the network namespace, or that cannot \
                 see all of the old one (sysfs(5))"
                    .into(),
            ),
            Errno::NOENT => Some("this root has no /sys to mount it on".into()),
            _ => None,
        }
    }

    fn act(&self, _fault: &Fault, _around: &Around<'_>) -> Option<Act> {
        let target = Some("/sys".to_owned());
        Some(Act::Mount(Attempt::New { fstype: "sysfs".to_owned(), options: Vec::new(), target }))
    }
}
