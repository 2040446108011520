//! Which namespaces there are, and what keeps each of them alive.
//!
//! A namespace lives as long as a process or thread is in it, a file of it is open or mounted, a socket belongs to it
//! (network), or another namespace has it for its parent or owner (namespaces(7), "Namespace lifetime"). A scan walks
//! through /proc and the tables of mounts, and asks the kernel by ioctl_ns(2) and, where it answers, listns(2). Everything
//! works without the newest of these.

mod fds;
mod found;
mod listed;
mod look;
pub mod members;
mod mounts;
mod open;
pub mod process;
mod processes;
mod procfs;
mod snapshot;
mod threads;
mod views;

pub use look::{Look, Mounts};
pub use open::{kind_and_inode, open};
pub use snapshot::{By, Holder, Holders, Namespace, Netnsid, Process, Snapshot};

use crate::error::Error;
use found::Found;
use procfs::{Path, Proc};
use rustix::fd::AsFd;
use rustix::fs::OFlags;

/// Takes a snapshot. What cannot be looked at, for want of rights, is counted in it and no error.
pub fn take(look: &Look) -> Result<Snapshot, Error> {
    let proc = Proc::open()?;
    let mut found = Found::new(look);
    let (views, fds) = processes::walk(&proc, &mut found)?;
    fds.finish(&proc, &mut found);
    mounts::look(&proc, &mut found, &views.views);
    if look.listed {
        listed::look(&mut found);
    }
    if look.relatives || look.ids || look.netnsids {
        complete(&proc, &mut found);
    }
    Ok(found.finish())
}

/// Asks the namespaces that only processes have shown, each by its process with the lowest pid.
fn complete(proc: &Proc, found: &mut Found<'_>) {
    let by_process: Vec<_> = found
        .snapshot
        .namespaces
        .iter()
        .filter_map(|namespace| Some((namespace.kind, namespace.inode, namespace.lowest_pid?)))
        .collect();
    for (kind, inode, pid) in by_process {
        let path = Path::new(&[pid.to_string().as_bytes(), b"/ns/", kind.name().as_bytes()]);
        if let Ok(file) = proc.open_file(&path, OFlags::RDONLY) {
            found.complete(inode, file.as_fd());
        }
    }
}

#[cfg(test)]
mod tests;
