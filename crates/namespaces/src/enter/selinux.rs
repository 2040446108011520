//! The security context of a process, where the machine has SELinux: selinux(8), proc_pid_attr(5).

use super::target::Target;
use crate::error::Error;
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags, open, statfs};
use rustix::io::Errno;
use std::fs::File;
use std::io::Read;

/// `SELINUX_MAGIC` of <linux/magic.h>.
const SELINUX_MAGIC: u32 = 0xf97c_ff8c;
/// Where a program's context is set before it is executed; per thread.
const EXEC: &str = "/proc/thread-self/attr/exec";
/// More is no context.
const MOST_BYTES: u64 = 64 << 10;

/// Is there SELinux, as is_selinux_enabled(3) asks: is its file system mounted?
pub(super) fn is_enabled() -> bool {
    ["/sys/fs/selinux", "/selinux"]
        .iter()
        .any(|path| statfs(*path).is_ok_and(|stat| u32::try_from(stat.f_type) == Ok(SELINUX_MAGIC)))
}

/// The target's context, and the file that sets ours.
pub(super) fn follow(target: &Target) -> Result<(Vec<u8>, OwnedFd), Error> {
    let mut context = Vec::new();
    let file = File::from(target.open_file("attr/current", OFlags::RDONLY)?);
    file.take(MOST_BYTES).read_to_end(&mut context).map_err(|error| {
        target.refused("read `attr/current`".to_owned(), Errno::from_io_error(&error).unwrap_or(Errno::IO))
    })?;
    let exec = open(EXEC, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())
        .map_err(|errno| Error::File("open", EXEC.to_owned(), errno))?;
    Ok((context, exec))
}
