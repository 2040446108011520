//! kcmp(2): do two processes share a resource of the kernel?

use crate::check;
use rustix::io::Errno;

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// One open file description, by the number that each has for it.
    File(i32, i32),
    /// The memory: `CLONE_VM`.
    Memory,
    /// The table of open files: `CLONE_FILES`.
    Files,
    /// Root, working directory and umask: `CLONE_FS`.
    FileSystem,
    /// The table of signal handlers: `CLONE_SIGHAND`.
    SignalHandlers,
    /// The I/O context: `CLONE_IO`.
    Io,
    /// The list of System V semaphore undo operations: `CLONE_SYSVSEM`.
    SemaphoreUndo,
}

impl Resource {
    /// `KCMP_…` of <linux/kcmp.h>, and its two arguments.
    fn arguments(self) -> (libc::c_int, libc::c_ulong, libc::c_ulong) {
        let index = |fd: i32| libc::c_ulong::from(fd.unsigned_abs());
        match self {
            Resource::File(one, two) => (0, index(one), index(two)),
            Resource::Memory => (1, 0, 0),
            Resource::Files => (2, 0, 0),
            Resource::FileSystem => (3, 0, 0),
            Resource::SignalHandlers => (4, 0, 0),
            Resource::Io => (5, 0, 0),
            Resource::SemaphoreUndo => (6, 0, 0),
        }
    }
}

/// kcmp(2): `int kcmp(pid_t pid1, pid_t pid2, int type, unsigned long idx1, unsigned long idx2)`.
///
/// EPERM: one of the two may not be looked at (ptrace(2), `PTRACE_MODE_READ_REALCREDS`); ESRCH: one is gone; EBADF: no
/// such open file; ENOSYS: a kernel without `CONFIG_KCMP`.
pub fn shares(one: i32, two: i32, resource: Resource) -> Result<bool, Errno> {
    let (kind, first, second) = resource.arguments();
    // SAFETY: of these types kcmp takes no pointers.
    let order = unsafe { libc::syscall(libc::SYS_kcmp, one, two, kind, first, second) };
    // 0: the same; 1, 2 and 3 are an order, or that there is none.
    check(order).map(|order| order == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fd::AsRawFd;

    #[test]
    fn one_shares_all_with_oneself_and_two_opened_files_are_two() {
        let own = rustix::process::getpid().as_raw_nonzero().get();
        let whole = [Resource::Memory, Resource::Files, Resource::FileSystem, Resource::SignalHandlers];
        for resource in whole {
            match shares(own, own, resource) {
                Err(Errno::NOSYS | Errno::PERM) => return,
                shared => assert_eq!(shared, Ok(true), "{resource:?}"),
            }
        }
        let one = std::fs::File::open("/").unwrap();
        let (same, other) = (one.try_clone().unwrap(), std::fs::File::open("/").unwrap());
        let file = |two: &std::fs::File| shares(own, own, Resource::File(one.as_raw_fd(), two.as_raw_fd()));
        assert_eq!(file(&same), Ok(true));
        assert_eq!(file(&other), Ok(false));
        assert_eq!(shares(own, own, Resource::File(one.as_raw_fd(), i32::MAX)), Err(Errno::BADF));
    }

    #[test]
    fn a_child_shares_its_memory_with_nobody() {
        let own = rustix::process::getpid().as_raw_nonzero().get();
        let mut child = std::process::Command::new("sleep").arg("9").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let shared = shares(own, pid, Resource::Memory);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(matches!(shared, Ok(false) | Err(Errno::NOSYS | Errno::PERM)), "{shared:?}");
    }
}
