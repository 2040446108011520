//! The change of root, pivot_root(2), and what depends on it.

use super::{Child, Describe};
use crate::fault::{Call, Done, Fault};
use crate::why::{Act, Around, Attempt};
use insula_sys::mount::{MountAttr, attr, mount_setattr};
use rustix::fd::AsFd;
use rustix::fs::{Mode, OFlags, fstat, open, stat};
use rustix::io::Errno;
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use rustix::process::{chdir, chroot, fchdir, pivot_root};
use std::borrow::Cow;
use std::ffi::{CStr, CString};
use std::fmt;

/// Makes the new root the root.
#[derive(Debug)]
pub enum Pivot {
    /// pivot_root(2), and the old one is let go of.
    Exchange,
    /// The new root, which lies upon the old one, is entered by chroot(2), for roots that pivot_root cannot leave (the
    /// kernel's initial ramfs).
    Over {
        /// Where the old tree has procfs and sysfs: they go, or are covered. One that could be reached would let the kernel
        /// mount another without its masks (mount_namespaces(7)).
        hidden: Vec<CString>,
    },
}

impl Pivot {
    pub(super) fn run(&self, at: &mut Child<'_>) -> Done {
        let root = at.root.as_ref().ok_or(Fault { call: Call::Check, errno: Errno::BADF })?;
        match self {
            Pivot::Exchange => {
                fchdir(root).map_err(Call::Chdir.failed())?;
                // pivot_root(2): "new_root and put_old may be the same directory"; the old root then lies on top of the new.
                pivot_root(c".", c".").map_err(Call::PivotRoot.failed())?;
                // On top of the old root lies the layers' file system, which only overlays still need, by clones of their own.
                if at.layers.take().is_some() {
                    unmount(c".", UnmountFlags::DETACH).map_err(Call::Umount2.failed())?;
                }
                unmount(c".", UnmountFlags::DETACH).map_err(Call::Umount2.failed())?;
            }
            Pivot::Over { hidden } => {
                hidden.iter().try_for_each(|path| hide(path))?;
                fchdir(root).map_err(Call::Chdir.failed())?;
                chroot(c".").map_err(Call::Chroot.failed())?;
            }
        }
        chdir(c"/").map_err(Call::Chdir.failed())?;
        // Proof that nothing of the old tree is left above: the way up from the root leads to the root.
        let (up, root) = (stat(c"/.."), fstat(root));
        match (up.map_err(Call::Fstat.failed())?, root.map_err(Call::Fstat.failed())?) {
            (up, root) if (up.st_dev, up.st_ino) == (root.st_dev, root.st_ino) => Ok(()),
            _ => Err(Fault { call: Call::Check, errno: Errno::BUSY }),
        }
    }
}

/// Takes a mount of the old tree away; where it is locked, an empty file system is put over it.
fn hide(path: &CStr) -> Done {
    match unmount(path, UnmountFlags::DETACH) {
        // It went with what it was mounted below.
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(Errno::INVAL | Errno::PERM) => {
            mount(c"tmpfs", path, c"tmpfs", MountFlags::RDONLY, None).map_err(Call::Mount.failed())
        }
        Err(errno) => Err(Fault { call: Call::Umount2, errno }),
    }
}

impl fmt::Display for Pivot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pivot::Exchange => f.write_str("make it the root, and let go of the old one"),
            Pivot::Over { hidden } => {
                f.write_str("enter it by chroot, upon the old one, of which is hidden:")?;
                hidden.iter().try_for_each(|path| write!(f, " {}", path.to_string_lossy()))
            }
        }
    }
}

impl Describe for Pivot {
    const NAME: &'static str = "pivot-root";

    fn why(&self) -> Cow<'static, str> {
        match self {
            Pivot::Exchange => {
                "after it no path leads to the host's files; a chroot would leave a way back".into()
            }
            Pivot::Over { .. } => {
                "as was asked for: the old root stays below, for who may mount to find".into()
            }
        }
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        (fault.call == Call::PivotRoot && fault.errno == Errno::INVAL).then(|| {
            "the present root is no mount point (a chroot), or is the kernel's initial ramfs: \
             pivot_root works from a real root mount only; the OCI runtime's `--no-pivot` does without it"
                .into()
        })
    }

    fn act(&self, fault: &Fault, _around: &Around<'_>) -> Option<Act> {
        // The new root is the working directory, and the old one goes upon it.
        let here = || ".".to_owned();
        (fault.call == Call::PivotRoot)
            .then(|| Act::Mount(Attempt::Pivot { new_root: here(), put_old: here() }))
    }
}

/// Makes the root mount read-only.
#[derive(Debug)]
pub struct RootReadOnly;

impl RootReadOnly {
    pub(super) fn run(&self, at: &mut Child<'_>) -> Done {
        let root = at.root.as_ref().ok_or(Fault { call: Call::Check, errno: Errno::BADF })?;
        let attrs = MountAttr { set: attr::RDONLY, ..MountAttr::default() };
        mount_setattr(root.as_fd(), false, attrs, None).map_err(Call::MountSetattr.failed())
    }
}

impl fmt::Display for RootReadOnly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("make the root mount read-only")
    }
}

impl Describe for RootReadOnly {
    const NAME: &'static str = "root-read-only";

    fn why(&self) -> Cow<'static, str> {
        "mount points had to be made in it first".into()
    }
}

/// Goes to the working directory.
#[derive(Debug)]
pub struct WorkDir {
    /// `process.cwd`.
    pub path: CString,
    /// Where it is missing, `/` will do: it was not asked for by name.
    pub or_root: bool,
}

impl WorkDir {
    pub(super) fn run(&self, _at: &mut Child<'_>) -> Done {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match open(self.path.as_c_str(), flags, Mode::empty()).and_then(fchdir) {
            Err(Errno::NOENT | Errno::NOTDIR | Errno::ACCESS) if self.or_root => {
                chdir(c"/").map_err(Call::Chdir.failed())
            }
            done => done.map_err(Call::Chdir.failed()),
        }
    }
}

impl fmt::Display for WorkDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "go to `{}`", self.path.to_string_lossy())?;
        f.write_str(if self.or_root { ", or to / if it is not there" } else { "" })
    }
}

impl Describe for WorkDir {
    const NAME: &'static str = "work-dir";

    fn why(&self) -> Cow<'static, str> {
        "after the change of root, so that it is a directory of the container; as its user, so that rights hold".into()
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        match fault.errno {
            Errno::NOENT | Errno::NOTDIR => Some("there is no such directory in the container".into()),
            Errno::ACCESS => Some("the container's user may not enter it".into()),
            _ => None,
        }
    }

    fn act(&self, _fault: &Fault, _around: &Around<'_>) -> Option<Act> {
        Some(Act::Mount(Attempt::Reach { path: self.path.to_string_lossy().into_owned() }))
    }
}
