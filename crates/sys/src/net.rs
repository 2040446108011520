//! netdevice(7): the flags of a network device by ioctl.

use rustix::fd::{AsRawFd, BorrowedFd};
use rustix::io::Errno;

/// Sets `IFF_UP` on the device `lo` of the network namespace that `socket` was made in.
///
/// `socket` is any socket of that namespace (netdevice(7): "any socket regardless of family or type").
pub fn loopback_up(socket: BorrowedFd<'_>) -> Result<(), Errno> {
    /// `IFF_UP`, netdevice(7), in the type of the flags.
    const UP: libc::c_short = 1;
    // SAFETY: an all-zero ifreq is valid: it is integers and a union of integers.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (slot, byte) in request.ifr_name.iter_mut().zip(b"lo") {
        *slot = libc::c_char::from_ne_bytes([*byte]);
    }
    // SAFETY: SIOCGIFFLAGS reads the name and writes the flags of the ifreq, which outlives the call.
    crate::check(libc::c_long::from(unsafe {
        libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFFLAGS, &raw mut request)
    }))?;
    // SAFETY: the kernel has just written the flags, so that is the union's live field.
    unsafe { request.ifr_ifru.ifru_flags |= UP };
    // SAFETY: as above; SIOCSIFFLAGS only reads.
    crate::check(libc::c_long::from(unsafe {
        libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request)
    }))
    .map(drop)
}
