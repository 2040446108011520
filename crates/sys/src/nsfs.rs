//! ioctl_ns(2) and ioctl_pidfd: which namespace is it, and whose.

use rustix::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use rustix::io::Errno;

const NS_GET_USERNS: libc::c_ulong = 0xb701;
const NS_GET_PARENT: libc::c_ulong = 0xb702;
const NS_GET_NSTYPE: libc::c_ulong = 0xb703;
const NS_GET_OWNER_UID: libc::c_ulong = 0xb704;
const NS_GET_TGID_FROM_PIDNS: libc::c_ulong = 0x8004_b707;
const NS_GET_ID: libc::c_ulong = 0x8008_b70d;
const NS_GET_PID_FROM_PIDNS: libc::c_ulong = 0x8004_b706;
const NS_GET_PID_IN_PIDNS: libc::c_ulong = 0x8004_b708;
const PIDFD_GET_USER_NAMESPACE: libc::c_ulong = 0xff09;
/// The others of a process, by their `CLONE_NEW*` flags. Of pid and time: those of its children.
const PIDFD_GET_NAMESPACE: [(libc::c_int, libc::c_ulong, libc::c_ulong); 8] = [
    (libc::CLONE_NEWCGROUP, 0xff01, 0xff01),
    (libc::CLONE_NEWIPC, 0xff02, 0xff02),
    (libc::CLONE_NEWNS, 0xff03, 0xff03),
    (libc::CLONE_NEWNET, 0xff04, 0xff04),
    (libc::CLONE_NEWPID, 0xff05, 0xff06),
    (0x80, 0xff07, 0xff08),
    (libc::CLONE_NEWUSER, PIDFD_GET_USER_NAMESPACE, PIDFD_GET_USER_NAMESPACE),
    (libc::CLONE_NEWUTS, 0xff0a, 0xff0a),
];

fn ioctl_fd(fd: BorrowedFd<'_>, request: libc::c_ulong) -> Result<OwnedFd, Errno> {
    // SAFETY: these requests take no argument and return a new descriptor.
    let raw = unsafe { libc::ioctl(fd.as_raw_fd(), request as _, 0) };
    if raw < 0 {
        return Err(crate::last_errno());
    }
    // SAFETY: the kernel has just made this descriptor for us; nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}

/// The user namespace that owns the namespace `ns` (ioctl_ns(2), `NS_GET_USERNS`). EPERM: it is out of the caller's view.
pub fn owner(ns: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    ioctl_fd(ns, NS_GET_USERNS)
}

/// The parent of a pid or user namespace (ioctl_ns(2), `NS_GET_PARENT`). EPERM: there is none, or it is out of the
/// caller's view; EINVAL: namespaces of this kind have no parent.
pub fn parent(ns: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    ioctl_fd(ns, NS_GET_PARENT)
}

/// The uid of the owner of a user namespace, as the caller sees it (ioctl_ns(2), `NS_GET_OWNER_UID`). EINVAL: `ns` is of
/// another kind.
pub fn owner_uid(ns: BorrowedFd<'_>) -> Result<u32, Errno> {
    let mut uid = 0u32;
    // SAFETY: the request writes one uid_t, which outlives the call.
    let done = unsafe { libc::ioctl(ns.as_raw_fd(), NS_GET_OWNER_UID as _, &raw mut uid) };
    crate::check(libc::c_long::from(done)).map(|_| uid)
}

/// The `CLONE_NEW*` flag of the kind of `ns` (ioctl_ns(2), `NS_GET_NSTYPE`). ENOTTY: not a namespace.
pub fn kind(ns: BorrowedFd<'_>) -> Result<i32, Errno> {
    // SAFETY: the request takes no argument and returns an integer.
    let raw = unsafe { libc::ioctl(ns.as_raw_fd(), NS_GET_NSTYPE as _, 0) };
    if raw < 0 { Err(crate::last_errno()) } else { Ok(raw) }
}

/// The namespace's 64-bit id, never reused while the machine is up (`NS_GET_ID`, Linux 6.18; ENOTTY before).
pub fn id(ns: BorrowedFd<'_>) -> Result<u64, Errno> {
    let mut id = 0u64;
    // SAFETY: the request writes one u64, which outlives the call.
    let done = unsafe { libc::ioctl(ns.as_raw_fd(), NS_GET_ID as _, &raw mut id) };
    crate::check(libc::c_long::from(done)).map(|_| id)
}

/// The pid, in the caller's pid namespace, of the process or thread that `pid` is in the pid namespace `ns`
/// (`NS_GET_PID_FROM_PIDNS`, Linux 6.11; ENOTTY before). ESRCH: there is none; EINVAL: `ns` is of another kind.
pub fn pid_from(ns: BorrowedFd<'_>, pid: i32) -> Result<i32, Errno> {
    translated(ns, NS_GET_PID_FROM_PIDNS, pid)
}

/// The pid that a process or thread has in the pid namespace `ns`; `pid` is that in the caller's (`NS_GET_PID_IN_PIDNS`,
/// Linux 6.11; ENOTTY before). ESRCH: there is no such process, or it is not visible there; EINVAL: `ns` is of another kind.
pub fn pid_in(ns: BorrowedFd<'_>, pid: i32) -> Result<i32, Errno> {
    translated(ns, NS_GET_PID_IN_PIDNS, pid)
}

fn translated(ns: BorrowedFd<'_>, request: libc::c_ulong, pid: i32) -> Result<i32, Errno> {
    // SAFETY: these requests take a number and return one.
    let raw = unsafe { libc::ioctl(ns.as_raw_fd(), request as _, libc::c_long::from(pid)) };
    if raw < 0 { Err(crate::last_errno()) } else { Ok(raw) }
}

/// The process that has the pid `inside` in the pid namespace `ns`, by its pid in the caller's
/// (`NS_GET_TGID_FROM_PIDNS`, Linux 6.11; ENOTTY before). ESRCH: there is none, or it has no pid here.
pub fn process_of(ns: BorrowedFd<'_>, inside: i32) -> Result<i32, Errno> {
    // SAFETY: the request takes a number, and returns one.
    let pid = unsafe { libc::ioctl(ns.as_raw_fd(), NS_GET_TGID_FROM_PIDNS as _, libc::c_long::from(inside)) };
    if pid < 0 { Err(crate::last_errno()) } else { Ok(pid) }
}

/// The user namespace of the process behind `pidfd` (`PIDFD_GET_USER_NAMESPACE`, Linux 6.11; ENOTTY before).
pub fn user_of(pidfd: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    ioctl_fd(pidfd, PIDFD_GET_USER_NAMESPACE)
}

/// Whose namespace [`of_process`] opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// That of the process itself.
    Own,
    /// That in which its children are born; another one for pid and time only.
    Children,
}

