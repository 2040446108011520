//! aarch64: AAPCS64; syscall(2), "Architecture calling conventions".
use core::arch::{asm, naked_asm};
use core::ffi::c_void;

/// System call numbers: include/uapi/asm-generic/unistd.h
pub mod nr {
    pub const FCNTL: usize = 25;
    pub const IOCTL: usize = 29;
    pub const OPENAT: usize = 56;
    pub const CLOSE: usize = 57;
    pub const READ: usize = 63;
    pub const WRITE: usize = 64;
    pub const PPOLL: usize = 73;
    pub const SIGNALFD4: usize = 74;
    pub const EXIT_GROUP: usize = 94;
    pub const SCHED_YIELD: usize = 124;
    pub const KILL: usize = 129;
    pub const RT_SIGACTION: usize = 134;
    pub const RT_SIGPROCMASK: usize = 135;
    pub const RT_SIGTIMEDWAIT: usize = 137;
    pub const RT_SIGQUEUEINFO: usize = 138;
    pub const SETPGID: usize = 154;
    pub const GETPGID: usize = 155;
    pub const PRCTL: usize = 167;
    pub const GETPID: usize = 172;
    pub const GETPPID: usize = 173;
    pub const GETEUID: usize = 175;
    pub const GETSOCKOPT: usize = 209;
    pub const SENDMSG: usize = 211;
    pub const CLONE: usize = 220;
    pub const EXECVE: usize = 221;
    pub const MMAP: usize = 222;
    pub const ACCEPT4: usize = 242;
    pub const WAIT4: usize = 260;
    pub const SECCOMP: usize = 277;
    pub const CLOSE_RANGE: usize = 436;
}

/// A system call of up to four arguments.
///
/// # Safety
/// The arguments are as the call's man page asks: each that is a pointer points at memory that the kernel may
/// read or write as the call does. The typed functions in `crate::syscall` keep this.
#[inline(always)]
pub unsafe fn syscall(number: usize, a: usize, b: usize, c: usize, d: usize) -> isize {
    let returned: isize;
    // SAFETY: the kernel clobbers x0 only, and memory only as the caller allows. It runs on its own stack.
    unsafe {
        asm!(
            "svc #0",
            in("x8") number,
            inlateout("x0") a => returned,
            in("x1") b,
            in("x2") c,
            in("x3") d,
            options(nostack),
        );
    }
    returned
}

/// A system call of five arguments.
///
/// # Safety
/// As [`syscall`].
#[inline(always)]
pub unsafe fn syscall5(number: usize, of: [usize; 5]) -> isize {
    let returned: isize;
    // SAFETY: as in `syscall`.
    unsafe {
        asm!(
            "svc #0",
            in("x8") number,
            inlateout("x0") of[0] => returned,
            in("x1") of[1],
            in("x2") of[2],
            in("x3") of[3],
            in("x4") of[4],
            options(nostack),
        );
    }
    returned
}

/// mmap(2), which alone has six arguments: the start of the file, to read, where the kernel likes.
///
/// # Safety
/// A new mapping touches no memory that is in use; `syscall::map` keeps the arguments to such.
pub unsafe fn mmap(length: usize, protection: usize, flags: usize, fd: usize) -> isize {
    let returned: isize;
    // SAFETY: as in `syscall`: the kernel clobbers x0 only.
    unsafe {
        asm!(
            "svc #0",
            in("x8") nr::MMAP,
            inlateout("x0") 0_usize => returned,
            in("x1") length,
            in("x2") protection,
            in("x3") flags,
            in("x4") fd,
            in("x5") 0_usize,
            options(nostack),
        );
    }
    returned
}

/// exit_group(2), which does not return; brk in case a filter says otherwise.
pub fn exit_group(status: usize) -> ! {
    // SAFETY: no memory is passed, and control does not come back.
    unsafe { asm!("svc #0", "brk #1", in("x8") nr::EXIT_GROUP, in("x0") status, options(noreturn, nostack)) }
}

/// clone(2): the child calls `run(argument)` on the stack that ends at `top`; the parent gets what the kernel
/// returned.
///
/// # Safety
/// `top` is aligned to 16 and ends a stack that nobody else uses while the child runs; flags that share
/// memory oblige the caller to keep `argument` and the stack alive as long. `Program::start` keeps this.
#[unsafe(naked)]
pub unsafe extern "C" fn clone(
    flags: usize,
    top: *mut c_void,
    run: unsafe extern "C" fn(*mut c_void) -> !,
    argument: *mut c_void,
) -> isize {
    // In: x0 flags, x1 top, x2 run, x3 argument. The kernel takes x0, x1, x2 parent_tid, x3 tls, x4
    // child_tid, the last three unused without their flags. The child begins with our registers, so x5 and x6
    // carry over.
    naked_asm!(
        "mov x5, x2",
        "mov x6, x3",
        "mov x2, xzr",
        "mov x3, xzr",
        "mov x4, xzr",
        "mov x8, #{number}",
        "svc #0",
        "cbz x0, 2f",
        "ret",
        "2:",
        "mov x29, xzr",
        "mov x30, xzr",
        "mov x0, x6",
        "blr x5",
        "brk #1",
        number = const nr::CLONE,
    )
}
