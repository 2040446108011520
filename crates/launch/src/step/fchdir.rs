//! Root and working directory by descriptors that were opened before the namespaces changed, as nsenter(1) has them.

use super::{Child, Describe};
use crate::fault::{Call, Done, Fault};
use crate::kit::Slot;
use crate::why::{Act, Around};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::process::{chdir, chroot, fchdir};
use std::borrow::Cow;
use std::fmt;

/// Changes the root directory, chroot(2).
#[derive(Debug)]
pub struct ChrootTo {
    /// The open directory.
    pub slot: Slot,
    /// Its path, for people.
    pub from: String,
    /// Stay in the working directory, even if that is outside of the new root.
    pub stay: bool,
}

impl ChrootTo {
    pub(super) fn run(&self, at: &mut Child<'_>) -> Done {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let here = self.stay.then(|| open(c".", flags, Mode::empty())).transpose();
        let here = here.map_err(Call::Openat2.failed())?;
        let root = at.kit.get(self.slot).map_err(Call::Check.failed())?;
        fchdir(root).map_err(Call::Chdir.failed())?;
        chroot(c".").map_err(Call::Chroot.failed())?;
        match here {
            Some(here) => fchdir(here),
            None => chdir(c"/"),
        }
        .map_err(Call::Chdir.failed())
    }
}

impl fmt::Display for ChrootTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "change the root to `{}`", self.from)?;
        f.write_str(if self.stay { ", and stay in the working directory" } else { "" })
    }
}

impl Describe for ChrootTo {
    const NAME: &'static str = "chroot-to";

    fn why(&self) -> Cow<'static, str> {
        "by what was opened before: a way from the old namespaces into the new".into()
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        match (fault.call, fault.errno) {
            (Call::Chroot, Errno::PERM) => {
                Some("chroot(2) wants CAP_SYS_CHROOT in the user namespace that we are in".into())
            }
            (Call::Chdir, Errno::ACCESS) => Some("this user may not enter the directory".into()),
            _ => None,
        }
    }

    fn act(&self, fault: &Fault, _around: &Around<'_>) -> Option<Act> {
        (fault.call == Call::Chroot).then_some(Act::Other)
    }
}

/// Goes to a working directory, fchdir(2).
#[derive(Debug)]
pub struct Fchdir {
    /// The open directory.
    pub slot: Slot,
    /// Its path, for people.
    pub from: String,
}

impl Fchdir {
    pub(super) fn run(&self, at: &mut Child<'_>) -> Done {
        at.kit.get(self.slot).and_then(fchdir).map_err(Call::Chdir.failed())
    }
}

impl fmt::Display for Fchdir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "go to `{}`", self.from)
    }
}

impl Describe for Fchdir {
    const NAME: &'static str = "fchdir";

    fn why(&self) -> Cow<'static, str> {
        "by what was opened before, even if no path leads there from the new namespaces".into()
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        (fault.errno == Errno::ACCESS).then(|| "this user may not enter the directory".into())
    }
}
