//! The Kit: the open descriptors that a plan's steps hand to each other, by numbered slots.
//!
//! A slot is numbered when the plan is compiled, and its place in the Kit exists before the birth; so a step of the
//! child can fill one without allocating.

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;

/// The number of a place in the Kit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot(u32);

impl Slot {
    /// Its place, from 0.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Gives out slots while a plan is compiled.
#[derive(Debug, Default, Clone)]
pub struct Slots(u32);

impl Slots {
    /// A slot that nobody has.
    pub fn another(&mut self) -> Slot {
        let slot = Slot(self.0);
        self.0 += 1;
        slot
    }

    /// The one place beyond those given out, in which a porter's news arrives.
    pub(crate) fn porter(&self) -> Slot {
        Slot(self.0)
    }

    /// How many places there are.
    fn places(&self) -> usize {
        self.0 as usize + 1
    }
}

/// The places themselves. Parent and child each hold one, equal at the birth.
#[derive(Debug, Default)]
pub struct Kit(Vec<Option<OwnedFd>>);

impl Kit {
    /// A Kit with a place for each slot of a plan.
    pub fn with(slots: &Slots) -> Self {
        Kit((0..slots.places()).map(|_| None).collect())
    }

    /// Fills a place; what was there is closed. EBADF: the slot is not this plan's.
    pub fn put(&mut self, slot: Slot, fd: OwnedFd) -> Result<(), Errno> {
        *self.0.get_mut(slot.index()).ok_or(Errno::BADF)? = Some(fd);
        Ok(())
    }

    /// The descriptor in a place. EBADF: the place is empty, a fault of the plan.
    pub fn get(&self, slot: Slot) -> Result<BorrowedFd<'_>, Errno> {
        self.0.get(slot.index()).and_then(Option::as_ref).map(AsFd::as_fd).ok_or(Errno::BADF)
    }

    /// Another descriptor of the same open file, close-on-exec; `None`: the place is empty.
    pub(crate) fn copy(&self, slot: Slot) -> Option<OwnedFd> {
        self.get(slot).ok()?.try_clone_to_owned().ok()
    }

    /// Takes the descriptor out of its place.
    pub fn take(&mut self, slot: Slot) -> Option<OwnedFd> {
        self.0.get_mut(slot.index()).and_then(Option::take)
    }
}
