//! The walk through /proc: which namespaces each process is in, and what else a process holds.

use super::fds::Fds;
use super::found::Found;
use super::look::Mounts;
use super::procfs::{Path, Proc, number};
use super::snapshot::{By, Holder, Process};
use super::threads;
use super::views::{View, Views};
use crate::error::Error;
use insula_launch::plan::Kind;
use rustix::fs::RawDir;
use rustix::io::Errno;
use std::mem::MaybeUninit;

/// Room for a thousand entries of /proc: one getdents64(2) for most machines.
const LIST_BYTES: usize = 64 << 10;

/// Looks at every process. Returns one view of each mount namespace that was met, and the files that were open.
pub(super) fn walk(proc: &Proc, found: &mut Found<'_>) -> Result<(Views, Fds), Error> {
    let mut room = vec![MaybeUninit::<u8>::uninit(); LIST_BYTES];
    let mut list = RawDir::new(proc.directory(), &mut room);
    let mut views = Views::default();
    let mut fds = Fds::new();
    while let Some(entry) = list.next() {
        let entry = entry.map_err(|errno| Error::File("list", "/proc".to_owned(), errno))?;
        let name = entry.file_name().to_bytes();
        let Some(pid) = number(name).and_then(|pid| u32::try_from(pid).ok()) else { continue };
        found.snapshot.seen += 1;
        match one(proc, found, name, pid) {
            Ok(process) => {
                others(proc, found, name, &process, &mut views, &mut fds);
                found.snapshot.processes.push(process);
            }
            // It is gone.
            Err(Errno::SRCH) => found.snapshot.seen -= 1,
            Err(_) => found.snapshot.unseen += 1,
        }
    }
    Ok((views, fds))
}

/// The namespaces of one process. An error: it is gone, or not ours to look at.
fn one(proc: &Proc, found: &mut Found<'_>, name: &[u8], pid: u32) -> Result<Process, Errno> {
    let mut namespaces = [0u64; 8];
    for kind in Kind::ALL {
        let wanted = found.look.at(kind) || kind == Kind::Mnt && found.look.mounts == Mounts::All;
        if wanted {
            namespaces[kind as usize] = inode(proc, &Path::new(&[name, b"/ns/", kind.name().as_bytes()]))?;
        }
    }
    for kind in Kind::ALL.into_iter().filter(|kind| found.look.at(*kind)) {
        if namespaces[kind as usize] != 0 {
            found.process(kind, namespaces[kind as usize], pid);
        }
    }
    Ok(Process { pid, namespaces })
}

/// The inode behind one link; 0 where there is none: a kind that the kernel lacks, or a zombie.
fn inode(proc: &Proc, path: &Path) -> Result<u64, Errno> {
    match proc.namespace(path) {
        Err(Errno::NOENT) => Ok(0),
        found => found,
    }
}

/// What the process holds besides being in a namespace.
fn others(
    proc: &Proc,
    found: &mut Found<'_>,
    name: &[u8],
    process: &Process,
    views: &mut Views,
    fds: &mut Fds,
) {
    if let Some(mount_namespace) = process.namespace(Kind::Mnt) {
        views.keep(found, View { mount_namespace, pid: process.pid, tid: process.pid });
    }
    if found.look.fds {
        fds.process(proc, found, name, process);
    }
    if found.look.for_children {
        for_children(proc, found, name, process);
    }
    if found.look.threads {
        threads::walk(proc, found, name, process, views);
    }
}

/// Namespaces that the next children of a process will be in, unshare(2).
fn for_children(proc: &Proc, found: &mut Found<'_>, name: &[u8], process: &Process) {
    for (kind, file) in [(Kind::Pid, &b"/ns/pid_for_children"[..]), (Kind::Time, b"/ns/time_for_children")] {
        if !found.look.at(kind) || process.namespace(kind).is_none() {
            continue;
        }
        let path = Path::new(&[name, file]);
        // A pid namespace has no link (ENOENT) before its first process was born in it: nobody can see it, or join it.
        if let Ok(inode) = proc.namespace(&path)
            && Some(inode) != process.namespace(kind)
        {
            threads::keep(
                proc,
                found,
                &path,
                Holder { namespace: inode, by: By::ForChildren { pid: process.pid } },
            );
        }
    }
}
