//! The system calls that init makes, each with its C prototype. Numbers and asm are in `arch`.
use core::ffi::CStr;
use core::mem::MaybeUninit;

use crate::arch::{self, nr, syscall, syscall5};

/// An errno(3), positive.
pub type Errno = i32;

/// `siginfo_t`: sigaction(2). 128 bytes on every architecture.
#[repr(C, align(8))]
pub struct SigInfo {
    /// `si_signo`
    pub signo: i32,
    errno: i32,
    /// `si_code`
    pub code: i32,
    rest: [i32; 29],
}

/// Whether wait4(2) sleeps until a child ends.
#[derive(Clone, Copy)]
pub enum Wait {
    /// Return at once.
    NoHang,
    /// Sleep.
    Block,
}

/// How a child ended.
pub enum Ended {
    /// By exit(2), with this code.
    Exited(i32),
    /// By this signal.
    Killed(i32),
}

/// As many descriptors are sent at once: there are eight kinds of namespace.
pub const MOST_FDS: usize = 8;

const SIGSET_BYTES: usize = 8;

/// What the kernel returned: errors are -4095..-1, and everything that we ask for is an int.
#[expect(clippy::cast_possible_truncation, reason = "an int by the prototypes below")]
pub fn result(returned: isize) -> Result<i32, Errno> {
    if returned < 0 { Err(-returned as i32) } else { Ok(returned as i32) }
}

/// An int in a register: the kernel looks at its lower half.
#[expect(clippy::cast_sign_loss, reason = "sign extension is what the ABI wants")]
pub const fn int(value: i32) -> usize {
    value as usize
}

/// `[[noreturn]] void exit_group(int status)`: exit_group(2)
pub fn exit_group(status: i32) -> ! {
    arch::exit_group(int(status))
}

/// `ssize_t write(int fd, const void buf[.count], size_t count)`: write(2)
pub fn write(fd: i32, bytes: &[u8]) -> Result<i32, Errno> {
    // SAFETY: the kernel reads `len` bytes from a live slice.
    result(unsafe { syscall(nr::WRITE, int(fd), bytes.as_ptr().expose_provenance(), bytes.len(), 0) })
}

/// `int fcntl(int fd, F_SETFD, FD_CLOEXEC)`: F_SETFD(2const)
pub fn set_close_on_exec(fd: i32) -> Result<(), Errno> {
    const F_SETFD: usize = 2;
    const FD_CLOEXEC: usize = 1;
    // SAFETY: no memory is passed.
    result(unsafe { syscall(nr::FCNTL, int(fd), F_SETFD, FD_CLOEXEC, 0) }).map(drop)
}

/// `int close_range(unsigned int first, unsigned int last, int flags)`: close_range(2), Linux 5.9.
/// Where seccomp profiles do not know it yet, the descriptors up to the usual soft limit are closed one by
/// one.
pub fn close_all() {
    // SAFETY: no memory is passed, and no Rust object owns a descriptor here.
    if unsafe { syscall(nr::CLOSE_RANGE, 0, u32::MAX as usize, 0, 0) } < 0 {
        for fd in 0..1024 {
            // SAFETY: as above.
            unsafe { syscall(nr::CLOSE, fd, 0, 0, 0) };
        }
    }
}

/// `int openat(int dirfd, const char *path, O_WRONLY | O_CLOEXEC)`: openat(2)
pub fn open_to_write(directory: i32, name: &CStr) -> Result<i32, Errno> {
    const FLAGS: usize = 0o2_000_001;
    let path = name.as_ptr().expose_provenance();
    // SAFETY: the kernel reads the name up to its NUL.
    result(unsafe { syscall(nr::OPENAT, int(directory), path, FLAGS, 0) })
}

/// `int close(int fd)`: close(2)
pub fn close(fd: i32) {
    // SAFETY: no memory is passed, and no Rust object owns a descriptor here.
    unsafe { syscall(nr::CLOSE, int(fd), 0, 0, 0) };
}

