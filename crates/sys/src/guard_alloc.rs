//! An allocator that aborts in a child between birth and exec, so that tests prove that nothing is allocated there.
//!
//! A binary installs [`Guard`] in debug builds; in release builds it uses the system's allocator as it is.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, Ordering};

static IN_CHILD: AtomicBool = AtomicBool::new(false);

/// Tells the guard that this process is a child before its exec. Called by [`crate::birth::clone3`].
pub(crate) fn enter_child() {
    IN_CHILD.store(true, Ordering::Relaxed);
}

/// The system allocator with a check before it.
#[derive(Debug)]
pub struct Guard;

fn refuse_in_child() {
    if IN_CHILD.load(Ordering::Relaxed) {
        // SAFETY: abort takes nothing and does not return. No message: formatting one could allocate.
        unsafe { libc::abort() }
    }
}

// SAFETY: every method hands its arguments to `System` unchanged, whose contract is the same; the check before it
// either returns without effect or ends the process.
unsafe impl GlobalAlloc for Guard {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        refuse_in_child();
        // SAFETY: the caller keeps GlobalAlloc's contract, which is System's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        refuse_in_child();
        // SAFETY: `ptr` came from `alloc` above, that is from System, with this layout.
        unsafe { System.dealloc(ptr, layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        refuse_in_child();
        // SAFETY: as for dealloc; `new_size` is the caller's promise.
        unsafe { System.realloc(ptr, layout, new_size) }
    }
}
