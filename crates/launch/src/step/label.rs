//! The label that a security module gives the program: an AppArmor profile or an SELinux context, proc_pid_attr(5).
//!
//! Here the directory is opened to which the init writes it: a label for the next execve(2) must not be spent on the init.

use super::{Child, Describe};
use crate::fault::{Call, Done, Fault};
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags, ResolveFlags, fstat, fstatfs, open, openat2};
use rustix::io::Errno;
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen};
use std::borrow::Cow;
use std::fmt;

/// `PROC_SUPER_MAGIC` of <linux/magic.h>, and `PROC_ROOT_INO`.
const PROCFS: (u32, u64) = (0x9fa0, 1);

/// Whose label it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Module {
    /// AppArmor: a profile.
    AppArmor,
    /// SELinux: a context.
    Selinux,
}

/// The step.
#[derive(Debug)]
pub struct Label {
    /// Whose it is.
    pub module: Module,
    /// The profile or the context.
    pub label: String,
}

impl Label {
    pub(super) fn run(&self, at: &mut Child<'_>) -> Done {
        let procfs = procfs()?;
        let path = match self.module {
            Module::AppArmor => c"thread-self/attr/apparmor",
            Module::Selinux => c"thread-self/attr",
        };
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_XDEV;
        let directory =
            openat2(procfs, path, flags, Mode::empty(), resolve).map_err(Call::Openat2.failed())?;
        at.attr = Some(directory);
        Ok(())
    }
}

/// A procfs of our own; where none may be mounted, that of the container, if it is one.
fn procfs() -> Result<OwnedFd, Fault> {
    if let Ok(own) = own_procfs() {
        return Ok(own);
    }
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let theirs = open(c"/proc", flags, Mode::empty()).map_err(Call::Openat2.failed())?;
    proven(theirs)
}

fn own_procfs() -> Result<OwnedFd, Errno> {
    let fs = fsopen(c"proc", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_create(&fs)?;
    let flags = MountAttrFlags::MOUNT_ATTR_NOSUID
        | MountAttrFlags::MOUNT_ATTR_NODEV
        | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    fsmount(&fs, FsMountFlags::FSMOUNT_CLOEXEC, flags)
}

/// The root of a procfs, and nothing that only looks like one.
fn proven(directory: OwnedFd) -> Result<OwnedFd, Fault> {
    let stat = fstat(&directory).map_err(Call::Fstat.failed())?;
    let kind = fstatfs(&directory).map_err(Call::Fstat.failed())?.f_type;
    let is_procfs = u32::try_from(kind).is_ok_and(|kind| (kind, stat.st_ino) == PROCFS);
    if is_procfs { Ok(directory) } else { Err(Fault { call: Call::Check, errno: Errno::NODEV }) }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.module {
            Module::AppArmor => write!(f, "confine it by the AppArmor profile `{}`", self.label),
            Module::Selinux => write!(f, "give it the SELinux context `{}`", self.label),
        }
    }
}

impl Describe for Label {
    const NAME: &'static str = "label";

    fn why(&self) -> Cow<'static, str> {
        "a procfs can be opened now; the init writes the label, so that it is the program's and not spent on ours".into()
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        Some(match (self.module, fault.call, fault.errno) {
            (_, Call::Check, _) => {
                "what is on the container's /proc is no procfs, and a new one may not be mounted".into()
            }
            (Module::AppArmor, Call::Label, Errno::NOENT) => {
                "no such profile is loaded: `aa-status` lists them, `apparmor_parser -r FILE` loads one"
                    .into()
            }
            (Module::AppArmor, Call::Label, Errno::PERM | Errno::ACCESS) => {
                "the profile that we are under does not allow this change".into()
            }
            (Module::AppArmor, Call::Openat2, Errno::NOENT) => "this kernel has no AppArmor".into(),
            (Module::Selinux, Call::Label, Errno::ACCESS | Errno::PERM | Errno::INVAL) => {
                "SELinux has no such context, or its policy forbids the change: see `ausearch -m avc`".into()
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_is_no_root_of_a_procfs_is_none() {
        let directory = |path: &str| {
            open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).unwrap()
        };
        assert!(proven(directory("/proc")).is_ok());
        for path in ["/", "/proc/self", "/proc/sys", "/sys"] {
            assert_eq!(proven(directory(path)).map(drop).unwrap_err().errno, Errno::NODEV, "{path}");
        }
    }
}
