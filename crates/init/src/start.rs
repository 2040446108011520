//! The entry point, per processor: what the kernel leaves on the stack becomes the argument of `main`.
use core::arch::naked_asm;

/// Where the kernel begins on x86_64: the stack pointer is at argc, there is no return address, rbp is to mark
/// the last frame.
///
/// # Safety
/// For the kernel alone to call.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
#[unsafe(no_mangle)]
unsafe extern "C" fn _start() -> ! {
    naked_asm!(
        "xor ebp, ebp",
        "mov rdi, rsp",
        "and rsp, -16",
        "call {main}",
        "ud2",
        main = sym crate::main,
    )
}

/// Where the kernel begins on aarch64: sp is at argc and aligned to 16; x29 and x30 zero mark the last frame.
///
/// # Safety
/// For the kernel alone to call.
#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
#[unsafe(no_mangle)]
unsafe extern "C" fn _start() -> ! {
    naked_asm!(
        "mov x29, xzr",
        "mov x30, xzr",
        "mov x0, sp",
        "bl {main}",
        "brk #1",
        main = sym crate::main,
    )
}
