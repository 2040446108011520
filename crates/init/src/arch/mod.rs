//! What differs between processors: the system call instruction, clone(2) and the numbers. (And `start`.)
//!
//! Each file offers `syscall`, `exit_group`, `clone` and `nr`, with the same meaning.
#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "aarch64")]
pub use aarch64::{clone, exit_group, mmap, nr, syscall, syscall5};
#[cfg(target_arch = "x86_64")]
pub use x86_64::{clone, exit_group, mmap, nr, syscall, syscall5};

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
compile_error!("insula-init knows x86_64 and aarch64 only");
#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
compile_error!("insula-init is for 64-bit Linux only (x32 and ilp32 have other system call tables)");
