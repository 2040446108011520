//! Another root or working directory, as the caller names it: chroot(2), chdir(2).

use super::{Child, Describe};
use crate::fault::{Call, Done, Fault};
use crate::why::{Act, Around, Attempt};
use rustix::io::Errno;
use rustix::process::{chdir, chroot};
use std::borrow::Cow;
use std::ffi::CString;
use std::fmt;

/// Changes the root directory.
#[derive(Debug)]
pub struct Chroot(pub CString);

impl Chroot {
    pub(super) fn run(&self, _at: &mut Child<'_>) -> Done {
        chroot(self.0.as_c_str()).map_err(Call::Chroot.failed())
    }
}

impl fmt::Display for Chroot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "change the root directory to `{}`", self.0.to_string_lossy())
    }
}

impl Describe for Chroot {
    const NAME: &'static str = "chroot";

    fn why(&self) -> Cow<'static, str> {
        "what follows is done in it; the working directory moves into it next".into()
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        match (fault.call, fault.errno) {
            (Call::Chroot, Errno::PERM) => Some(
                "chroot(2) wants CAP_SYS_CHROOT; a user has it in a user namespace of its own: `--map-root-user`".into(),
            ),
            (Call::Chroot, errno) => no_directory(errno),
            _ => None,
        }
    }

    fn act(&self, _fault: &Fault, _around: &Around<'_>) -> Option<Act> {
        Some(Act::Mount(Attempt::Reach { path: self.0.to_string_lossy().into_owned() }))
    }
}

/// Changes the working directory.
#[derive(Debug)]
pub struct Chdir(pub CString);

impl Chdir {
    pub(super) fn run(&self, _at: &mut Child<'_>) -> Done {
        chdir(self.0.as_c_str()).map_err(Call::Chdir.failed())
    }
}

impl fmt::Display for Chdir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "go to `{}`", self.0.to_string_lossy())
    }
}

impl Describe for Chdir {
    const NAME: &'static str = "chdir";

    fn why(&self) -> Cow<'static, str> {
        "after the change of root, if there is one: it is a directory of the new root".into()
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        if fault.call == Call::Chdir { no_directory(fault.errno) } else { None }
    }

    fn act(&self, _fault: &Fault, _around: &Around<'_>) -> Option<Act> {
        Some(Act::Mount(Attempt::Reach { path: self.0.to_string_lossy().into_owned() }))
    }
}

fn no_directory(errno: Errno) -> Option<Cow<'static, str>> {
    match errno {
        Errno::NOENT | Errno::NOTDIR => Some("there is no such directory".into()),
        Errno::ACCESS => Some("this user may not enter it; in a user namespace its id must be mapped".into()),
        _ => None,
    }
}
