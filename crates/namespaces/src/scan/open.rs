//! Opens a namespace that a snapshot has, by whatever shows it: a process, a file, a socket, a mount, a child, its id.

use super::found::identity;
use super::mounts::open_mount;
use super::procfs::{Path, Proc, open_place};
use super::snapshot::{By, Namespace, Snapshot};
use super::views::View;
use insula_launch::plan::Kind;
use insula_sys::{net, nsfs};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::OFlags;
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

/// More generations than the kernel allows: 32 (user_namespaces(7), pid_namespaces(7)).
const MOST_GENERATIONS: usize = 40;

/// Opens it. `None`: what showed it is gone by now, or is not ours to open.
pub fn open(snapshot: &Snapshot, namespace: &Namespace) -> Option<OwnedFd> {
    let proc = Proc::open().ok()?;
    generation(&proc, snapshot, namespace, MOST_GENERATIONS)
}

fn generation(proc: &Proc, snapshot: &Snapshot, namespace: &Namespace, left: usize) -> Option<OwnedFd> {
    let is_it = |file: &OwnedFd| identity(file.as_fd()) == Some((namespace.kind, namespace.inode));
    let kind = namespace.kind.name().as_bytes();
    let by_process = namespace.lowest_pid.and_then(|pid| {
        let path = Path::new(&[pid.to_string().as_bytes(), b"/ns/", kind]);
        proc.open_file(&path, OFlags::RDONLY).ok().filter(is_it)
    });
    let by_holder = || {
        snapshot.held_by(namespace.inode).iter().find_map(|held| holder(proc, &held.by, kind).filter(is_it))
    };
    let by_id = || {
        let flag = u32::try_from(namespace.kind.flag()).ok()?;
        nsfs::open_by_id(namespace.id?, flag, u32::try_from(namespace.inode).ok()?).ok().filter(is_it)
    };
    by_process.or_else(by_holder).or_else(by_id).or_else(|| {
        let left = left.checked_sub(1)?;
        snapshot.children(namespace.inode).find_map(|child| {
            let file = generation(proc, snapshot, child, left)?;
            let parent = nsfs::parent(file.as_fd()).ok().filter(is_it);
            parent.or_else(|| nsfs::owner(file.as_fd()).ok().filter(is_it))
        })
    })
}

/// The namespace that something holds.
fn holder(proc: &Proc, by: &By, kind: &[u8]) -> Option<OwnedFd> {
    match by {
        By::Thread { pid, tid } => {
            let (pid, tid) = (pid.to_string(), tid.to_string());
            let path = Path::new(&[pid.as_bytes(), b"/task/", tid.as_bytes(), b"/ns/", kind]);
            proc.open_file(&path, OFlags::RDONLY).ok()
        }
        By::ForChildren { pid } => {
            let path = Path::new(&[pid.to_string().as_bytes(), b"/ns/", kind, b"_for_children"]);
            proc.open_file(&path, OFlags::RDONLY).ok()
        }
        By::Fd { pid, fd } => {
            let path = Path::new(&[pid.to_string().as_bytes(), b"/fd/", fd.to_string().as_bytes()]);
            proc.open_file(&path, OFlags::PATH).and_then(|place| open_place(&place)).ok()
        }
        By::Socket { pid, fd } => {
            let pid = i32::try_from(*pid).ok().and_then(Pid::from_raw)?;
            let pidfd = pidfd_open(pid, PidfdFlags::empty()).ok()?;
            let socket = pidfd_getfd(&pidfd, i32::try_from(*fd).ok()?, PidfdGetfdFlags::empty()).ok()?;
            net::namespace_of(socket.as_fd()).ok()
        }
        By::Mount { point, pid } => {
            // Which thread the view was of does not matter: what is opened is compared.
            let view = pid.map(|pid| View { mount_namespace: 0, pid, tid: pid });
            open_mount(proc, point, view.as_ref()).ok()
        }
    }
}

/// Kind and inode of an open namespace file.
pub fn kind_and_inode(file: &OwnedFd) -> Option<(Kind, u64)> {
    identity(file.as_fd())
}
