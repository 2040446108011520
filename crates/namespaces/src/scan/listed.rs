//! Namespaces that the kernel lists itself, listns(2): the last resort for what no process, file or mount shows.

use super::found::Found;
use insula_sys::nsfs;
use rustix::fd::AsFd;

/// Ids that are asked for at once.
const BATCH: usize = 512;

/// Adds what the kernel lists. Before Linux 6.19, or where it is forbidden, this is nothing.
pub(super) fn look(found: &mut Found<'_>) {
    let mut ids = [0u64; BATCH];
    let mut after = 0;
    while let Ok(count) = nsfs::list(after, &mut ids) {
        for id in &ids[..count] {
            if let Ok(file) = nsfs::open_by_id(*id, 0, 0) {
                found.file(file.as_fd());
            }
        }
        match ids[..count].last() {
            Some(last) if *last > after => after = *last,
            _ => return,
        }
    }
}
