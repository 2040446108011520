//! Why an overlay was refused: which layer, and what about it (the kernel's overlayfs.rst).

use super::super::key::keys;
use super::locked::{self, Locked};
use super::places::{self, Place};
use super::view::View;
use crate::host::table::Mounted;
use rustix::fd::AsRawFd;
use rustix::fs::{IFlags, Mode, OFlags, ioctl_getflags, open};
use rustix::io::Errno;
use std::fmt;

/// File systems that cannot hold a changed layer: names may change under it, or none can be kept. (One without extended
/// attributes is not refused: what is deleted in the overlay fails later.)
const NO_UPPER: &[&str] =
    &["overlay", "nfs", "nfs4", "cifs", "smb3", "ceph", "vfat", "exfat", "msdos", "ecryptfs", "9p", "afs"];
/// How deep file systems may be stacked, `FILESYSTEM_MAX_STACK_DEPTH`.
const DEEPEST: u32 = 2;
/// `FS_CASEFOLD_FL` of <linux/fs.h>.
const CASEFOLD: u32 = 0x4000_0000;

/// The cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Overlay {
    /// A layer is not there, or cannot be reached.
    Layer {
        /// Which: `lowerdir`, `upperdir`, `workdir`.
        role: &'static str,
        /// Why not.
        place: Place,
    },
    /// Mounts are locked to a lower layer.
    Lower(Locked),
    /// The upper layer's file system cannot hold one.
    Upper {
        /// The layer.
        path: String,
        /// The type of its file system.
        fstype: String,
    },
    /// The upper layer is read-only.
    ReadOnly(Place),
    /// The work directory is on another mount than the upper layer.
    WorkElsewhere {
        /// The upper layer, and its mount.
        upper: (String, String),
        /// The work directory, and its mount.
        work: (String, String),
    },
    /// The work directory and the upper layer are within one another.
    WorkWithin {
        /// The upper layer.
        upper: String,
        /// The work directory.
        work: String,
    },
    /// A layer folds upper and lower case together.
    Casefold {
        /// Which.
        path: String,
    },
    /// Overlays lie upon overlays already.
    TooDeep {
        /// The layer that is one too many.
        path: String,
    },
    /// Another overlay uses the upper layer or the work directory.
    InUse {
        /// Which.
        path: String,
        /// Where that overlay is mounted.
        by: String,
    },
}

keys! { Overlay {
    Layer = "overlay-layer",
    Lower = "overlay-lower-locked",
    Upper = "overlay-upper-filesystem",
    ReadOnly = "overlay-upper-read-only",
    WorkElsewhere = "overlay-work-elsewhere",
    WorkWithin = "overlay-work-within",
    Casefold = "overlay-casefold",
    TooDeep = "overlay-too-deep",
    InUse = "overlay-in-use",
} }

impl fmt::Display for Overlay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Overlay::Layer { role, place } => write!(f, "{role}: {place}"),
            Overlay::Lower(locked) => write!(f, "a lower layer: {locked}"),
            Overlay::Upper { path, fstype } => {
                write!(f, "the upper layer `{path}` is on {fstype}, which cannot hold one")
            }
            Overlay::ReadOnly(place) => write!(f, "the upper layer: {place}"),
            Overlay::WorkElsewhere { upper, work } => write!(
                f,
                "the work directory `{}` is on the mount `{}`, the upper layer `{}` on `{}`",
                work.0, work.1, upper.0, upper.1
            ),
            Overlay::WorkWithin { upper, work } => {
                write!(f, "the upper layer `{upper}` and the work directory `{work}` lie within one another")
            }
            Overlay::Casefold { path } => write!(f, "the layer `{path}` does not tell upper from lower case"),
            Overlay::TooDeep { path } => {
                write!(
                    f,
                    "the layer `{path}` is an overlay of overlays already, and no more than two may be stacked"
                )
            }
            Overlay::InUse { path, by } => {
                write!(f, "`{path}` belongs to the overlay on `{by}` at this moment")
            }
        }
    }
}

impl Overlay {
    /// What to do about it.
    pub fn cure(&self) -> String {
        match self {
            Overlay::Layer { place, .. } | Overlay::ReadOnly(place) => place.cure(),
            Overlay::Lower(_) => {
                "take a directory without mounts below it as the layer, or compose the root of one overlay for each such directory".to_owned()
            }
            Overlay::Upper { .. } => "put upperdir and workdir on ext4, xfs, btrfs or tmpfs".to_owned(),
            Overlay::WorkElsewhere { upper, .. } => format!("put it beside the upper layer, on `{}`", upper.1),
            Overlay::WorkWithin { .. } => "put them side by side, `…/upper` and `…/work`".to_owned(),
            Overlay::Casefold { path } => format!("take a directory without that flag: `chattr -F {path}` while it is empty"),
            Overlay::TooDeep { .. } => "give its layers to this overlay directly: `lowerdir=A:B:C`".to_owned(),
            Overlay::InUse { by, .. } => format!("take other directories, or unmount `{by}` first"),
        }
    }
}

