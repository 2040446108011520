//! The directories in which names are mounted, and a view of the machine without them.
//!
//! Each is a mount on itself, so that it has a propagation of its own, mount_namespaces(7). That of `pin` is shared, as `ip`
//! has it with /run/netns: what is unmounted in one mount namespace goes from all, and the namespace is freed. A mount
//! namespace cannot be mounted on a shared mount, from which it would spread into itself: `mnt` is private.

use super::store::Store;
use crate::error::Error;
use crate::name::NETNS;
use insula_launch::plan::Kind;
use insula_sys::birth::unshare;
use insula_sys::mount::{MountAttr, mount_setattr};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{CWD, Mode, OFlags, mkdir, open};
use rustix::io::Errno;
use rustix::mount::{
    MountFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags, mount, mount_change,
    move_mount, open_tree, unmount,
};
use std::thread;

/// Makes the directories, and mounts each on itself.
pub fn prepare(store: &Store) -> Result<(), Error> {
    let _lock = store.lock_stage()?;
    for (name, propagation) in
        [("pin", MountPropagationFlags::SHARED), ("mnt", MountPropagationFlags::PRIVATE)]
    {
        let path = store.below(name);
        match mkdir(path.as_str(), Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(Error::File("make the directory", path, errno)),
        }
        on_itself(&path, propagation)?;
    }
    Ok(())
}

/// Makes the directory for the mounts of one name.
pub fn place(store: &Store, name: &str) -> Result<(), Error> {
    let path = store.below(&format!("pin/{name}"));
    match mkdir(path.as_str(), Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(errno) => Err(Error::File("make the directory", path, errno)),
    }
}

/// Mounts a directory on itself, if it is no mount yet. The caller holds a lock: two at once would mount over each other.
pub fn on_itself(path: &str, propagation: MountPropagationFlags) -> Result<(), Error> {
    let failed = |what| move |errno| Error::File(what, path.to_owned(), errno);
    match mount_change(path, propagation) {
        // It is no mount yet.
        Err(Errno::INVAL) => {}
        done => return done.map_err(failed("set how mounts spread below")),
    }
    // Made aside and put there when it is complete: whenever we are killed, it is there or not at all.
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let tree = open_tree(CWD, path, flags).map_err(failed("clone the mount at"))?;
    // Private first, so that it is shared in a group of its own: in that of /run all would be mounted twice.
    for propagation in [MountPropagationFlags::PRIVATE, propagation] {
        let attr = MountAttr { propagation: propagation.bits().into(), ..MountAttr::default() };
        mount_setattr(tree.as_fd(), false, attr, None).map_err(failed("set how mounts spread below"))?;
    }
    move_mount(tree.as_fd(), c"", CWD, path, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
        .map_err(failed("mount on itself"))?;
    // On a shared mount it has become one.
    mount_change(path, propagation).map_err(failed("set how mounts spread below"))
}

/// A mount namespace that is a copy of ours without the names: a mount namespace that is copied from it holds none of them,
/// and gets none that comes. `None`: there is nothing to leave out, or it cannot be had here.
pub fn without_names(store: &Store) -> Option<OwnedFd> {
    let paths = [store.below("pin"), store.below("mnt")];
    let made = thread::Builder::new().spawn(move || copy_without(&paths));
    made.ok()?.join().ok()?.ok()
}

/// unshare(2) moves this thread alone.
fn copy_without(paths: &[String]) -> Result<OwnedFd, Errno> {
    unshare(Kind::Mnt.flag())?;
    // A slave: what is unmounted here stays there.
    mount_change("/", MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC)?;
    for path in paths {
        unmount(path.as_str(), UnmountFlags::DETACH | UnmountFlags::NOFOLLOW)?;
    }
    if unmount(NETNS, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW).is_ok() {
        // The files below would look like names that were left behind.
        let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
        mount(c"tmpfs", NETNS, c"tmpfs", flags, c"mode=755")?;
    }
    open("/proc/thread-self/ns/mnt", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
}
