//! What we may, and a time in which nobody interrupts.

use insula_sys::signal::{self, SigSet};

/// `CAP_SYS_ADMIN`, capabilities(7).
const CAP_SYS_ADMIN: u32 = 21;

/// May we mount, as far as our own user namespace goes?
pub fn may_mount() -> bool {
    insula_sys::prctl::capget().is_ok_and(|(effective, _, _)| effective & (1 << CAP_SYS_ADMIN) != 0)
}

/// Calls with signals held back: an interrupt comes when all is done, or all is undone.
pub(super) fn undisturbed<T>(act: impl FnOnce() -> T) -> T {
    let before = signal::block(&SigSet::new_full());
    let done = act();
    if let Ok(before) = before {
        let _ = signal::set_mask(&before);
    }
    done
}
