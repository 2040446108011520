//! What a namespace can tell of itself: names, id maps, offsets, devices, mounts, each by its kind.
//!
//! What a process in it shows in /proc is read there; the rest is seen by a [`visitor`](visit), which enters it. Nothing
//! of it changes anything. What may not be seen is named, with the reason and who may.

mod ask;
mod cgroup;
mod ipc;
mod level;
mod mounts;
mod net;
mod pid;
mod time;
mod told;
mod user;
mod uts;
mod visit;

pub use told::{CgroupRoot, Detail, Hidden, Ipc, Level, Mounts, Names, Net, Offsets, Pid, Range, Told, User};

use crate::scan::Snapshot;
use insula_launch::plan::Kind;
use rustix::fd::BorrowedFd;
use rustix::io::Errno;

/// Asks a namespace. `file` is open on it, where it could be opened; the snapshot has its processes. This process has to
/// have one thread.
pub fn of(snapshot: &Snapshot, kind: Kind, inode: u64, file: Option<BorrowedFd<'_>>) -> Told {
    let asked = ask::Asked { snapshot, kind, inode, file };
    match kind {
        Kind::Uts => uts::ask(&asked),
        Kind::User => user::ask(&asked),
        Kind::Pid => pid::ask(&asked),
        Kind::Time => time::ask(&asked),
        Kind::Net => net::ask(&asked),
        Kind::Mnt => mounts::ask(&asked),
        Kind::Ipc => ipc::ask(&asked),
        Kind::Cgroup => cgroup::ask(&asked),
    }
}

/// The id maps of a user namespace that is open. EPERM: it is not ours to enter. This process has to have one thread.
pub fn id_maps(namespace: BorrowedFd<'_>) -> Result<User, Errno> {
    user::of_file(namespace)
}
