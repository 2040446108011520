//! ioctl_ns(2) and ioctl_pidfd: which namespace is it, and whose.

use rustix::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use rustix::io::Errno;

const NS_GET_USERNS: libc::c_ulong = 0xb701;
const NS_GET_NSTYPE: libc::c_ulong = 0xb703;
const NS_GET_ID: libc::c_ulong = 0x8008_b70d;
const PIDFD_GET_USER_NAMESPACE: libc::c_ulong = 0xff09;

fn ioctl_fd(fd: BorrowedFd<'_>, request: libc::c_ulong) -> Result<OwnedFd, Errno> {
    // SAFETY: these requests take no argument and return a new descriptor.
    let raw = unsafe { libc::ioctl(fd.as_raw_fd(), request as _, 0) };
    if raw < 0 {
        return Err(crate::last_errno());
    }
    // SAFETY: the kernel has just made this descriptor for us; nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}

/// The user namespace that owns the namespace `ns` (ioctl_ns(2), `NS_GET_USERNS`). EPERM: it is out of the caller's view.
pub fn owner(ns: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    ioctl_fd(ns, NS_GET_USERNS)
}

/// The `CLONE_NEW*` flag of the kind of `ns` (ioctl_ns(2), `NS_GET_NSTYPE`). ENOTTY: not a namespace.
pub fn kind(ns: BorrowedFd<'_>) -> Result<i32, Errno> {
    // SAFETY: the request takes no argument and returns an integer.
    let raw = unsafe { libc::ioctl(ns.as_raw_fd(), NS_GET_NSTYPE as _, 0) };
    if raw < 0 { Err(crate::last_errno()) } else { Ok(raw) }
}

/// The namespace's 64-bit id, never reused while the machine is up (`NS_GET_ID`, Linux 6.18; ENOTTY before).
pub fn id(ns: BorrowedFd<'_>) -> Result<u64, Errno> {
    let mut id = 0u64;
    // SAFETY: the request writes one u64, which outlives the call.
    let done = unsafe { libc::ioctl(ns.as_raw_fd(), NS_GET_ID as _, &raw mut id) };
    crate::check(libc::c_long::from(done)).map(|_| id)
}

/// The user namespace of the process behind `pidfd` (`PIDFD_GET_USER_NAMESPACE`, Linux 6.11; ENOTTY before).
pub fn user_of(pidfd: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    ioctl_fd(pidfd, PIDFD_GET_USER_NAMESPACE)
}
