//! `PIDFD_GET_INFO` of <linux/pidfd.h>: what the kernel tells of a process by its pidfd, without any right over it.

use rustix::fd::{AsRawFd, BorrowedFd};
use rustix::io::Errno;

/// `struct pidfd_info`, as of Linux 6.16.
#[repr(C)]
#[derive(Default)]
struct PidfdInfo {
    mask: u64,
    cgroupid: u64,
    /// pid, tgid, ppid; then uids and gids: real, effective, saved, file system.
    numbers: [u32; 11],
    exit_code: i32,
    coredump_mask: u32,
    coredump_signal: u32,
}

/// `_IOWR(0xff, 11, struct pidfd_info)`, with the size above.
const PIDFD_GET_INFO: libc::c_ulong = 0xc048_ff0b;
/// The mask's bit for `coredump_mask`, Linux 6.16.
const PIDFD_INFO_COREDUMP: u64 = 1 << 4;

/// Who may look into a process: prctl(2), `PR_SET_DUMPABLE`; /proc/sys/fs/suid_dumpable in proc(5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dumpable {
    /// 0: nobody without CAP_SYS_PTRACE.
    No,
    /// 1: whoever has its ids.
    Yes,
    /// 2: as 0; its core is readable by root alone.
    RootOnly,
}

/// Whether the process behind `pidfd` is dumpable (`PIDFD_GET_INFO` with `PIDFD_INFO_COREDUMP`, Linux 6.16).
///
/// ENOTTY: an older kernel without any of it; EOPNOTSUPP: one that does not tell this, or a process without memory.
pub fn dumpable(pidfd: BorrowedFd<'_>) -> Result<Dumpable, Errno> {
    let mut info = PidfdInfo { mask: PIDFD_INFO_COREDUMP, ..PidfdInfo::default() };
    // SAFETY: the kernel reads and writes at most the size that the request's number holds, 72 bytes: that of `info`.
    let done = unsafe { libc::ioctl(pidfd.as_raw_fd(), PIDFD_GET_INFO as _, &raw mut info) };
    crate::check(libc::c_long::from(done))?;
    if info.mask & PIDFD_INFO_COREDUMP == 0 {
        return Err(Errno::OPNOTSUPP);
    }
    // `PIDFD_COREDUMP_SKIP`, `_USER`, `_ROOT`.
    match info.coredump_mask & 0b1110 {
        0b0010 => Ok(Dumpable::No),
        0b0100 => Ok(Dumpable::Yes),
        0b1000 => Ok(Dumpable::RootOnly),
        _ => Err(Errno::OPNOTSUPP),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fd::AsFd;
    use rustix::process::{Pid, PidfdFlags, pidfd_open};

    #[test]
    fn a_program_is_dumpable_until_it_says_no() {
        assert_eq!(size_of::<PidfdInfo>(), 72);
        let mut child = std::process::Command::new("sleep").arg("9").spawn().unwrap();
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        let found = dumpable(pidfd_open(pid, PidfdFlags::empty()).unwrap().as_fd());
        child.kill().unwrap();
        child.wait().unwrap();
        let old = [Errno::NOTTY, Errno::INVAL, Errno::OPNOTSUPP, Errno::PERM];
        assert!(found == Ok(Dumpable::Yes) || found.is_err_and(|errno| old.contains(&errno)), "{found:?}");
    }
}