/// `ssize_t read(int fd, void buf[.count], size_t count)`: read(2)
pub fn read(fd: i32, bytes: &mut [u8]) -> Result<i32, Errno> {
    // SAFETY: the kernel writes at most `len` bytes to a live slice that is ours alone.
    result(unsafe { syscall(nr::READ, int(fd), bytes.as_mut_ptr().expose_provenance(), bytes.len(), 0) })
}

/// `struct pollfd`: poll(2)
#[repr(C)]
pub struct PollFd {
    /// Whose events; one below 0 has none.
    pub fd: i32,
    /// What is waited for.
    pub events: i16,
    /// What there is.
    pub revents: i16,
}

/// `POLLIN`
pub const POLLIN: i16 = 1;

/// `int ppoll(struct pollfd *fds, nfds_t nfds, NULL, NULL, 0)`: poll(2), for as long as it takes
pub fn poll(fds: &mut [PollFd]) -> Result<i32, Errno> {
    // SAFETY: the kernel reads and writes `len` pollfds of a live slice that is ours alone.
    result(unsafe { syscall5(nr::PPOLL, [fds.as_mut_ptr().expose_provenance(), fds.len(), 0, 0, 0]) })
}

/// `int signalfd4(-1, const kernel_sigset_t *mask, size_t sizemask, SFD_CLOEXEC | SFD_NONBLOCK)`: signalfd(2)
pub fn signalfd(set: u64) -> Result<i32, Errno> {
    const FLAGS: usize = 0o2_004_000;
    let none = usize::MAX;
    // SAFETY: the kernel reads eight bytes from a live variable.
    result(unsafe { syscall(nr::SIGNALFD4, none, (&raw const set).expose_provenance(), SIGSET_BYTES, FLAGS) })
}

/// read(2) of a `struct signalfd_siginfo`: signalfd(2). The pid of who sent it, `ssi_pid`.
pub fn read_signal(fd: i32) -> Result<u32, Errno> {
    const SENDER: usize = 3;
    const EAGAIN: Errno = 11;
    let mut space = MaybeUninit::<[u32; 32]>::uninit();
    let (at, size) = (space.as_mut_ptr().expose_provenance(), size_of::<[u32; 32]>());
    // SAFETY: the kernel writes at most `size` bytes to a live variable.
    let read = result(unsafe { syscall(nr::READ, int(fd), at, size, 0) })?;
    if usize::try_from(read) != Ok(size) {
        return Err(EAGAIN);
    }
    // SAFETY: the kernel has written all of it.
    Ok(unsafe { space.assume_init_ref() }[SENDER])
}

/// `int accept4(int sockfd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)`: accept(2)
pub fn accept(fd: i32) -> Result<i32, Errno> {
    const FLAGS: usize = 0o2_004_000;
    // SAFETY: no memory is passed.
    result(unsafe { syscall(nr::ACCEPT4, int(fd), 0, 0, FLAGS) })
}

/// `uid_t geteuid(void)`: getuid(2)
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a uid_t by the prototype")]
pub fn geteuid() -> u32 {
    // SAFETY: no memory is passed.
    unsafe { syscall(nr::GETEUID, 0, 0, 0, 0) as u32 }
}

/// `int getsockopt(int fd, SOL_SOCKET, SO_PEERCRED, struct ucred *cred, socklen_t *len)`: unix(7)
/// The uid of who called connect(2), in the terms of our own user namespace.
pub fn peer_uid(fd: i32) -> Result<u32, Errno> {
    const SOL_SOCKET: usize = 1;
    const SO_PEERCRED: usize = 17;
    // struct ucred: pid, uid, gid.
    let mut credentials = [u32::MAX; 3];
    let mut length = 12_u32;
    let (to, of) = ((&raw mut credentials).expose_provenance(), (&raw mut length).expose_provenance());
    // SAFETY: the kernel writes at most the 12 bytes that `length` says to `credentials`; both are live.
    result(unsafe { syscall5(nr::GETSOCKOPT, [int(fd), SOL_SOCKET, SO_PEERCRED, to, of]) })?;
    Ok(credentials[1])
}

