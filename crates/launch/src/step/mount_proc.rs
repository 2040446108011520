//! Mounts procfs where the caller says, as unshare(1) does before it runs the program.

use super::{Child, Describe};
use crate::fault::{Call, Done, Fault};
use crate::why::{Act, Around, Attempt};
use rustix::io::Errno;
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use std::borrow::Cow;
use std::ffi::CString;
use std::fmt;

/// The step.
#[derive(Debug)]
pub struct MountProc {
    /// Where.
    pub target: CString,
    /// What is mounted there now is made private first, so that the new mount spreads nowhere. Not needed where all
    /// mounts are private already.
    pub cut_off: bool,
    /// This process is in a pid namespace of its own.
    pub own_pids: bool,
}

impl MountProc {
    pub(super) fn run(&self, _at: &mut Child<'_>) -> Done {
        let target = self.target.as_c_str();
        if self.cut_off {
            let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
            match mount_change(target, private) {
                // Nothing is mounted there, and so nothing can spread.
                Ok(()) | Err(Errno::INVAL) => {}
                Err(errno) => return Err(Fault { call: Call::Mount, errno }),
            }
        }
        let flags = MountFlags::NOSUID | MountFlags::NOEXEC | MountFlags::NODEV;
        mount(c"proc", target, c"proc", flags, None).map_err(Call::Mount.failed())
    }
}

impl fmt::Display for MountProc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mount procfs on `{}`", self.target.to_string_lossy())
    }
}

impl Describe for MountProc {
    const NAME: &'static str = "mount-proc";

    fn why(&self) -> Cow<'static, str> {
        "a procfs shows the pid namespace of who mounts it; the one that is there shows the old one".into()
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        if fault.call != Call::Mount {
            return None;
        }
        match fault.errno {
            Errno::PERM if !self.own_pids => Some(
                "a procfs may be mounted by who owns the pid namespace: add `--pid --fork`, so that there is a new one".into(),
            ),
            Errno::PERM => Some(
                "parts of the present /proc are covered, as containers do, and a new procfs would uncover them \
                 (mount_namespaces(7)); or CAP_SYS_ADMIN is missing: `--map-root-user`"
                    .into(),
            ),
            Errno::NOENT | Errno::NOTDIR => Some("there is no such directory to mount on".into()),
            Errno::NOMEM => Some("the first process of this pid namespace has ended: no procfs can show it".into()),
            _ => None,
        }
    }

    fn act(&self, fault: &Fault, _around: &Around<'_>) -> Option<Act> {
        let target = Some(self.target.to_string_lossy().into_owned());
        let attempt = Attempt::New { fstype: "proc".to_owned(), options: Vec::new(), target };
        (fault.call == Call::Mount).then_some(Act::Mount(attempt))
    }
}
