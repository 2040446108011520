//! Mounts something on a path of the root file system.

use super::copy_up::copy_up;
use super::source::{Source, attach};
use super::{Child, Describe};
use crate::fault::{Call, Done, Fault};
use crate::resolve::{self, Make, Target};
use crate::why::{Act, Around, Attempt};
use insula_sys::mount::{MountAttr, attr, mount_setattr};
use rustix::fd::AsFd;
use rustix::fs::{FileType, fstat};
use rustix::io::Errno;
use rustix::mount::MountAttrFlags;
use std::borrow::Cow;
use std::fmt;

/// The step.
#[derive(Debug)]
pub struct Mount {
    /// What is mounted.
    pub source: Source,
    /// Where.
    pub target: Target,
    /// Attributes and propagation.
    pub attrs: MountAttr,
    /// They hold for the mounts below too.
    pub recursive: bool,
    /// It begins with what the image has at its place.
    pub copy_up: bool,
    /// The reason for people, where the step's own is not enough.
    pub reason: Option<&'static str>,
}

impl Mount {
    pub(super) fn run(&self, at: &mut Child<'_>) -> Done {
        let is_new = matches!(self.source, Source::New { .. });
        let new_attrs = if is_new { self.attrs.set } else { 0 };
        let bits =
            u32::try_from(new_attrs).map_err(|_| Fault { call: Call::Fsmount, errno: Errno::INVAL })?;
        let tree = self.source.tree(at, MountAttrFlags::from_bits_retain(bits))?;
        // What is asked of the mount holds before anybody can see it.
        if !is_new && self.attrs != MountAttr::default() {
            mount_setattr(tree.as_fd(), self.recursive, self.attrs, None)
                .map_err(Call::MountSetattr.failed())?;
        } else if self.attrs.propagation != 0 {
            let only = MountAttr { set: 0, clear: 0, ..self.attrs };
            mount_setattr(tree.as_fd(), self.recursive, only, None).map_err(Call::MountSetattr.failed())?;
        }
        let kind = FileType::from_raw_mode(fstat(&tree).map_err(Call::Fstat.failed())?.st_mode);
        let make = if kind == FileType::Directory { Make::Directory } else { Make::File };
        let root = at.root.as_ref().ok_or(Fault { call: Call::Check, errno: Errno::BADF })?;
        let target = resolve::make(root.as_fd(), &self.target, make)?;
        if self.copy_up {
            copy_up(target.as_fd(), tree.as_fd())?;
        }
        attach(&tree, target.as_fd())?;
        if matches!(&self.source, Source::New { fstype, .. } if fstype.as_c_str() == c"proc") {
            at.procfs = Some(tree);
        }
        Ok(())
    }
}

/// The names of what is cleared, as the table of mounts has them.
fn cleared(attrs: MountAttr) -> Vec<&'static str> {
    let names =
        [(attr::RDONLY, "ro"), (attr::NOSUID, "nosuid"), (attr::NODEV, "nodev"), (attr::NOEXEC, "noexec")];
    names.into_iter().filter(|(bit, _)| attrs.clear & bit != 0).map(|(_, name)| name).collect()
}

impl fmt::Display for Mount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mount {} on {}", self.source, self.target.shown())?;
        f.write_str(if self.copy_up { ", with what is there" } else { "" })?;
        let words = [
            (attr::RDONLY, "read-only"),
            (attr::NOSUID, "nosuid"),
            (attr::NODEV, "nodev"),
            (attr::NOEXEC, "noexec"),
        ];
        for (bit, word) in words {
            if self.attrs.set & bit != 0 {
                write!(f, ", {word}")?;
            }
        }
        Ok(())
    }
}

impl Describe for Mount {
    const NAME: &'static str = "mount";

    fn why(&self) -> Cow<'static, str> {
        self.reason.unwrap_or("the configuration asks for it").into()
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        let new = match &self.source {
            Source::New { fstype, .. } => fstype.to_bytes(),
            _ => b"",
        };
        match (new, fault.call, fault.errno) {
            (b"proc" | b"sysfs", Call::FsconfigCreate | Call::Fsmount, Errno::PERM) => Some(
                "the kernel refuses a new one to a user namespace that cannot see all of the old one (parts of the outer \
                 one are masked, or the pid or network namespace is not our own)"
                    .into(),
            ),
            (b"", Call::OpenTree, Errno::NOENT) => Some("the source does not exist".into()),
            (b"", Call::OpenTree, Errno::INVAL) => {
                Some("a mount with locked mounts below it can be bound only recursively: write `rbind`".into())
            }
            (_, Call::MoveMount, Errno::NOTDIR) => {
                Some("the source is a directory and the target a file, or the other way round".into())
            }
            (_, Call::Mkdirat | Call::Openat2, Errno::ROFS) => {
                Some("the target is missing and the root file system cannot be written; make it there first".into())
            }
            (_, Call::Mkdirat | Call::Openat2, Errno::EXIST | Errno::LOOP) => {
                Some("the target is a symbolic link that leads nowhere; links are not followed out of the root".into())
            }
            (_, Call::MountSetattr, Errno::PERM) => Some(
                "flags that the host has set on the source (nosuid, nodev, noexec, ro) are locked in a user namespace: \
                 they can be added, not removed"
                    .into(),
            ),
            (_, Call::Fsopen, Errno::NODEV) => Some("this kernel has no such file system".into()),
            (_, Call::Fsconfig, Errno::INVAL) => Some("the file system does not take this option".into()),
            _ => None,
        }
    }

    fn act(&self, fault: &Fault, around: &Around<'_>) -> Option<Act> {
        let attempt = match (&self.source, fault.call) {
            // The target is in the root to come, which is not the root of who looks.
            (_, Call::Mkdirat | Call::Openat2 | Call::Fstat | Call::Check) => return None,
            (_, Call::MoveMount) if fault.errno != Errno::NOSPC => return None,
            (Source::Bind { path, .. }, Call::MountSetattr) => Attempt::Attributes {
                path: path.to_string_lossy().into_owned(),
                cleared: cleared(self.attrs),
            },
            (source, _) => source.attempt(around)?,
        };
        Some(Act::Mount(attempt))
    }
}