/// `struct cmsghdr` with room for as many descriptors as are ever held.
#[repr(C, align(8))]
struct Control {
    length: usize,
    level: i32,
    kind: i32,
    fds: [i32; MOST_FDS],
}

/// `ssize_t sendmsg(int fd, const struct msghdr *msg, MSG_DONTWAIT | MSG_NOSIGNAL)`: one byte with the first
/// `count` descriptors, SCM_RIGHTS of unix(7). A reader that is slow gets nothing.
pub fn send_fds(socket: i32, fds: [i32; MOST_FDS], count: usize) -> Result<(), Errno> {
    send(socket, b"N", fds, count, 0x4040).map(drop)
}

/// `ssize_t sendmsg(int fd, const struct msghdr *msg, MSG_NOSIGNAL)`: as many of these bytes as there is room for, at
/// least one, with this descriptor or none. It waits for room as long as the socket's `SO_SNDTIMEO` says, socket(7).
pub fn send_bytes(socket: i32, bytes: &[u8], fd: Option<i32>) -> Result<i32, Errno> {
    let mut fds = [-1; MOST_FDS];
    fds[0] = fd.unwrap_or(-1);
    send(socket, bytes, fds, usize::from(fd.is_some()), 0x4000)
}

fn send(socket: i32, bytes: &[u8], fds: [i32; MOST_FDS], count: usize, flags: usize) -> Result<i32, Errno> {
    const SOL_SOCKET: i32 = 1;
    const SCM_RIGHTS: i32 = 1;
    let count = if count < MOST_FDS { count } else { MOST_FDS };
    let control = Control { length: 16 + 4 * count, level: SOL_SOCKET, kind: SCM_RIGHTS, fds };
    // struct iovec: base, length.
    let part: [usize; 2] = [bytes.as_ptr().expose_provenance(), bytes.len()];
    // struct msghdr, 64 bit: name, namelen, iov, iovlen, control, controllen, flags.
    let message: [usize; 7] = [
        0,
        0,
        part.as_ptr().expose_provenance(),
        1,
        (&raw const control).expose_provenance(),
        if count == 0 { 0 } else { control.length },
        0,
    ];
    // SAFETY: the kernel reads the header, the one part, its bytes and `length` bytes of control, all live; at
    // most MOST_FDS descriptors are counted, so that the length stays within the struct.
    result(unsafe { syscall(nr::SENDMSG, int(socket), message.as_ptr().expose_provenance(), flags, 0) })
}

/// `void *mmap(NULL, size_t length, PROT_READ, MAP_PRIVATE, int fd, 0)`: mmap(2). For as long as the process lives.
pub fn map(fd: i32, length: usize) -> Result<*const u8, Errno> {
    const PROT_READ: usize = 1;
    const MAP_PRIVATE: usize = 2;
    // SAFETY: a new mapping at a place of the kernel's choice.
    let returned = unsafe { arch::mmap(length, PROT_READ, MAP_PRIVATE, int(fd)) };
    if (-4095..0).contains(&returned) {
        return result(returned).map(|_| core::ptr::null());
    }
    Ok(core::ptr::with_exposed_provenance(returned.unsigned_abs()))
}

/// `struct sock_fprog`, <linux/filter.h>, on 64 bits.
#[repr(C)]
struct FilterProgram {
    count: u16,
    first: *const u8,
}

/// `int seccomp(SECCOMP_SET_MODE_FILTER, unsigned int flags, struct sock_fprog *args)`: seccomp(2)
///
/// # Safety
/// `first` points at `count` instructions of eight bytes.
pub unsafe fn seccomp(flags: u32, count: u16, first: *const u8) -> Result<i32, Errno> {
    const SECCOMP_SET_MODE_FILTER: usize = 1;
    let program = FilterProgram { count, first };
    let at = (&raw const program).expose_provenance();
    // SAFETY: the kernel reads a sock_fprog from a live variable, and the instructions by our contract.
    result(unsafe { syscall(nr::SECCOMP, SECCOMP_SET_MODE_FILTER, flags as usize, at, 0) })
}

