//! The system calls of a helper that shares our table of descriptors, each with its C prototype, as in `syscall`.
use core::sync::atomic::AtomicI32;

use crate::arch::{self, nr, syscall};
use crate::syscall::{Errno, close, int, result};

/// `void *mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)`: mmap(2). A number, 0 at first, that a
/// child without `CLONE_VM` shares with us. For as long as the process lives.
pub fn shared_number() -> Result<&'static AtomicI32, Errno> {
    const PROT: usize = 3;
    const FLAGS: usize = 0x21;
    // SAFETY: a new mapping at a place of the kernel's choice.
    let returned = unsafe { arch::mmap(4096, PROT, FLAGS, int(-1)) };
    if (-4095..0).contains(&returned) {
        return Err(result(returned).err().unwrap_or(0));
    }
    let at = core::ptr::with_exposed_provenance::<AtomicI32>(returned.unsigned_abs());
    // SAFETY: a page of zeroes that is never unmapped, aligned to itself; only atomic accesses are made to it.
    Ok(unsafe { &*at })
}

/// `int fcntl(int fd, F_DUPFD_CLOEXEC, 0)` and close(2): F_DUPFD_CLOEXEC(2const). The lowest number that is free.
pub fn lowest_free(fd: i32) -> Result<i32, Errno> {
    const F_DUPFD_CLOEXEC: usize = 1030;
    // SAFETY: no memory is passed.
    let number = result(unsafe { syscall(nr::FCNTL, int(fd), F_DUPFD_CLOEXEC, 0, 0) })?;
    close(number);
    Ok(number)
}

/// `int fcntl(int fd, F_GETFD)`: F_GETFD(2const). Whether there is such a descriptor.
pub fn is_open(fd: i32) -> bool {
    const F_GETFD: usize = 1;
    // SAFETY: no memory is passed.
    result(unsafe { syscall(nr::FCNTL, int(fd), F_GETFD, 0, 0) }).is_ok()
}

/// `long clone(CLONE_FILES, NULL)`: clone(2). As fork(2), but that parent and child have one table of descriptors, and that
/// its end is no signal: where wait4(2) is refused, the program must not be interrupted by it. 0 in the child.
pub fn fork_sharing_files() -> Result<i32, Errno> {
    const CLONE_FILES: usize = 0x400;
    // SAFETY: without CLONE_VM the child goes on in a copy of our memory, on a copy of this stack.
    result(unsafe { syscall(nr::CLONE, CLONE_FILES, 0, 0, 0) })
}

/// `pid_t getppid(void)`: getppid(2)
pub fn getppid() -> i32 {
    // SAFETY: no memory is passed.
    result(unsafe { syscall(nr::GETPPID, 0, 0, 0, 0) }).unwrap_or(0)
}

/// `int sched_yield(void)`: sched_yield(2)
pub fn sched_yield() {
    // SAFETY: no memory is passed.
    unsafe { syscall(nr::SCHED_YIELD, 0, 0, 0, 0) };
}

/// `pid_t wait4(pid, NULL, __WALL, NULL)`: wait4(2). Sleeps until this child has ended, also one whose end is no signal.
pub fn reap(pid: i32) -> Result<(), Errno> {
    const WALL: usize = 0x4000_0000;
    // SAFETY: no memory is passed.
    result(unsafe { syscall(nr::WAIT4, int(pid), 0, WALL, 0) }).map(drop)
}
