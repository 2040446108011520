//! Overlays, of which copy-on-write roots are made.

use super::answer::{Answer, Check, Group, Weight};
use super::ground::{self, Refused, no_ground};
use super::mounts::{new_filesystem, over_root};
use super::room::apart;
use insula_launch::error::Named;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags, XattrFlags, mkdirat, openat, setxattr};
use rustix::io::Errno;
use rustix::mount::{FsOpenFlags, fsconfig_create, fsconfig_set_flag, fsconfig_set_string, fsopen};
use std::ffi::{CStr, CString};

const fn layer(key: &'static str, what: &'static str, loss: &'static str, probe: fn() -> Answer) -> Check {
    Check { key, group: Group::Mounts, what, loss, weight: Weight::Feature, probe }
}

/// The checks.
pub(super) const CHECKS: &[Check] = &[
    layer("overlay", "overlays as we are", "`run` on the machine's own root, `run --keep`", as_we_are),
    layer(
        "overlay-user",
        "overlays in a user namespace",
        "an ordinary user's `run` on the machine's own root, `run --keep`",
        in_user_namespace,
    ),
    layer(
        "user-xattr",
        "extended attributes of users on tmpfs",
        "`run` on the machine's own root cannot delete or replace directories in its copy",
        attributes,
    ),
    layer(
        "overlay-idmapped",
        "overlays over layers with translated ids",
        "`run --userns auto` on the machine's own root: identity is the fallback",
        over_translated,
    ),
];

/// A tmpfs over `/`, with the directories of an overlay in it.
fn layers() -> Result<OwnedFd, Refused> {
    let tmpfs = new_filesystem(c"tmpfs")?;
    over_root(&tmpfs)?;
    for name in [c"lower", c"upper", c"work"] {
        mkdirat(&tmpfs, name, Mode::from_raw_mode(0o755)).map_err(Refused::at("make a directory"))?;
    }
    Ok(tmpfs)
}

/// Makes an overlay of them.
fn overlay(tmpfs: &OwnedFd, userxattr: bool, lower: Option<&OwnedFd>) -> Result<(), Refused> {
    let fs = fsopen(c"overlay", FsOpenFlags::FSOPEN_CLOEXEC).map_err(Refused::at("fsopen overlay"))?;
    let path = |name: &CStr| {
        let opened = openat(tmpfs, name, OFlags::PATH | OFlags::CLOEXEC, Mode::empty());
        opened.map_err(Refused::at("open a layer")).map(|fd| (number(&fd), fd))
    };
    let (mut lower_path, lower_fd) = path(c"lower")?;
    let (upper_path, upper_fd) = path(c"upper")?;
    let (work_path, work_fd) = path(c"work")?;
    if let Some(lower) = lower {
        lower_path = number(lower);
    }
    if userxattr {
        fsconfig_set_flag(&fs, c"userxattr").map_err(Refused::at("overlay's option userxattr"))?;
    }
    for (key, path) in [(c"lowerdir", lower_path), (c"upperdir", upper_path), (c"workdir", work_path)] {
        fsconfig_set_string(&fs, key, path.as_c_str())
            .map_err(Refused::at(format!("overlay's {}", key.to_string_lossy())))?;
    }
    let done = fsconfig_create(&fs).map_err(Refused::at("create the overlay"));
    drop((lower_fd, upper_fd, work_fd));
    done
}

fn number(fd: &OwnedFd) -> CString {
    use rustix::fd::AsRawFd;
    CString::new(format!("/proc/self/fd/{}", fd.as_raw_fd())).unwrap_or_default()
}

fn answer(done: Result<(), Refused>) -> Answer {
    match done {
        Ok(()) => Answer::works("mounted"),
        Err(Refused { errno: Errno::NODEV, .. }) => Answer::missing("this kernel has no overlay file system")
            .fix("as root: `modprobe overlay`; or a kernel with CONFIG_OVERLAY_FS"),
        Err(refused) => refused.answer(),
    }
}

fn as_we_are() -> Answer {
    if !ground::may_mount() {
        return Answer::works("not needed: an ordinary user's are in a user namespace");
    }
    apart(|| match ground::mounts() {
        Err(refused) => no_ground(&refused),
        Ok(()) => answer(layers().and_then(|tmpfs| overlay(&tmpfs, false, None))),
    })
}

fn in_user_namespace() -> Answer {
    apart(|| match ground::user_mounts() {
        Err(refused) => no_ground(&refused),
        Ok(()) => {
            let answer = answer(layers().and_then(|tmpfs| overlay(&tmpfs, true, None)));
            answer.or_fix("Linux 5.11 or newer")
        }
    })
}

/// Marks of deleted and replaced directories are such attributes; tmpfs has them from Linux 6.6 on.
fn attributes() -> Answer {
    apart(|| match ground::user_mounts().and_then(|()| layers()) {
        Err(refused) => no_ground(&refused),
        Ok(tmpfs) => match setxattr(
            &*format!("{}/upper", number(&tmpfs).to_string_lossy()),
            c"user.overlay.opaque",
            b"y",
            XattrFlags::empty(),
        ) {
            Ok(()) => Answer::works("they are kept"),
            Err(errno) => Answer::limited(format!("tmpfs keeps none: {}", Named(errno)))
                .fix("Linux 6.6 or newer; `run --keep DIR` on another file system"),
        },
    })
}

fn over_translated() -> Answer {
    if !ground::may_mount() {
        return Answer::works("not needed: an ordinary user translates no layers");
    }
    // The translation first: with a mount over its root a process counts as one in a chroot, and makes no user namespace.
    apart(|| match ground::mounts().and_then(|()| Ok((super::mounts::translated_tmpfs()?, layers()?))) {
        Err(refused) => no_ground(&refused),
        Ok((lower, tmpfs)) => {
            let place = openat(&tmpfs, c"lower", OFlags::PATH | OFlags::CLOEXEC, Mode::empty());
            let done = place.map_err(Refused::at("open a layer")).and_then(|place| {
                super::mounts::attach(&lower, place.as_fd())?;
                overlay(&tmpfs, false, Some(&lower))
            });
            answer(done).or_fix("Linux 5.19 or newer (6.3 on tmpfs)")
        }
    })
}
