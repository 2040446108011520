//! One page of memory that a parent and its child share: the ground of the Slate.

use crate::last_errno;
use rustix::io::Errno;
use std::ptr::NonNull;
use std::sync::atomic::AtomicU32;

/// Words in the page.
const WORDS: usize = 1024;

/// A `MAP_SHARED | MAP_ANONYMOUS` page, mmap(2), seen as words that are only ever touched atomically.
#[derive(Debug)]
pub struct SharedPage(NonNull<[AtomicU32; WORDS]>);

impl SharedPage {
    /// Maps a page of zeros.
    pub fn new() -> Result<Self, Errno> {
        let bytes = WORDS * size_of::<AtomicU32>();
        // SAFETY: an anonymous mapping at an address of the kernel's choosing touches no existing memory.
        let raw = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if raw == libc::MAP_FAILED {
            return Err(last_errno());
        }
        NonNull::new(raw.cast()).map(SharedPage).ok_or(Errno::NOMEM)
    }

    /// The words. Another process may change them at any time.
    pub fn words(&self) -> &[AtomicU32; WORDS] {
        // SAFETY: the mapping is as large as the array, zeroed (valid AtomicU32), page-aligned, and lives until Drop;
        // atomics may be written by others at any time.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for SharedPage {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `new` with this length, and no reference outlives `self`.
        unsafe { libc::munmap(self.0.as_ptr().cast(), WORDS * size_of::<AtomicU32>()) };
    }
}
