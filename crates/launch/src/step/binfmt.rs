//! A binfmt_misc of the user namespace's own, and interpreters registered in it: the kernel's binfmt-misc.rst.

use super::{Child, Describe};
use crate::fault::{Call, Done, Fault};
use crate::why::{Act, Around, Attempt};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::mount::{MountFlags, mount};
use std::borrow::Cow;
use std::ffi::CString;
use std::fmt;

/// Mounts binfmt_misc.
#[derive(Debug)]
pub struct MountBinfmt(pub CString);

impl MountBinfmt {
    pub(super) fn run(&self, _at: &mut Child<'_>) -> Done {
        let flags = MountFlags::NOSUID | MountFlags::NOEXEC | MountFlags::NODEV;
        mount(c"binfmt_misc", self.0.as_c_str(), c"binfmt_misc", flags, None).map_err(Call::Mount.failed())
    }
}

impl fmt::Display for MountBinfmt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mount binfmt_misc on `{}`", self.0.to_string_lossy())
    }
}

impl Describe for MountBinfmt {
    const NAME: &'static str = "mount-binfmt";

    fn why(&self) -> Cow<'static, str> {
        "each user namespace has formats of its own from the first mount in it on (Linux 6.7)".into()
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        if fault.call != Call::Mount {
            return None;
        }
        match fault.errno {
            Errno::NODEV => Some("this kernel has no binfmt_misc (`modprobe binfmt_misc`)".into()),
            Errno::PERM => Some("a user namespace may mount its own binfmt_misc from Linux 6.7 on; before, only the host may".into()),
            Errno::NOENT | Errno::NOTDIR => Some(
                "there is no such directory to mount on; /proc/sys/fs/binfmt_misc is there once the kernel has \
                 binfmt_misc (`modprobe binfmt_misc`)"
                    .into(),
            ),
            _ => None,
        }
    }

    fn act(&self, _fault: &Fault, _around: &Around<'_>) -> Option<Act> {
        let target = Some(self.0.to_string_lossy().into_owned());
        Some(Act::Mount(Attempt::New { fstype: "binfmt_misc".to_owned(), options: Vec::new(), target }))
    }
}

/// Registers an interpreter.
#[derive(Debug)]
pub struct LoadInterp {
    /// `register` of the binfmt_misc that was mounted.
    pub register: CString,
    /// The definition, `:name:type:offset:magic:mask:interpreter:flags`.
    pub definition: CString,
}

impl LoadInterp {
    pub(super) fn run(&self, _at: &mut Child<'_>) -> Done {
        let file = open(self.register.as_c_str(), OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())
            .map_err(Call::Openat2.failed())?;
        rustix::io::write(&file, self.definition.to_bytes()).map(drop).map_err(Call::Write.failed())
    }
}

impl fmt::Display for LoadInterp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "register the interpreter `{}`", self.definition.to_string_lossy())
    }
}

impl Describe for LoadInterp {
    const NAME: &'static str = "load-interp";

    fn why(&self) -> Cow<'static, str> {
        "one with the flag F is opened as it is registered, and so before the change of root; others are looked for when they are needed".into()
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        match (fault.call, fault.errno) {
            (Call::Write, Errno::INVAL) => Some(
                "the kernel takes `:name:type:offset:magic:mask:interpreter:flags`, type M or E; offset, mask and flags \
                 may be empty"
                    .into(),
            ),
            (Call::Write, Errno::EXIST) => Some("an interpreter of this name is registered already".into()),
            (Call::Write, Errno::NOENT | Errno::ACCESS) => {
                Some("with the flag F the interpreter must be a file that can be executed here".into())
            }
            _ => None,
        }
    }
}
