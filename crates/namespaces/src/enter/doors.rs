//! The descriptors that a request has opened, until they lie in a plan's Kit.

use insula_launch::kit::Slot;
use insula_launch::plan::Kind;
use rustix::fd::OwnedFd;

/// What a descriptor is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// The target's pidfd.
    Pidfd,
    /// The target's directory in /proc.
    Target,
    /// `/proc/self`, or our own pidfd.
    Own,
    /// A namespace that does not come from the target, or not as it is.
    Namespace(Kind),
    /// The root directory.
    Root,
    /// The working directory.
    WorkingDirectory,
    /// `cgroup.procs` of the target's group in a hierarchy, counted from 0.
    Cgroup(usize),
    /// `/proc/thread-self/attr/exec`.
    ExecContext,
}

/// The open ones.
#[derive(Debug, Default)]
pub struct Doors(Vec<(Door, OwnedFd)>);

impl Doors {
    /// Keeps a descriptor; one that was kept for the same is closed.
    pub(super) fn keep(&mut self, door: Door, fd: OwnedFd) {
        self.0.retain(|(known, _)| *known != door);
        self.0.push((door, fd));
    }

    /// The descriptor for something.
    pub(super) fn get(&self, door: Door) -> Option<&OwnedFd> {
        self.0.iter().find(|(known, _)| *known == door).map(|(_, fd)| fd)
    }

    /// Each with the slot that a plan has for it; what a plan has no use for is closed.
    pub(super) fn fit(self, places: &[(Slot, Door)]) -> Vec<(Slot, OwnedFd)> {
        let slot = |door| places.iter().find(|(_, known)| *known == door).map(|(slot, _)| *slot);
        self.0.into_iter().filter_map(|(door, fd)| Some((slot(door)?, fd))).collect()
    }
}