/// A namespace of the process behind `pidfd`, by its `CLONE_NEW*` flag (`PIDFD_GET_*_NAMESPACE`, Linux 6.11; ENOTTY
/// before). EACCES: the process may not be looked at (ptrace(2)); ESRCH: it is gone; EOPNOTSUPP: the kernel lacks this kind.
pub fn of_process(pidfd: BorrowedFd<'_>, kind: u64, whose: Whose) -> Result<OwnedFd, Errno> {
    let known = PIDFD_GET_NAMESPACE.iter().find(|(flag, _, _)| u64::try_from(*flag) == Ok(kind));
    let (_, own, children) = known.ok_or(Errno::INVAL)?;
    ioctl_fd(pidfd, if whose == Whose::Own { *own } else { *children })
}

/// The number of listns(2), the same on every architecture that we build for.
const SYS_LISTNS: libc::c_long = 470;

/// `struct ns_id_req` of <linux/nsfs.h>: what listns(2) is asked for. All zero but `size`: every namespace that the
/// caller may see.
#[repr(C)]
struct NsIdReq {
    size: u32,
    spare: u32,
    /// The last id that the caller has.
    ns_id: u64,
    ns_type: u32,
    spare2: u32,
    user_ns_id: u64,
}

/// listns(2): `ssize_t listns(const struct ns_id_req *req, __u64 *ns_ids, size_t nr_ns_ids, unsigned int flags)`.
///
/// Writes the ids of live namespaces that come after the id `after` (0: from the start), and returns how many; 0 is the
/// end. Linux 6.19; ENOSYS before.
pub fn list(after: u64, ids: &mut [u64]) -> Result<usize, Errno> {
    let request = NsIdReq { size: 32, spare: 0, ns_id: after, ns_type: 0, spare2: 0, user_ns_id: 0 };
    // SAFETY: the kernel reads the request, of the size that it says, and writes at most `ids.len()` numbers into `ids`;
    // both outlive the call.
    let count = unsafe {
        libc::syscall(SYS_LISTNS, &raw const request, ids.as_mut_ptr(), ids.len(), 0 as libc::c_uint)
    };
    crate::check(count).map(|count| usize::try_from(count).unwrap_or(0).min(ids.len()))
}

/// `struct file_handle` of open_by_handle_at(2) with the `struct nsfs_file_handle` of <linux/nsfs.h> in it.
#[repr(C)]
struct Handle {
    bytes: u32,
    kind: i32,
    ns_id: u64,
    ns_type: u32,
    ns_inum: u32,
}