/// `int execve(const char *path, char *const argv[], char *const envp[])`: execve(2)
///
/// # Safety
/// `path` is NUL-terminated; `argv` and `envp` are NULL-terminated arrays of NUL-terminated strings.
pub unsafe fn execve(path: *const u8, argv: *const *const u8, envp: *const *const u8) -> Errno {
    // SAFETY: our contract; the kernel only reads them.
    match result(unsafe {
        syscall(nr::EXECVE, path.expose_provenance(), argv.expose_provenance(), envp.expose_provenance(), 0)
    }) {
        Ok(_) => 0,
        Err(errno) => errno,
    }
}

/// `pid_t getpid(void)`: getpid(2)
pub fn getpid() -> i32 {
    // SAFETY: no memory is passed.
    result(unsafe { syscall(nr::GETPID, 0, 0, 0, 0) }).unwrap_or(0)
}

/// `pid_t getpgid(0)`: getpgid(2). 0 if the group is not visible in our pid namespace.
pub fn getpgid() -> Result<i32, Errno> {
    // SAFETY: no memory is passed.
    result(unsafe { syscall(nr::GETPGID, 0, 0, 0, 0) })
}

/// `int setpgid(0, 0)`: setpgid(2)
pub fn setpgid() -> Result<(), Errno> {
    // SAFETY: no memory is passed.
    result(unsafe { syscall(nr::SETPGID, 0, 0, 0, 0) }).map(drop)
}

/// `int ioctl(int fd, TIOCGPGRP, pid_t *argp)`: TIOCGPGRP(2const)
pub fn tcgetpgrp(fd: i32) -> Result<i32, Errno> {
    const TIOCGPGRP: usize = 0x540F;
    let mut group = 0_i32;
    // SAFETY: the kernel writes one pid_t to a live variable.
    result(unsafe { syscall(nr::IOCTL, int(fd), TIOCGPGRP, (&raw mut group).expose_provenance(), 0) })?;
    Ok(group)
}

/// `int ioctl(int fd, TIOCSPGRP, const pid_t *argp)`: TIOCSPGRP(2const)
pub fn tcsetpgrp(fd: i32, group: i32) -> Result<(), Errno> {
    const TIOCSPGRP: usize = 0x5410;
    // SAFETY: the kernel reads one pid_t from a live variable.
    result(unsafe { syscall(nr::IOCTL, int(fd), TIOCSPGRP, (&raw const group).expose_provenance(), 0) })
        .map(drop)
}

/// `int kill(pid_t pid, int sig)`: kill(2)
pub fn kill(pid: i32, signal: i32) -> Result<(), Errno> {
    // SAFETY: no memory is passed.
    result(unsafe { syscall(nr::KILL, int(pid), int(signal), 0, 0) }).map(drop)
}

/// `int rt_sigqueueinfo(pid_t tgid, int sig, siginfo_t *info)`: rt_sigqueueinfo(2)
pub fn rt_sigqueueinfo(pid: i32, info: &SigInfo) -> Result<(), Errno> {
    // SAFETY: the kernel reads one siginfo_t from a live reference.
    result(unsafe {
        syscall(nr::RT_SIGQUEUEINFO, int(pid), int(info.signo), (&raw const *info).expose_provenance(), 0)
    })
    .map(drop)
}

/// `int rt_sigprocmask(SIG_SETMASK, const kernel_sigset_t *set, NULL, size_t sigsetsize)`: sigprocmask(2)
pub fn rt_sigprocmask(set: u64) -> Result<(), Errno> {
    const SIG_SETMASK: usize = 2;
    // SAFETY: the kernel reads eight bytes from a live variable.
    result(unsafe {
        syscall(nr::RT_SIGPROCMASK, SIG_SETMASK, (&raw const set).expose_provenance(), 0, SIGSET_BYTES)
    })
    .map(drop)
}

/// `int rt_sigaction(int signum, const struct sigaction *act, NULL, size_t sigsetsize)`: sigaction(2)
/// SIG_DFL, and no SIGCHLD for a child that stops.
pub fn default_child_signal(signal: i32) -> Result<(), Errno> {
    const SIG_DFL: u64 = 0;
    const SA_NOCLDSTOP: u64 = 1;
    sigaction(signal, SIG_DFL, SA_NOCLDSTOP)
}

