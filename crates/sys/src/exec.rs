//! execveat(2) with argument vectors that were built before the birth.

use crate::last_errno;
use rustix::fd::{AsRawFd, BorrowedFd};
use rustix::io::Errno;
use std::ffi::{CStr, CString, c_char};
use std::io::Write as _;

/// A NULL-terminated vector of C strings, as execve(2) wants it: `argv` or `envp`.
///
/// Made in the parent, so that a child can execute without allocating. Places can be pointed at other strings by
/// [`Strings::put`], which does not allocate either.
pub struct Strings {
    pointers: Vec<*const c_char>,
    owned: Vec<CString>,
}

impl std::fmt::Debug for Strings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.owned.fmt(f)
    }
}

impl Strings {
    /// Takes the strings and makes their table of pointers.
    pub fn new(owned: Vec<CString>) -> Self {
        let mut pointers: Vec<*const c_char> = owned.iter().map(|s| s.as_ptr()).collect();
        pointers.push(std::ptr::null());
        Strings { pointers, owned }
    }

    /// The strings, in order.
    pub fn as_slice(&self) -> &[CString] {
        &self.owned
    }

    /// A table of pointers into `self` with some places pointed elsewhere, written into `room` ([`Strings::room`]).
    ///
    /// A place beyond the vector is ignored: the last NULL stays. No allocation.
    pub fn put<'a, const N: usize>(&'a self, with: [(usize, &'a CStr); N], room: &'a mut Room) -> Vector<'a> {
        for (slot, pointer) in room.0.iter_mut().zip(&self.pointers) {
            *slot = *pointer;
        }
        let places = self.owned.len().min(room.0.len().saturating_sub(1));
        for (at, string) in with {
            if let Some(slot) = room.0[..places].get_mut(at) {
                *slot = string.as_ptr();
            }
        }
        Vector(&room.0)
    }

    /// Space for one table of this vector.
    pub fn room(&self) -> Room {
        Room(vec![std::ptr::null(); self.pointers.len()])
    }

    /// The vector as it is.
    pub fn vector(&self) -> Vector<'_> {
        Vector(&self.pointers)
    }
}

/// Space for a table of pointers, made before the birth.
pub struct Room(Vec<*const c_char>);

impl std::fmt::Debug for Room {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Room({})", self.0.len())
    }
}

/// A borrowed, NULL-terminated table of pointers to C strings.
///
/// Only this module makes one, from strings that live as long as `'a`, with the NULL as its last place.
#[derive(Clone, Copy)]
pub struct Vector<'a>(&'a [*const c_char]);

/// execveat(2) of the file that `fd` is open on (`AT_EMPTY_PATH`). Returns only on failure.
pub fn execveat(fd: BorrowedFd<'_>, argv: Vector<'_>, envp: Vector<'_>) -> Errno {
    // SAFETY: both tables end in NULL and point to C strings that outlive the call (Vector's invariant, kept by this
    // module); the path is a static empty C string.
    unsafe {
        libc::syscall(
            libc::SYS_execveat,
            fd.as_raw_fd(),
            c"".as_ptr(),
            argv.0.as_ptr(),
            envp.0.as_ptr(),
            libc::AT_EMPTY_PATH,
        );
    }
    last_errno()
}

/// execve(2) of `path`. Returns only on failure.
pub fn execve(path: &CStr, argv: Vector<'_>, envp: Vector<'_>) -> Errno {
    // SAFETY: as above: C strings and NULL-terminated tables that outlive the call.
    unsafe { libc::execve(path.as_ptr(), argv.0.as_ptr(), envp.0.as_ptr()) };
    last_errno()
}

/// A descriptor's number as a word, written without allocation.
pub fn decimal<'a>(fd: BorrowedFd<'_>, space: &'a mut [u8; 16]) -> Option<&'a CStr> {
    write!(&mut space[..15], "{}", fd.as_raw_fd()).ok()?;
    CStr::from_bytes_until_nul(space).ok()
}

/// `CLOSE_RANGE_CLOEXEC`, close_range(2), Linux 5.11.
const CLOSE_RANGE_CLOEXEC: libc::c_uint = 4;

/// Marks every descriptor from `first` on close-on-exec (close_range(2) with `CLOSE_RANGE_CLOEXEC`).
///
/// Nothing is closed now, so no `OwnedFd` loses its file; what was inherited without the flag does not pass execve.
pub fn cloexec_from(first: u32) -> Result<(), Errno> {
    // SAFETY: close_range with the CLOEXEC flag closes nothing and takes no pointers.
    crate::check(unsafe {
        libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, CLOSE_RANGE_CLOEXEC)
    })
    .map(drop)
}
