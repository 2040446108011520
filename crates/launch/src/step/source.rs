//! Where a mount comes from: a new file system, a bind, an overlay, or a tree that the parent made.

use super::Child;
use crate::fault::{Call, Fault};
use crate::kit::Slot;
use crate::resolve::{self, Make, Target};
use crate::slate::{Slate, TEXT_BYTES};
use crate::why::{Around, Attempt};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{CWD, Mode, OFlags, fchmod, fchown, fstat};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, fsconfig_create,
    fsconfig_set_fd, fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, move_mount, open_tree,
};
use rustix::process::{Gid, Uid};
use std::ffi::{CStr, CString};
use std::fmt;

/// The source of a mount.
#[derive(Debug)]
pub enum Source {
    /// A new instance of a file system: fsopen(2).
    New {
        /// Its type.
        fstype: CString,
        /// `FSCONFIG_SET_STRING "source"`, for /proc/self/mountinfo.
        source: CString,
        /// Its parameters: `key=value` or a flag.
        options: Vec<(CString, Option<CString>)>,
    },
    /// A part of the tree that the child sees: open_tree(2).
    Bind {
        /// Its path in the child's present root.
        path: CString,
        /// With the mounts below it.
        recursive: bool,
    },
    /// A tree that the parent has made.
    Made(Slot),
    /// A copy-on-write view.
    Overlay(Overlay),
}

/// An overlay whose upper layer lives in [`Child::layers`].
#[derive(Debug)]
pub struct Overlay {
    /// What is seen through it.
    pub lower: Lower,
    /// The upper layer's directory below the layers.
    pub upper: Target,
    /// Its work directory below the layers.
    pub work: Target,
    /// Use `user.*` attributes: the only ones that an overlay in a user namespace may write.
    pub userxattr: bool,
}

/// The lower layer.
#[derive(Debug)]
pub enum Lower {
    /// A directory that the child sees.
    Path(CString),
    /// A tree that the parent made, attached at this place below the layers' file system first: an overlay takes
    /// detached layers only from Linux 6.15.
    Made {
        /// The tree.
        slot: Slot,
        /// Where it is attached.
        at: Target,
    },
}

impl Source {
    /// Makes the detached tree. `attrs` is for new file systems, the other kinds are changed by mount_setattr(2) after.
    pub fn tree(&self, at: &mut Child<'_>, attrs: MountAttrFlags) -> Result<OwnedFd, Fault> {
        match self {
            Source::New { fstype, source, options } => {
                let fs =
                    fsopen(fstype.as_c_str(), FsOpenFlags::FSOPEN_CLOEXEC).map_err(Call::Fsopen.failed())?;
                fsconfig_set_string(&fs, c"source", source.as_c_str()).map_err(Call::Fsconfig.failed())?;
                for (key, value) in options {
                    let set = match value {
                        Some(value) => fsconfig_set_string(&fs, key.as_c_str(), value.as_c_str()),
                        None => fsconfig_set_flag(&fs, key.as_c_str()),
                    };
                    logged(&fs, at.slate, set).map_err(Call::Fsconfig.failed())?;
                }
                created(&fs, at.slate, attrs)
            }
            Source::Bind { path, recursive } => clone(CWD, path, *recursive),
            Source::Made(slot) => at.kit.take(*slot).ok_or(Fault { call: Call::Check, errno: Errno::BADF }),
            Source::Overlay(overlay) => overlay.tree(at, attrs),
        }
    }
}

/// open_tree(2) with `OPEN_TREE_CLONE`; an empty path clones what `dir` is open on.
pub(super) fn clone(dir: BorrowedFd<'_>, path: &CStr, recursive: bool) -> Result<OwnedFd, Fault> {
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    if recursive {
        flags |= OpenTreeFlags::AT_RECURSIVE;
    }
    if path.is_empty() {
        flags |= OpenTreeFlags::AT_EMPTY_PATH;
    }
    open_tree(dir, path, flags).map_err(Call::OpenTree.failed())
}

/// Attaches a detached tree to the place that `target` is open on.
pub(super) fn attach(tree: &OwnedFd, target: BorrowedFd<'_>) -> Result<(), Fault> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    move_mount(tree, c"", target, c"", flags).map_err(Call::MoveMount.failed())
}

/// Keeps what the kernel wrote about a refusal (fsopen(2): "message log"), then hands the result on.
fn logged<T>(fs: &OwnedFd, slate: &Slate, result: Result<T, Errno>) -> Result<T, Errno> {
    if result.is_err() {
        let mut text = [0u8; TEXT_BYTES];
        if let Ok(length) = rustix::io::read(fs, &mut text) {
            slate.note(&text[..length]);
        }
    }
    result
}

fn created(fs: &OwnedFd, slate: &Slate, attrs: MountAttrFlags) -> Result<OwnedFd, Fault> {
    logged(fs, slate, fsconfig_create(fs)).map_err(Call::FsconfigCreate.failed())?;
    fsmount(fs, FsMountFlags::FSMOUNT_CLOEXEC, attrs).map_err(Call::Fsmount.failed())
}

