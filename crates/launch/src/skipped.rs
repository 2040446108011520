//! The kinds of namespace that were only tried and could not be had, and why. Noted without allocation.

use rustix::io::Errno;

/// How many kinds there are.
const KINDS: usize = 8;

/// Pairs of a `CLONE_NEW*` flag and an errno.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Skipped([Option<(u64, Errno)>; KINDS]);

impl Skipped {
    /// This kind could not be had.
    pub(crate) fn note(&mut self, flag: u64, errno: Errno) {
        if let Some(place) = self.0.iter_mut().find(|place| place.is_none()) {
            *place = Some((flag, errno));
        }
    }

    /// Why this kind could not be had; `None` if that was not so.
    pub fn why(&self, flag: u64) -> Option<Errno> {
        self.0.iter().flatten().find(|(known, _)| *known == flag).map(|(_, errno)| *errno)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_skipped_is_told_with_its_errno() {
        let mut skipped = Skipped::default();
        skipped.note(2, Errno::INVAL);
        skipped.note(4, Errno::PERM);
        assert_eq!([1, 2, 4].map(|flag| skipped.why(flag)), [None, Some(Errno::INVAL), Some(Errno::PERM)]);
    }
}
