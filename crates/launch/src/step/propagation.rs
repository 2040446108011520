//! Sets how mounts spread between this mount namespace and others, mount_namespaces(7).

use super::{Child, Describe};
use crate::fault::{Call, Done, Fault};
use crate::why::{Act, Around, Attempt};
use rustix::io::Errno;
use rustix::mount::{MountPropagationFlags, mount_change};
use std::borrow::Cow;
use std::fmt;

/// What the whole tree becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Events come in, none go out: `MS_SLAVE`.
    Slave,
    /// Nothing in, nothing out: `MS_PRIVATE`.
    Private,
    /// Events come in and go out among copies made from now on: `MS_SHARED`.
    Shared,
    /// Private, and not to be copied by a bind mount: `MS_UNBINDABLE`.
    Unbindable,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mode::Slave => "a slave of the host's",
            Mode::Private => "private",
            Mode::Shared => "shared",
            Mode::Unbindable => "unbindable",
        })
    }
}

/// The step.
#[derive(Debug)]
pub struct Propagation(pub Mode);

impl Propagation {
    pub(super) fn run(&self, _at: &mut Child<'_>) -> Done {
        change(self.0)
    }
}

/// The same for the container's own mounts, once its root is the root: `linux.rootfsPropagation`.
#[derive(Debug)]
pub struct RootPropagation(pub Mode);

impl RootPropagation {
    pub(super) fn run(&self, _at: &mut Child<'_>) -> Done {
        change(self.0)
    }
}

impl fmt::Display for RootPropagation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "make every mount of the container {}", self.0)
    }
}

impl Describe for RootPropagation {
    const NAME: &'static str = "root-propagation";

    fn why(&self) -> Cow<'static, str> {
        "for the mounts that are made in it from now on; the way to the host's was cut before".into()
    }
}

/// Changes every mount.
pub(super) fn change(mode: Mode) -> Done {
    let mode = match mode {
        Mode::Slave => MountPropagationFlags::DOWNSTREAM,
        Mode::Private => MountPropagationFlags::PRIVATE,
        Mode::Shared => MountPropagationFlags::SHARED,
        Mode::Unbindable => MountPropagationFlags::UNBINDABLE,
    };
    mount_change(c"/", mode | MountPropagationFlags::REC).map_err(Call::Mount.failed())
}

/// What to do where it is refused.
pub(super) fn refused(fault: &Fault) -> Option<&'static str> {
    match (fault.call, fault.errno) {
        (Call::Mount, Errno::INVAL) => Some(
            "the root directory is no mount point (chroot(2)): `--propagation unchanged` leaves the mounts as they are",
        ),
        (Call::Mount, Errno::PERM) => {
            Some("changing mounts wants CAP_SYS_ADMIN in the user namespace that owns the mount namespace")
        }
        _ => None,
    }
}

/// What was tried where it is refused.
pub(super) fn changed(fault: &Fault) -> Option<Act> {
    (fault.call == Call::Mount).then(|| Act::Mount(Attempt::Propagation { path: "/".to_owned() }))
}

impl fmt::Display for Propagation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "make every mount {}", self.0)
    }
}

impl Describe for Propagation {
    const NAME: &'static str = "propagation";

    fn why(&self) -> Cow<'static, str> {
        match self.0 {
            Mode::Shared => {
                "what is mounted here is to appear in namespaces that are copied from this one".into()
            }
            _ => {
                "mounts made here must not appear on the host, and pivot_root refuses a shared parent".into()
            }
        }
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        refused(fault).map(Cow::from)
    }

    fn act(&self, fault: &Fault, _around: &Around<'_>) -> Option<Act> {
        changed(fault)
    }
}
