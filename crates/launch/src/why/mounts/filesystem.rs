//! Why a file system cannot be mounted here: the kernel has it not, a user namespace may not, or there are too many.

use super::super::key::keys;
use super::super::subject::sysctl;
use super::view::View;
use rustix::io::Errno;
use std::fmt;
use std::fs;

/// Those that a user namespace may mount (`FS_USERNS_MOUNT` in the kernel), with the release that let it.
const FOR_USERS: &[(&str, &str)] = &[
    ("binfmt_misc", "6.7"),
    ("bpf", "4.4"),
    ("cgroup", "4.6"),
    ("cgroup2", "4.6"),
    ("devpts", "4.7"),
    ("fuse", "4.18"),
    ("mqueue", "3.9"),
    ("overlay", "5.11"),
    ("proc", "3.8"),
    ("ramfs", "3.9"),
    ("sysfs", "3.8"),
    ("tmpfs", "3.9"),
];

/// The cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filesystem {
    /// The kernel does not know it.
    Unknown {
        /// Its type.
        fstype: String,
        /// There is a module of it for this kernel.
        module: bool,
    },
    /// Only the host may mount it.
    HostOnly {
        /// Its type.
        fstype: String,
        /// It lies on a device.
        on_device: bool,
        /// The release that lets user namespaces.
        since: Option<&'static str>,
    },
    /// The mount namespace is full.
    TooMany {
        /// How many mounts there are.
        mounts: usize,
        /// `fs.mount-max`.
        most: usize,
    },
    /// The path is no mount point.
    NoMountPoint {
        /// Which.
        path: String,
        /// It is the root directory: a chroot.
        is_root: bool,
    },
}

keys! { Filesystem {
    Unknown = "filesystem-unknown",
    HostOnly = "filesystem-host-only",
    TooMany = "mounts-too-many",
    NoMountPoint = "propagation-no-mount-point",
} }

impl fmt::Display for Filesystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Filesystem::Unknown { fstype, module: true } => {
                write!(f, "/proc/filesystems has no {fstype}: its module is there, and not loaded")
            }
            Filesystem::Unknown { fstype, module: false } => {
                write!(f, "/proc/filesystems has no {fstype}, and this kernel has no module of it")
            }
            Filesystem::HostOnly { fstype, on_device: true, .. } => {
                write!(f, "{fstype} lies on a device: the kernel lets no user namespace mount it")
            }
            Filesystem::HostOnly { fstype, since: Some(since), .. } => {
                write!(
                    f,
                    "user namespaces may mount {fstype} from Linux {since} on, and this is an older one"
                )
            }
            Filesystem::HostOnly { fstype, .. } => {
                write!(f, "the kernel lets no user namespace mount {fstype}")
            }
            Filesystem::TooMany { mounts, most } => {
                write!(f, "there are {mounts} mounts in this mount namespace, and fs.mount-max is {most}")
            }
            Filesystem::NoMountPoint { is_root: true, .. } => {
                f.write_str("the root directory is no mount point: this process is in a chroot")
            }
            Filesystem::NoMountPoint { path, .. } => write!(f, "`{path}` is no mount point"),
        }
    }
}

impl Filesystem {
    /// What to do about it.
    pub fn cure(&self) -> String {
        match self {
            Filesystem::Unknown { fstype, module: true } => {
                format!("as root of the host: `modprobe {fstype}`")
            }
            Filesystem::Unknown { fstype, .. } => {
                format!("a kernel with {fstype}, or its package of modules (Debian: linux-image)")
            }
            Filesystem::HostOnly { on_device: true, .. } => {
                "mount it as root of the host and bind it (`-v`), or by FUSE (fuse2fs, squashfuse)".to_owned()
            }
            Filesystem::HostOnly { .. } => {
                "mount it as root of the host, and bind it (`-v`, `mount --bind`)".to_owned()
            }
            Filesystem::TooMany { most, .. } => {
                format!(
                    "as root of the host: `sysctl fs.mount-max={}`; or unmount some (`findmnt | wc -l`)",
                    most.saturating_mul(2)
                )
            }
            Filesystem::NoMountPoint { is_root: true, .. } => {
                "`--propagation unchanged` leaves the mounts as they are; or start outside of the chroot"
                    .to_owned()
            }
            Filesystem::NoMountPoint { path, .. } => format!("make it one: `mount --bind {path} {path}`"),
        }
    }
}

/// Whether a user namespace may mount it, on some kernel.
pub(super) fn is_for_users(fstype: &str) -> bool {
    FOR_USERS.iter().any(|(name, _)| *name == fstype)
}

/// Whether the kernel knows the type now, and whether it lies on a device.
fn known(fstype: &str) -> Option<bool> {
    let list = fs::read_to_string("/proc/filesystems").ok()?;
    list.lines().find_map(|line| {
        let (nodev, name) = line.split_once('\t')?;
        (name == fstype).then_some(nodev.is_empty())
    })
}

/// Whether there is a module of it for the kernel that runs, modules.dep(5).
fn has_module(fstype: &str) -> bool {
    let release = rustix::system::uname();
    let list =
        fs::read_to_string(format!("/lib/modules/{}/modules.dep", release.release().to_string_lossy()));
    list.is_ok_and(|list| {
        list.lines().any(|line| {
            let file = line.split(':').next().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
            file.split('.').next() == Some(fstype)
        })
    })
}

/// Why it was not mounted.
pub(super) fn refused(fstype: &str, errno: Errno, view: &View<'_>) -> Option<Filesystem> {
    match errno {
        Errno::NODEV if known(fstype).is_none() => {
            Some(Filesystem::Unknown { fstype: fstype.to_owned(), module: has_module(fstype) })
        }
        Errno::PERM if view.is_in_user_namespace() => {
            let since = FOR_USERS.iter().find(|(name, _)| *name == fstype).map(|(_, since)| *since);
            let on_device = known(fstype)?;
            let is_newer = since.is_some_and(super::super::features::is_newer);
            (since.is_none() || is_newer).then(|| Filesystem::HostOnly {
                fstype: fstype.to_owned(),
                on_device,
                since,
            })
        }
        Errno::NOSPC => too_many(view),
        _ => None,
    }
}

/// Whether the mount namespace is full.
pub(super) fn too_many(view: &View<'_>) -> Option<Filesystem> {
    let most: usize = sysctl("fs/mount-max")?.parse().ok()?;
    let mounts = view.table.len();
    // What is under way counts too, and what cannot be seen from a root further down.
    (mounts.saturating_add(mounts / 8) >= most).then_some(Filesystem::TooMany { mounts, most })
}

/// Why a mount's propagation was not changed.
pub(super) fn propagation(path: &str, errno: Errno, view: &View<'_>) -> Option<Filesystem> {
    let is_none = errno == Errno::INVAL && view.is_mount_point(path) == Some(false);
    let is_root = view.whole(path).as_deref() == Some("/") || path == "/";
    is_none.then(|| Filesystem::NoMountPoint { path: path.to_owned(), is_root })
}