/// The layers, as the options name them.
#[derive(Debug, Default)]
struct Layers<'a> {
    lower: Vec<&'a str>,
    upper: Option<&'a str>,
    work: Option<&'a str>,
}

impl Layers<'_> {
    fn of(options: &[(String, Option<String>)]) -> Layers<'_> {
        let mut layers = Layers::default();
        for (key, value) in options {
            match (key.as_str(), value.as_deref()) {
                ("lowerdir" | "lowerdir+", Some(value)) => {
                    layers.lower.extend(value.split(':').filter(|path| !path.is_empty()));
                }
                ("upperdir", Some(value)) => layers.upper = Some(value),
                ("workdir", Some(value)) => layers.work = Some(value),
                _ => {}
            }
        }
        layers
    }

    fn roles(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let lower = self.lower.iter().map(|path| ("lowerdir", *path));
        lower.chain(self.upper.map(|path| ("upperdir", path))).chain(self.work.map(|path| ("workdir", path)))
    }
}

/// Looks for the cause.
pub(super) fn refused(
    options: &[(String, Option<String>)],
    errno: Errno,
    view: &View<'_>,
) -> Option<Overlay> {
    let layers = Layers::of(options);
    for (role, path) in layers.roles() {
        if let Some(place) = places::reached(path, errno, view) {
            return Some(Overlay::Layer { role, place });
        }
    }
    match errno {
        Errno::BUSY => layers.upper.into_iter().chain(layers.work).find_map(|path| in_use(path, view)),
        Errno::INVAL | Errno::PERM | Errno::OPNOTSUPP | Errno::ROFS | Errno::LOOP => {
            upper(&layers, view).or_else(|| lower(&layers, errno, view))
        }
        _ => None,
    }
}

fn upper(layers: &Layers<'_>, view: &View<'_>) -> Option<Overlay> {
    let path = layers.upper?;
    let mount = view.mount(path)?;
    let owned = path.to_owned();
    if NO_UPPER.contains(&mount.fstype.as_str()) {
        return Some(Overlay::Upper { path: owned, fstype: mount.fstype.clone() });
    }
    if let Some(place) = places::written(path, Errno::ROFS, view) {
        return Some(Overlay::ReadOnly(place));
    }
    if let Some(work) = layers.work {
        let other = view.mount(work)?;
        if other.id != mount.id {
            let upper = (owned, mount.point.clone());
            return Some(Overlay::WorkElsewhere { upper, work: (work.to_owned(), other.point.clone()) });
        }
        let (up, down) = (view.whole(path)?, view.whole(work)?);
        if up == down || up.starts_with(&format!("{down}/")) || down.starts_with(&format!("{up}/")) {
            return Some(Overlay::WorkWithin { upper: owned, work: work.to_owned() });
        }
    }
    None
}

fn lower(layers: &Layers<'_>, errno: Errno, view: &View<'_>) -> Option<Overlay> {
    if errno != Errno::INVAL {
        return None;
    }
    for path in layers.lower.iter().copied().chain(layers.upper) {
        let Some(mount) = view.mount(path) else { continue };
        if folds_case(path, view) {
            return Some(Overlay::Casefold { path: path.to_owned() });
        }
        if depth(mount, view, 0) >= DEEPEST {
            return Some(Overlay::TooDeep { path: path.to_owned() });
        }
    }
    if !view.is_in_user_namespace() {
        return None;
    }
    layers.lower.iter().find_map(|path| locked::tree(path, view)).map(Overlay::Lower)
}

fn folds_case(path: &str, view: &View<'_>) -> bool {
    let Ok(located) = view.open(path) else { return false };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let Ok(directory) = open(format!("/proc/self/fd/{}", located.as_raw_fd()), flags, Mode::empty()) else {
        return false;
    };
    ioctl_getflags(&directory).is_ok_and(|found| found.intersects(IFlags::from_bits_retain(CASEFOLD)))
}

/// How many overlays lie under what is mounted there.
fn depth(mount: &Mounted, view: &View<'_>, level: u32) -> u32 {
    if mount.fstype != "overlay" || level > DEEPEST {
        return 0;
    }
    let layers =
        mount.super_option("lowerdir").unwrap_or_default().split(':').chain(mount.super_option("upperdir"));
    let below = layers.filter_map(|path| view.mount(path)).map(|below| depth(below, view, level + 1)).max();
    1 + below.unwrap_or(0)
}

/// The overlay that has this directory as its upper layer or its work directory.
fn in_use(path: &str, view: &View<'_>) -> Option<Overlay> {
    let whole = view.whole(path)?;
    let has = |mount: &&Mounted| {
        ["upperdir", "workdir"].into_iter().any(|key| mount.super_option(key) == Some(whole.as_str()))
    };
    let by = view.table.iter().filter(|mount| mount.fstype == "overlay").find(has)?;
    Some(Overlay::InUse { path: path.to_owned(), by: by.point.clone() })
}
