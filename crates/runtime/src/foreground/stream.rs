//! The caller's standard input and output, read and written without ever blocking, and without O_NONBLOCK on what we
//! share.
//!
//! O_NONBLOCK belongs to the open file description (fcntl(2)), which the shell, and every other process that has
//! inherited the terminal or the pipe, shares with us: left set, it makes their reads fail with EAGAIN. POLLOUT alone
//! is no remedy, as a blocking write of more than what fits waits for the rest. So a description of our own is opened:
//! a terminal or a pipe anew by `/proc/self/fd`, or `/dev/tty` where the terminal's owner is another (su(1)). What
//! cannot be opened anew is used in portions that cannot block after poll(2) has said "ready".

use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};

/// One standard stream.
pub(super) enum Stream {
    /// A description of our own, with O_NONBLOCK.
    Own(OwnedFd),
    /// A socket, which has a flag per call.
    Socket(BorrowedFd<'static>),
    /// The shared description, and the most bytes that a write may have.
    Shared(BorrowedFd<'static>, usize),
}

impl Stream {
    /// Prepares `shared` for `access`, RDONLY or WRONLY.
    pub(super) fn new(shared: BorrowedFd<'static>, access: OFlags) -> Self {
        let kind = rustix::fs::fstat(shared).map(|stat| FileType::from_raw_mode(stat.st_mode));
        let is_tty = rustix::termios::isatty(shared);
        match kind {
            Ok(FileType::Socket) => Self::Socket(shared),
            // A pipe that poll(2) calls writable has room for PIPE_BUF bytes (pipe(7)).
            Ok(FileType::Fifo) => open_again(shared, access).map_or(Self::Shared(shared, 4096), Self::Own),
            // A terminal that poll(2) calls writable has room for one byte at least. Slow, and right; and rare.
            Ok(FileType::CharacterDevice) if is_tty => open_again(shared, access)
                .or_else(|| open_controlling(shared, access))
                .map_or(Self::Shared(shared, 1), Self::Own),
            // Regular files and /dev/null never block, and a second description would have another offset.
            _ => Self::Shared(shared, usize::MAX),
        }
    }

    /// Reads what is there; EAGAIN if nothing is. To be called after POLLIN.
    pub(super) fn read(&self, buffer: &mut [u8]) -> Result<usize, Errno> {
        match self {
            Self::Own(fd) => rustix::io::read(fd, buffer),
            Self::Socket(fd) => rustix::net::recv(fd, buffer, RecvFlags::DONTWAIT).map(|(read, _)| read),
            Self::Shared(fd, _) => rustix::io::read(fd, buffer),
        }
    }

    /// Writes what fits; EAGAIN if nothing does. To be called after POLLOUT.
    pub(super) fn write(&self, bytes: &[u8]) -> Result<usize, Errno> {
        match self {
            Self::Own(fd) => rustix::io::write(fd, bytes),
            Self::Socket(fd) => rustix::net::send(fd, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL),
            Self::Shared(fd, most) => rustix::io::write(fd, bytes.get(..*most).unwrap_or(bytes)),
        }
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Own(fd) => fd.as_fd(),
            Self::Socket(fd) | Self::Shared(fd, _) => *fd,
        }
    }
}

/// Opens what `shared` refers to once more, by its magic link (proc_pid_fd(5)). O_NOCTTY: a session leader is not to
/// gain a terminal by it.
fn open_again(shared: BorrowedFd<'_>, access: OFlags) -> Option<OwnedFd> {
    let flags = access | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let path = format!("/proc/self/fd/{}", shared.as_raw_fd());
    let own = rustix::fs::open(path, flags, Mode::empty()).ok()?;
    let (ours, theirs) = (rustix::fs::fstat(&own).ok()?, rustix::fs::fstat(shared).ok()?);
    // A mount over our /proc could lead elsewhere.
    ((ours.st_dev, ours.st_ino) == (theirs.st_dev, theirs.st_ino)).then_some(own)
}

/// Opens our controlling terminal, if that is what `shared` is. A session has one at most, so that its id proves it.
fn open_controlling(shared: BorrowedFd<'_>, access: OFlags) -> Option<OwnedFd> {
    let session = rustix::process::getsid(None).ok()?;
    let is_ours = |tty: BorrowedFd<'_>| rustix::termios::tcgetsid(tty) == Ok(session);
    if !is_ours(shared) {
        return None;
    }
    let flags = access | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let own = rustix::fs::open(c"/dev/tty", flags, Mode::empty()).ok()?;
    is_ours(own.as_fd()).then_some(own)
}
