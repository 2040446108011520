//! seccomp_unotify(2): a filter some of whose calls an agent decides, and how the agent gets the listener.
//!
//! The listener appears in the process that is filtered from then on, and any call that it made to hand it over may be one
//! that the agent is to decide. So a helper sends it: born before the filter, and sharing the table of descriptors, so that
//! it sees the listener's number appear there. It closes the listener behind it, in both: once the agent is gone, the calls
//! are to fail and not to wait. `crates/init/src/notify.rs` does the same for a filter that the init loads.

use crate::birth::exit_now;
use crate::last_errno;
use crate::page::SharedPage;
use crate::seccomp::{Flags, Instruction, set_filter};
use rustix::fd::{AsRawFd, BorrowedFd};
use rustix::io::Errno;
use std::sync::atomic::Ordering;

/// What the helper says in the word that it shares with us: this, or this and an errno.
const SENT: u32 = 1;
const NOT_SENT: u32 = 0x1_0000;

/// Loads `program` for the calling thread, which must be the only one, and returns when the agent at the connected stream
/// socket `agent` has been sent `text` with the listener. No allocation: a step may call it.
///
/// `SO_SNDTIMEO` of the socket bounds the time. The errors of the filter are those of [`load`](crate::seccomp::load).
pub fn load_for_agent(
    program: &[Instruction],
    flags: Flags,
    agent: BorrowedFd<'_>,
    text: &[u8],
) -> Result<(), NotLoaded> {
    let page = SharedPage::new().map_err(NotLoaded::Filter)?;
    let us = rustix::process::getpid().as_raw_nonzero().get();
    // Nobody else opens anything here: the kernel gives the listener the lowest number that is free.
    let listener = rustix::io::fcntl_dupfd_cloexec(agent, 0).map_err(NotLoaded::Filter)?.as_raw_fd();
    // Its end is no signal: where waitpid(2) is refused, the program must not be interrupted by it.
    // SAFETY: clone(2) without CLONE_VM and without a stack: the child goes on in a copy of our memory and leaves by
    // `_exit` only. It shares the table of descriptors, of which it closes the listener alone: no OwnedFd has that.
    let helper = unsafe { libc::syscall(libc::SYS_clone, libc::CLONE_FILES, 0usize, 0usize, 0usize, 0usize) };
    match helper {
        0 => help(listener, agent, text, us, &page),
        ..0 => return Err(NotLoaded::Filter(last_errno())),
        _ => {}
    }
    let helper = i32::try_from(helper).map_err(|_| NotLoaded::Filter(Errno::RANGE))?;
    let flags = flags.and(Flags::NEW_LISTENER).without(Flags::ALL_THREADS);
    let loaded = set_filter(program, flags);
    if loaded.is_err() {
        // SAFETY: kill(2) takes no pointers; it is our child, and nobody has waited for it.
        unsafe { libc::kill(helper, libc::SIGKILL) };
    }
    // From here on each call may be filtered. Where this one is refused, the helper stays a zombie.
    // SAFETY: waitpid(2) writes no status to a null pointer.
    unsafe { libc::waitpid(helper, std::ptr::null_mut(), libc::__WALL) };
    loaded.map_err(NotLoaded::Filter)?;
    loop {
        match page.words()[0].load(Ordering::Acquire) {
            SENT => return Ok(()),
            0 => std::hint::spin_loop(),
            errno => {
                let raw = i32::try_from(errno & 0xffff).unwrap_or(libc::EIO);
                return Err(NotLoaded::Agent(Errno::from_raw_os_error(raw)));
            }
        }
    }
}

/// Why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotLoaded {
    /// The filter could not be loaded.
    Filter(Errno),
    /// It is in force, and the agent was not sent the listener.
    Agent(Errno),
}

