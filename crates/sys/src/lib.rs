//! The only room with `unsafe` that runs on the host: system calls that rustix lacks, and regex(3) of the C library, each
//! behind a safe function.
//!
//! The rule of the house is: rustix first, this crate second, libc's numbers third. Each function opens with its C
//! prototype or the man page that defines it; each `unsafe` names its invariant and who keeps it.

pub mod birth;
pub mod bpf;
pub mod exec;
pub mod guard_alloc;
pub mod harmless;
pub mod inherited;
pub mod kcmp;
pub mod keyring;
pub mod mount;
pub mod net;
pub mod notify;
pub mod nsfs;
pub mod page;
pub mod pidfd;
pub mod prctl;
pub mod process;
pub mod ptrace;
pub mod regex;
pub mod scheduling;
pub mod seccomp;
pub mod signal;
pub mod syscall;

use rustix::io::Errno;

/// Turns the result of a raw `libc::syscall` into the errno that it left behind.
pub(crate) fn check(result: libc::c_long) -> Result<libc::c_long, Errno> {
    if result >= 0 { Ok(result) } else { Err(last_errno()) }
}

/// `errno` of the calling thread.
pub(crate) fn last_errno() -> Errno {
    let raw = std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO);
    Errno::from_raw_os_error(raw)
}