/// SIG_IGN for SIGCHLD: the kernel reaps every child itself, wait(2), NOTES.
pub fn ignore(signal: i32) -> Result<(), Errno> {
    const SIG_IGN: u64 = 1;
    sigaction(signal, SIG_IGN, 0)
}

fn sigaction(signal: i32, handler: u64, flags: u64) -> Result<(), Errno> {
    // struct kernel_sigaction, 64 bit: handler, flags, restorer, mask.
    let action: [u64; 4] = [handler, flags, 0, 0];
    // SAFETY: the kernel reads one kernel_sigaction, 32 bytes on both architectures, from a live variable.
    result(unsafe {
        syscall(nr::RT_SIGACTION, int(signal), (&raw const action).expose_provenance(), 0, SIGSET_BYTES)
    })
    .map(drop)
}

/// `int rt_sigtimedwait(const sigset_t *set, siginfo_t *info, NULL, size_t sigsetsize)`: sigwaitinfo(2)
pub fn rt_sigwaitinfo(set: u64, space: &mut MaybeUninit<SigInfo>) -> Result<&SigInfo, Errno> {
    let (set, at) = ((&raw const set).expose_provenance(), space.as_mut_ptr().expose_provenance());
    // SAFETY: the kernel reads eight bytes and writes one siginfo_t, both to live variables.
    result(unsafe { syscall(nr::RT_SIGTIMEDWAIT, set, at, 0, SIGSET_BYTES) })?;
    // SAFETY: on success the kernel has written all 128 bytes (copy_siginfo_to_user clears the rest).
    Ok(unsafe { space.assume_init_ref() })
}

/// `pid_t wait4(-1, int *wstatus, int options, NULL)`: wait4(2). None if there is none that has ended.
pub fn wait4(wait: Wait) -> Result<Option<(i32, Ended)>, Errno> {
    const WNOHANG: usize = 1;
    let options = match wait {
        Wait::NoHang => WNOHANG,
        Wait::Block => 0,
    };
    let mut status = 0_i32;
    // SAFETY: the kernel writes one int to a live variable.
    let pid =
        result(unsafe { syscall(nr::WAIT4, int(-1), (&raw mut status).expose_provenance(), options, 0) })?;
    // <sys/wait.h>: the low seven bits are the signal, the next byte the exit code. Stops are not asked for.
    let ended = match status & 0x7f {
        0 => Ended::Exited((status >> 8) & 0xff),
        signal => Ended::Killed(signal),
    };
    Ok(if pid == 0 { None } else { Some((pid, ended)) })
}

/// `int prctl(PR_SET_DUMPABLE, unsigned long dumpable)`: PR_SET_DUMPABLE(2const). execve(2) sets it anew.
pub fn set_dumpable(dumpable: bool) {
    const PR_SET_DUMPABLE: usize = 4;
    // SAFETY: no memory is passed.
    unsafe { syscall(nr::PRCTL, PR_SET_DUMPABLE, usize::from(dumpable), 0, 0) };
}

/// `int prctl(PR_SET_CHILD_SUBREAPER, 1)`: PR_SET_CHILD_SUBREAPER(2const)
pub fn set_child_subreaper() {
    const PR_SET_CHILD_SUBREAPER: usize = 36;
    // SAFETY: no memory is passed.
    unsafe { syscall(nr::PRCTL, PR_SET_CHILD_SUBREAPER, 1, 0, 0) };
}

/// `int prctl(PR_SET_NAME, const char *name)`: PR_SET_NAME(2const).
/// The name of what was executed from a memfd would be a number.
pub fn set_name(name: &CStr) {
    const PR_SET_NAME: usize = 15;
    // SAFETY: the kernel reads up to 16 bytes, and no further than the NUL.
    unsafe { syscall(nr::PRCTL, PR_SET_NAME, name.as_ptr().expose_provenance(), 0, 0) };
}