/// `FD_NSFS_ROOT` of <linux/fcntl.h>: the root of nsfs, for handles.
const FD_NSFS_ROOT: libc::c_int = -10003;
/// `FILEID_NSFS` of <linux/exportfs.h>.
const FILEID_NSFS: i32 = 0xf1;

/// Opens a namespace by its 64-bit id, its `CLONE_NEW*` flag and its inode (open_by_handle_at(2) with an nsfs handle,
/// Linux 6.18; EBADF before). From 6.19 on the id alone is enough, with 0 for the others. ESTALE: there is none, or the
/// caller has no right over it.
pub fn open_by_id(id: u64, flag: u32, inode: u32) -> Result<OwnedFd, Errno> {
    let handle = Handle { bytes: 16, kind: FILEID_NSFS, ns_id: id, ns_type: flag, ns_inum: inode };
    // SAFETY: the kernel reads the 8 bytes of the head and the 16 that it announces; all are in `handle`, which outlives
    // the call.
    let raw = unsafe {
        libc::syscall(
            libc::SYS_open_by_handle_at,
            FD_NSFS_ROOT,
            &raw const handle,
            libc::O_RDONLY | libc::O_CLOEXEC,
        )
    };
    let raw = libc::c_int::try_from(crate::check(raw)?).map_err(|_| Errno::BADF)?;
    // SAFETY: the kernel has just made this descriptor for us; nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fd::AsFd;
    use rustix::fs::fstat;

    fn own(kind: &str) -> OwnedFd {
        std::fs::File::open(format!("/proc/self/ns/{kind}")).expect("our own namespace").into()
    }

    #[test]
    fn a_namespace_is_opened_by_its_id() {
        let Ok(id) = id(own("uts").as_fd()) else { return };
        let there = fstat(own("uts")).unwrap();
        let flag = u32::try_from(kind(own("uts").as_fd()).unwrap()).unwrap();
        let again = match open_by_id(id, flag, u32::try_from(there.st_ino).unwrap()) {
            // A kernel without handles of nsfs, or a filter of system calls.
            Err(Errno::BADF | Errno::NOSYS | Errno::PERM) => return,
            again => fstat(again.expect("our own namespace")).unwrap(),
        };
        assert_eq!((there.st_dev, there.st_ino), (again.st_dev, again.st_ino));
        assert!(open_by_id(u64::MAX, 0, 0).is_err());
        if list(0, &mut [0]).is_ok() {
            assert_eq!(fstat(open_by_id(id, 0, 0).unwrap()).unwrap().st_ino, there.st_ino);
        }
    }

    #[test]
    fn the_list_holds_our_own_namespaces_or_the_kernel_has_none() {
        let mut found = vec![0u64; 65_536];
        match list(0, &mut found) {
            // EPERM: by a filter of system calls.
            Err(errno) => assert!(matches!(errno, Errno::NOSYS | Errno::PERM), "{errno}"),
            Ok(count) => {
                let own = id(own("uts").as_fd()).expect("a kernel that lists has ids");
                assert!(count == found.len() || found[..count].contains(&own));
            }
        }
    }

    #[test]
    fn our_own_pid_is_the_same_in_our_own_namespace() {
        let (pid, ns) = (rustix::process::getpid().as_raw_nonzero().get(), own("pid"));
        for translate in [pid_from, pid_in] {
            let there = translate(ns.as_fd(), pid);
            assert!(matches!(there, Err(Errno::NOTTY)) || there == Ok(pid), "{there:?}");
            let none = translate(ns.as_fd(), i32::MAX);
            assert!(matches!(none, Err(Errno::NOTTY | Errno::SRCH)), "{none:?}");
        }
    }

    #[test]
    fn only_user_and_pid_namespaces_have_parents() {
        assert_eq!(parent(own("uts").as_fd()).err(), Some(Errno::INVAL));
        assert_eq!(owner_uid(own("uts").as_fd()), Err(Errno::INVAL));
        assert!(owner_uid(own("user").as_fd()).is_ok());
    }

    #[test]
    fn a_process_is_found_by_its_pid_inside() {
        let own_pid = i32::try_from(std::process::id()).unwrap();
        match process_of(own("pid").as_fd(), own_pid) {
            // Before Linux 6.11, or a filter of system calls.
            Err(errno) => assert!(matches!(errno, Errno::NOTTY | Errno::INVAL | Errno::PERM), "{errno}"),
            Ok(pid) => assert_eq!(pid, own_pid),
        }
    }
}
