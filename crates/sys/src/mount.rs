//! mount_setattr(2): attributes, propagation and id maps of a mount, by fd.

use rustix::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use rustix::io::Errno;
use std::mem::size_of;

/// What mount_setattr(2) changes.
#[derive(Default, Debug, Clone, Copy, PartialEq, Eq)]
pub struct MountAttr {
    /// `MOUNT_ATTR_*` to set.
    pub set: u64,
    /// `MOUNT_ATTR_*` to clear.
    pub clear: u64,
    /// `MS_SHARED`, `MS_SLAVE`, `MS_PRIVATE`, `MS_UNBINDABLE`, or 0 for no change.
    pub propagation: u64,
}

/// `struct mount_attr`, mount_setattr(2).
#[repr(C)]
struct Raw {
    set: u64,
    clear: u64,
    propagation: u64,
    userns_fd: u64,
}

/// `MOUNT_ATTR_*`, mount_setattr(2).
pub mod attr {
    /// No writing.
    pub const RDONLY: u64 = 0x1;
    /// Set-user-ID bits and file capabilities are ignored.
    pub const NOSUID: u64 = 0x2;
    /// Device nodes cannot be opened.
    pub const NODEV: u64 = 0x4;
    /// Nothing can be executed.
    pub const NOEXEC: u64 = 0x8;
    /// The three access time modes, of which relatime is 0.
    pub const ATIME: u64 = 0x70;
    /// Access times are never updated.
    pub const NOATIME: u64 = 0x10;
    /// Access times are always updated.
    pub const STRICTATIME: u64 = 0x20;
    /// Directory access times are never updated.
    pub const NODIRATIME: u64 = 0x80;
    /// Ids are translated by a user namespace's maps.
    pub const IDMAP: u64 = 0x0010_0000;
    /// Symbolic links are not followed.
    pub const NOSYMFOLLOW: u64 = 0x0020_0000;
}

/// mount_setattr(2) on the mount that `mount` is open on, with all mounts below it if `recursive`.
///
/// With `userns`, `MOUNT_ATTR_IDMAP` is added and the maps are that user namespace's.
pub fn mount_setattr(
    mount: BorrowedFd<'_>,
    recursive: bool,
    attr: MountAttr,
    userns: Option<BorrowedFd<'_>>,
) -> Result<(), Errno> {
    let mut raw = Raw { set: attr.set, clear: attr.clear, propagation: attr.propagation, userns_fd: 0 };
    if let Some(userns) = userns {
        raw.set |= attr::IDMAP;
        raw.userns_fd = u64::try_from(userns.as_raw_fd()).map_err(|_| Errno::BADF)?;
    }
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: `raw` is a mount_attr of the size given and outlives the call; the path is a static empty C string; the
    // descriptors are borrowed.
    crate::check(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const raw,
            size_of::<Raw>(),
        )
    })
    .map(drop)
}

/// `OPEN_TREE_CLONE` of <linux/mount.h>.
const OPEN_TREE_CLONE: libc::c_int = 1;
/// open_tree_attr(2), the same number on every architecture.
const SYS_OPEN_TREE_ATTR: libc::c_long = 467;

/// open_tree_attr(2): a detached clone of the mount that `mount` is open on, with attributes that hold from its birth on
/// (Linux 6.15; ENOSYS before).
pub fn open_tree_attr(mount: BorrowedFd<'_>, attr: MountAttr) -> Result<OwnedFd, Errno> {
    let raw = Raw { set: attr.set, clear: attr.clear, propagation: attr.propagation, userns_fd: 0 };
    let flags = OPEN_TREE_CLONE | libc::O_CLOEXEC | libc::AT_EMPTY_PATH;
    // SAFETY: `raw` is a mount_attr of the size given and outlives the call; the path is a static empty C string; the
    // descriptor is borrowed.
    let made = crate::check(unsafe {
        libc::syscall(
            SYS_OPEN_TREE_ATTR,
            mount.as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const raw,
            size_of::<Raw>(),
        )
    })?;
    let made = libc::c_int::try_from(made).map_err(|_| Errno::BADF)?;
    // SAFETY: the kernel has just made this descriptor for us; nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(made) })
}