/// The helper's life.
fn help(listener: i32, agent: BorrowedFd<'_>, text: &[u8], us: i32, page: &SharedPage) -> ! {
    // SAFETY: fcntl(2) with F_GETFD takes no pointers, and a number that is no descriptor is EBADF.
    while unsafe { libc::fcntl(listener, libc::F_GETFD) } < 0 {
        // SAFETY: getppid(2) takes nothing.
        if unsafe { libc::getppid() } != us {
            exit_now(1);
        }
        rustix::thread::sched_yield();
    }
    let sent = send(agent, listener, text);
    // SAFETY: the number is the listener's, as it was free before and nobody else opens anything; no OwnedFd has it.
    unsafe { libc::close(listener) };
    let said = match sent {
        Ok(()) => SENT,
        Err(errno) => NOT_SENT | errno.raw_os_error().unsigned_abs(),
    };
    page.words()[0].store(said, Ordering::Release);
    exit_now(0)
}

/// The descriptor goes with the first bytes.
fn send(agent: BorrowedFd<'_>, listener: i32, text: &[u8]) -> Result<(), Errno> {
    use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
    use std::io::IoSlice;
    use std::mem::MaybeUninit;
    // SAFETY: the caller has seen that it is open, and closes it behind us.
    let fds = [unsafe { BorrowedFd::borrow_raw(listener) }];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !ancillary.push(SendAncillaryMessage::ScmRights(&fds)) {
        return Err(Errno::NOBUFS);
    }
    let mut rest = text;
    while !rest.is_empty() {
        let sent = sendmsg(agent, &[IoSlice::new(rest)], &mut ancillary, SendFlags::NOSIGNAL)?;
        ancillary.clear();
        rest = rest.get(sent..).unwrap_or_default();
    }
    Ok(())
}

/// A call that an agent is to decide: `struct seccomp_notif`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waiting {
    /// What the answer has to name.
    pub id: u64,
    /// Who calls: its thread id as the reader sees it, 0 if it does not.
    pub pid: u32,
    flags: u32,
    /// The number of the call, on `architecture`.
    pub number: i32,
    /// `AUDIT_ARCH_*`.
    pub architecture: u32,
    instruction: u64,
    /// Its arguments. What pointers lead to may change while one looks.
    pub arguments: [u64; 6],
}

/// What the agent says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The kernel is to do it: no decision on security, as the arguments may have changed by then.
    Continue,
    /// The call returns this.
    Value(i64),
    /// It fails so.
    Refuse(Errno),
}

/// `struct seccomp_notif_resp`.
#[repr(C)]
struct Reply {
    id: u64,
    value: i64,
    error: i32,
    flags: u32,
}

/// `SECCOMP_IOCTL_NOTIF_RECV`: waits for a call. ENOENT: who made it is gone meanwhile; ask again.
pub fn receive(listener: BorrowedFd<'_>) -> Result<Waiting, Errno> {
    const RECV: u64 = 0xc050_2100;
    let mut waiting = Waiting::default();
    // SAFETY: the kernel wants 80 bytes of zeroes and writes as many to a live variable, a seccomp_notif.
    let done = unsafe { libc::ioctl(listener.as_raw_fd(), RECV, &raw mut waiting) };
    crate::check(libc::c_long::from(done)).map(|_| waiting)
}

/// `SECCOMP_IOCTL_NOTIF_SEND`: decides. ENOENT: nobody waits for it any more.
pub fn decide(listener: BorrowedFd<'_>, id: u64, verdict: Verdict) -> Result<(), Errno> {
    const SEND: u64 = 0xc018_2101;
    const CONTINUE: u32 = 1;
    let (value, error, flags) = match verdict {
        Verdict::Continue => (0, 0, CONTINUE),
        Verdict::Value(value) => (value, 0, 0),
        Verdict::Refuse(errno) => (0, -errno.raw_os_error(), 0),
    };
    let reply = Reply { id, value, error, flags };
    // SAFETY: the kernel reads 24 bytes from a live variable, a seccomp_notif_resp.
    let done = unsafe { libc::ioctl(listener.as_raw_fd(), SEND, &raw const reply) };
    crate::check(libc::c_long::from(done)).map(drop)
}

const _: () = assert!(size_of::<Waiting>() == 80 && size_of::<Reply>() == 24);
