//! Through whom the mounts of each mount namespace can be read.

use super::found::Found;
use super::look::Mounts;
use std::collections::HashSet;

/// A process, or a thread, through which the mounts of a mount namespace can be read.
pub(super) struct View {
    pub(super) mount_namespace: u64,
    pub(super) pid: u32,
    pub(super) tid: u32,
}

/// One view of each mount namespace.
#[derive(Default)]
pub(super) struct Views {
    pub(super) views: Vec<View>,
    known: HashSet<u64>,
}

impl Views {
    /// Keeps the first view of each mount namespace, where they will be read.
    pub(super) fn keep(&mut self, found: &Found<'_>, view: View) {
        if found.look.mounts == Mounts::All && self.known.insert(view.mount_namespace) {
            self.views.push(view);
        }
    }
}
