//! How deep a pid or user namespace lies, by its parents (ioctl_ns(2), `NS_GET_PARENT`).

use super::told::Level;
use insula_sys::nsfs;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::fstat;

/// The inodes of the initial user and pid namespace: `PROC_USER_INIT_INO` and `PROC_PID_INIT_INO` of <linux/proc_ns.h>.
const INITIAL: [u64; 2] = [0xeffffffd, 0xeffffffc];
/// More generations than the kernel allows.
const MOST: usize = 40;

/// Counts the parents that we may see.
pub(super) fn of(file: BorrowedFd<'_>) -> Level {
    let mut depth = 0;
    let mut last: Option<OwnedFd> = None;
    while depth < MOST {
        let Ok(parent) = nsfs::parent(last.as_ref().map_or(file, AsFd::as_fd)) else { break };
        last = Some(parent);
        depth += 1;
    }
    let top = fstat(last.as_ref().map_or(file, AsFd::as_fd)).map_or(0, |stat| stat.st_ino);
    Level { depth, from_initial: INITIAL.contains(&top) }
}
