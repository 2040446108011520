//! x86_64: System V ABI; syscall(2), "Architecture calling conventions".
use core::arch::{asm, naked_asm};
use core::ffi::c_void;

/// System call numbers: arch/x86/entry/syscalls/syscall_64.tbl
pub mod nr {
    pub const READ: usize = 0;
    pub const WRITE: usize = 1;
    pub const CLOSE: usize = 3;
    pub const MMAP: usize = 9;
    pub const RT_SIGACTION: usize = 13;
    pub const RT_SIGPROCMASK: usize = 14;
    pub const IOCTL: usize = 16;
    pub const SCHED_YIELD: usize = 24;
    pub const GETPID: usize = 39;
    pub const SENDMSG: usize = 46;
    pub const GETSOCKOPT: usize = 55;
    pub const CLONE: usize = 56;
    pub const EXECVE: usize = 59;
    pub const WAIT4: usize = 61;
    pub const KILL: usize = 62;
    pub const FCNTL: usize = 72;
    pub const GETEUID: usize = 107;
    pub const SETPGID: usize = 109;
    pub const GETPPID: usize = 110;
    pub const GETPGID: usize = 121;
    pub const RT_SIGTIMEDWAIT: usize = 128;
    pub const RT_SIGQUEUEINFO: usize = 129;
    pub const PRCTL: usize = 157;
    pub const EXIT_GROUP: usize = 231;
    pub const OPENAT: usize = 257;
    pub const PPOLL: usize = 271;
    pub const ACCEPT4: usize = 288;
    pub const SIGNALFD4: usize = 289;
    pub const SECCOMP: usize = 317;
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
    // SAFETY: the kernel clobbers rax, rcx and r11 only, and memory only as the caller allows. It runs on its
    // own stack.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number => returned,
            in("rdi") a,
            in("rsi") b,
            in("rdx") c,
            in("r10") d,
            lateout("rcx") _,
            lateout("r11") _,
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
            "syscall",
            inlateout("rax") number => returned,
            in("rdi") of[0],
            in("rsi") of[1],
            in("rdx") of[2],
            in("r10") of[3],
            in("r8") of[4],
            lateout("rcx") _,
            lateout("r11") _,
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
    // SAFETY: as in `syscall`: the kernel clobbers rax, rcx and r11 only.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") nr::MMAP => returned,
            in("rdi") 0_usize,
            in("rsi") length,
            in("rdx") protection,
            in("r10") flags,
            in("r8") fd,
            in("r9") 0_usize,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    returned
}

/// exit_group(2), which does not return; ud2 in case a filter says otherwise.
pub fn exit_group(status: usize) -> ! {
    // SAFETY: no memory is passed, and control does not come back.
    unsafe { asm!("syscall", "ud2", in("rax") nr::EXIT_GROUP, in("rdi") status, options(noreturn, nostack)) }
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
    // In: rdi flags, rsi top, rdx run, rcx argument. The kernel takes rdi, rsi, rdx parent_tid, r10
    // child_tid, r8 tls, the last three unused without their flags. The child begins with our registers, so
    // r8 and r9 carry over.
    naked_asm!(
        "mov r8, rdx",
        "mov r9, rcx",
        "xor edx, edx",
        "xor r10d, r10d",
        "mov eax, {number}",
        "syscall",
        "test rax, rax",
        "jz 2f",
        "ret",
        "2:",
        "xor ebp, ebp",
        "mov rdi, r9",
        "call r8",
        "ud2",
        number = const nr::CLONE,
    )
}
