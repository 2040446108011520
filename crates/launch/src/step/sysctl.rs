//! Writes a kernel setting of one of the container's namespaces, `linux.sysctl` of the runtime spec.

use super::{Child, Describe};
use crate::fault::{Call, Done, Fault};
use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;
use std::borrow::Cow;
use std::ffi::CString;
use std::fmt;

/// The step.
#[derive(Debug)]
pub struct Sysctl {
    /// Its path below procfs: `sys/net/ipv4/ip_forward`.
    pub path: CString,
    /// What is written.
    pub value: String,
}

impl Sysctl {
    pub(super) fn run(&self, at: &mut Child<'_>) -> Done {
        // Only the procfs that we have mounted ourselves: a look-alike in the image would swallow the setting.
        let procfs = at.procfs.as_ref().ok_or(Fault { call: Call::Check, errno: Errno::NOENT })?;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
        let file =
            openat2(procfs, self.path.as_c_str(), OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty(), resolve)
                .map_err(Call::Openat2.failed())?;
        rustix::io::write(&file, self.value.as_bytes()).map(drop).map_err(Call::Write.failed())
    }
}

impl fmt::Display for Sysctl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "write `{}` to /proc/{}", self.value, self.path.to_string_lossy())
    }
}

impl Describe for Sysctl {
    const NAME: &'static str = "sysctl";

    fn why(&self) -> Cow<'static, str> {
        "inside the new namespaces, so that it is theirs; before /proc/sys becomes read-only".into()
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        match (fault.call, fault.errno) {
            (Call::Check, _) => Some("the container has no procfs of its own to write it to".into()),
            (Call::Openat2, Errno::NOENT) => {
                Some("this kernel, or this kind of namespace, has no such setting".into())
            }
            (Call::Openat2 | Call::Write, Errno::ACCESS | Errno::PERM) => Some(
                "only settings that belong to one of the container's own namespaces can be written from it"
                    .into(),
            ),
            (Call::Write, Errno::INVAL) => Some("the kernel does not take this value".into()),
            _ => None,
        }
    }
}
