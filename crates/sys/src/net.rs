//! netdevice(7), socket(7) and netlink(7): a device's flags by ioctl, which network namespace a socket is of, and the options
//! of a netlink socket.

use rustix::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
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

/// `SIOCGSKNS` of <linux/sockios.h>.
const SIOCGSKNS: libc::c_ulong = 0x894c;
/// `SO_NETNS_COOKIE` of <asm-generic/socket.h>.
const SO_NETNS_COOKIE: libc::c_int = 71;

/// The network namespace of a socket (`SIOCGSKNS`). EPERM: the caller is not CAP_NET_ADMIN in it; ENOTTY: no socket.
pub fn namespace_of(socket: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    // SAFETY: the request takes no argument and returns a new descriptor.
    let raw = unsafe { libc::ioctl(socket.as_raw_fd(), SIOCGSKNS as _, 0) };
    if raw < 0 {
        return Err(crate::last_errno());
    }
    // SAFETY: the kernel has just made this descriptor for us; nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}

/// A number that is the same for all sockets of one network namespace, and never used again (socket(7),
/// `SO_NETNS_COOKIE`, Linux 5.14; ENOPROTOOPT before).
pub fn namespace_cookie(socket: BorrowedFd<'_>) -> Result<u64, Errno> {
    let mut cookie = 0u64;
    let mut length: libc::socklen_t = 8;
    // SAFETY: the kernel writes at most `length` bytes, which are those of `cookie`; both outlive the call.
    let done = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            SO_NETNS_COOKIE,
            (&raw mut cookie).cast(),
            &raw mut length,
        )
    };
    crate::check(libc::c_long::from(done)).map(|_| cookie)
}

/// Sets an option of level `SOL_NETLINK` (netlink(7), "Socket options") that is on or off. ENOPROTOOPT: this kernel does not
/// know it.
///
/// ```c
/// int setsockopt(int sockfd, SOL_NETLINK, int option, &(int){1}, sizeof(int));
/// ```
pub fn netlink_option(socket: BorrowedFd<'_>, option: i32, on: bool) -> Result<(), Errno> {
    let value = libc::c_int::from(on);
    let size: libc::socklen_t = 4;
    // SAFETY: the kernel reads `size` bytes of `value`, an int of that size that outlives the call.
    crate::check(libc::c_long::from(unsafe {
        libc::setsockopt(socket.as_raw_fd(), libc::SOL_NETLINK, option, (&raw const value).cast(), size)
    }))
    .map(drop)
}