impl Overlay {
    fn tree(&self, at: &mut Child<'_>, attrs: MountAttrFlags) -> Result<OwnedFd, Fault> {
        let layers = at.layers.as_ref().ok_or(Fault { call: Call::Check, errno: Errno::BADF })?.as_fd();
        let lower = match &self.lower {
            Lower::Path(path) => resolve::locate_host(path).map_err(Call::Openat2.failed())?,
            Lower::Made { slot, at: place } => {
                let tree = at.kit.take(*slot).ok_or(Fault { call: Call::Check, errno: Errno::BADF })?;
                attach(&tree, resolve::make(layers, place, Make::Directory)?.as_fd())?;
                tree
            }
        };
        let upper = self.upper(layers, &lower)?;
        let work = resolve::make(layers, &self.work, Make::Directory)?;
        let fs = fsopen(c"overlay", FsOpenFlags::FSOPEN_CLOEXEC).map_err(Call::Fsopen.failed())?;
        fsconfig_set_string(&fs, c"source", c"insula").map_err(Call::Fsconfig.failed())?;
        if self.userxattr {
            logged(&fs, at.slate, fsconfig_set_flag(&fs, c"userxattr")).map_err(Call::Fsconfig.failed())?;
        }
        layer(&fs, [c"lowerdir+", c"lowerdir"], &lower, at.slate)?;
        layer(&fs, [c"upperdir", c"upperdir"], &upper, at.slate)?;
        layer(&fs, [c"workdir", c"workdir"], &work, at.slate)?;
        created(&fs, at.slate, attrs)
    }
}

impl Overlay {
    /// The upper directory, like the lower one when it is new: an overlay's root has the upper one's mode and owner.
    fn upper(&self, layers: BorrowedFd<'_>, lower: &OwnedFd) -> Result<OwnedFd, Fault> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        match resolve::open(layers, self.upper.as_c_str(), flags) {
            Err(Errno::NOENT) => {}
            found => return found.map_err(Call::Openat2.failed()),
        }
        resolve::make(layers, &self.upper, Make::Directory)?;
        let upper = resolve::open(layers, self.upper.as_c_str(), flags).map_err(Call::Openat2.failed())?;
        let like = fstat(lower).map_err(Call::Fstat.failed())?;
        // An owner that is not mapped here (nobody, whom chown refuses) leaves the new directory ours.
        let _ = fchown(&upper, Some(Uid::from_raw(like.st_uid)), Some(Gid::from_raw(like.st_gid)));
        fchmod(&upper, Mode::from_raw_mode(like.st_mode)).map_err(Call::Fchmod.failed())?;
        Ok(upper)
    }
}

/// Names a layer: by descriptor where the kernel can (Linux 6.13), else by its path in /proc, which needs no escaping.
fn layer(fs: &OwnedFd, [by_fd, by_path]: [&CStr; 2], dir: &OwnedFd, slate: &Slate) -> Result<(), Fault> {
    if fsconfig_set_fd(fs, by_fd, dir).is_ok() {
        return Ok(());
    }
    let mut space = [0u8; 32];
    let path = fd_path(dir, &mut space).ok_or(Fault { call: Call::Check, errno: Errno::OVERFLOW })?;
    logged(fs, slate, fsconfig_set_string(fs, by_path, path)).map_err(Call::Fsconfig.failed())
}

/// `/proc/self/fd/N` in `space`, without allocation.
fn fd_path<'a>(fd: &OwnedFd, space: &'a mut [u8; 32]) -> Option<&'a CStr> {
    use rustix::fd::AsRawFd;
    use std::io::Write;
    let mut rest = &mut space[..31];
    write!(rest, "/proc/self/fd/{}", fd.as_raw_fd()).ok()?;
    CStr::from_bytes_until_nul(space).ok()
}

impl Source {
    /// What was tried with it, for who looks for the cause of a refusal.
    pub(super) fn attempt(&self, around: &Around<'_>) -> Option<Attempt> {
        let text = |text: &CString| text.to_string_lossy().into_owned();
        Some(match self {
            Source::New { fstype, options, .. } => Attempt::New {
                fstype: text(fstype),
                options: options.iter().map(|(key, value)| (text(key), value.as_ref().map(text))).collect(),
                target: None,
            },
            Source::Bind { path, recursive } => {
                Attempt::Bind { source: text(path), recursive: *recursive, target: None }
            }
            Source::Overlay(overlay) => {
                let mut options = Vec::new();
                if let Lower::Path(path) = &overlay.lower {
                    options.push(("lowerdir".to_owned(), Some(text(path))));
                }
                if let Some(kept) = around.kept {
                    options.push(("upperdir".to_owned(), Some(kept.to_owned())));
                }
                if overlay.userxattr {
                    options.push(("userxattr".to_owned(), None));
                }
                Attempt::New { fstype: "overlay".to_owned(), options, target: None }
            }
            Source::Made(_) => return None,
        })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::New { fstype, options, .. } => {
                write!(f, "a new {}", fstype.to_string_lossy())?;
                for (i, (key, value)) in options.iter().enumerate() {
                    write!(f, "{}{}", if i == 0 { " (" } else { "," }, key.to_string_lossy())?;
                    if let Some(value) = value {
                        write!(f, "={}", value.to_string_lossy())?;
                    }
                }
                f.write_str(if options.is_empty() { "" } else { ")" })
            }
            Source::Bind { path, recursive } => {
                write!(
                    f,
                    "`{}`{}",
                    path.to_string_lossy(),
                    if *recursive { " with all below it" } else { "" }
                )
            }
            Source::Made(_) => f.write_str("the parent's clone"),
            Source::Overlay(overlay) => match &overlay.lower {
                Lower::Path(path) => write!(f, "`{}`, copy-on-write", path.to_string_lossy()),
                Lower::Made { .. } => f.write_str("the parent's clone, copy-on-write"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_fd_path_is_written_without_allocation() {
        let fd = rustix::fs::open(c"/", rustix::fs::OFlags::PATH, rustix::fs::Mode::empty()).unwrap();
        let mut space = [0; 32];
        let path = fd_path(&fd, &mut space).unwrap().to_str().unwrap().to_owned();
        assert_eq!(std::fs::read_link(path).unwrap(), std::path::Path::new("/"));
    }
}
