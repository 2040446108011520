//! keyctl(2): a session keyring of one's own.

use rustix::io::Errno;

const KEYCTL_JOIN_SESSION_KEYRING: libc::c_int = 1;

/// Joins a new anonymous session keyring, so that the caller's keys are out of reach (keyrings(7)).
pub fn join_new_session() -> Result<(), Errno> {
    // SAFETY: a NULL name asks for a new anonymous keyring; nothing else is read.
    crate::check(unsafe {
        libc::syscall(libc::SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, std::ptr::null::<libc::c_char>())
    })
    .map(drop)
}
