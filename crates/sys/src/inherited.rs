//! Descriptors that our caller has handed to us by their numbers.

use rustix::fd::{FromRawFd, OwnedFd};
use rustix::io::Errno;

/// The first number that is no standard stream.
const FIRST_OTHER: i32 = 3;

/// A descriptor of our own, close-on-exec, of the file that is open on `number`; that number does not pass execve(2)
/// any more either, but for the standard streams. EBADF: nothing is open there.
pub fn take(number: i32) -> Result<OwnedFd, Errno> {
    // SAFETY: F_DUPFD_CLOEXEC takes integers only, and refuses a number that is not open.
    let raw = unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, FIRST_OTHER) };
    if raw < 0 {
        return Err(crate::last_errno());
    }
    // SAFETY: the kernel has just made this descriptor for us; nobody else owns it.
    let own = unsafe { OwnedFd::from_raw_fd(raw) };
    if number >= FIRST_OTHER {
        // SAFETY: F_SETFD takes integers only; nothing is closed now, so that whoever owns the number keeps its file.
        crate::check(libc::c_long::from(unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) }))?;
    }
    Ok(own)
}
