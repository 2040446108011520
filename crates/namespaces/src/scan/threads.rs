//! Threads that are in other namespaces than their process: setns(2) and unshare(2) move one thread.

use super::found::Found;
use super::procfs::{Path, Proc, number};
use super::snapshot::{By, Holder, Process};
use super::views::{View, Views};
use insula_launch::plan::Kind;
use rustix::fd::AsFd;
use rustix::fs::{AtFlags, OFlags, RawDir, statat};
use std::mem::MaybeUninit;

/// Looks at the threads of a process but the first.
pub(super) fn walk(proc: &Proc, found: &mut Found<'_>, name: &[u8], process: &Process, views: &mut Views) {
    let task = Path::new(&[name, b"/task"]);
    // A directory has a link for each directory in it, and two: the number of threads without listing them.
    let count = statat(proc.directory(), task.as_c_str(), AtFlags::empty()).map_or(0, |stat| stat.st_nlink);
    if count <= 3 {
        return;
    }
    let Ok(directory) = proc.open_file(&task, OFlags::RDONLY | OFlags::DIRECTORY) else { return };
    let mut room = [MaybeUninit::<u8>::uninit(); 4096];
    let mut list = RawDir::new(directory, &mut room);
    while let Some(Ok(entry)) = list.next() {
        let thread = entry.file_name().to_bytes();
        match number(thread).and_then(|tid| u32::try_from(tid).ok()) {
            Some(tid) if tid != process.pid => one(proc, found, name, thread, tid, process, views),
            _ => {}
        }
    }
}

fn one(
    proc: &Proc,
    found: &mut Found<'_>,
    name: &[u8],
    thread: &[u8],
    tid: u32,
    process: &Process,
    views: &mut Views,
) {
    for kind in Kind::ALL.into_iter().filter(|kind| found.look.at(*kind)) {
        let path = Path::new(&[name, b"/task/", thread, b"/ns/", kind.name().as_bytes()]);
        match proc.namespace(&path) {
            Ok(inode) if Some(inode) != process.namespace(kind) => {
                let by = By::Thread { pid: process.pid, tid };
                keep(proc, found, &path, Holder { namespace: inode, by });
                if kind == Kind::Mnt {
                    views.keep(found, View { mount_namespace: inode, pid: process.pid, tid });
                }
            }
            _ => {}
        }
    }
}

/// Keeps a holder, and its namespace where it is new.
pub(super) fn keep(proc: &Proc, found: &mut Found<'_>, path: &Path, holder: Holder) {
    found.hold(holder);
    if let Ok(file) = proc.open_file(path, OFlags::RDONLY) {
        found.file(file.as_fd());
    }
}
