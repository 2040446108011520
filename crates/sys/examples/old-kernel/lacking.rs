//! What Linux 5.15 lacks of the calls that a toolkit of namespaces may use, and what it answers to them.
//!
//! Each row is told by the numbers alone: seccomp sees a call's number and its six arguments, never what they point
//! at. The answer is the one that 5.15 gives, no stricter one, so that what works here works there.
//!
//! What cannot be told apart so, and is answered by the present kernel:
//!
//! - what is in memory: clone3's flags (`CLONE_INTO_CGROUP` is 5.7, so only 7.x's are newer), mount_setattr's
//!   attributes (an idmapped tmpfs is 6.3, an overlay over idmapped layers 5.19), openat2's, bpf(2)'s attributes,
//!   netlink's messages, the keys of fsconfig(2): overlay's `lowerdir+` (6.8) and its layers by `FSCONFIG_SET_FD`
//!   (6.13), `favordynmods` of cgroup2 (6.0). The command `FSCONFIG_SET_FD` itself is as old as the call;
//! - what a descriptor is: nsfs has file handles since 6.18, pidfs since 6.14; name_to_handle_at(2) says EOPNOTSUPP of
//!   both in 5.15. With the roots that need no descriptor, `FD_NSFS_ROOT` and `FD_PIDFS_ROOT`, they can be told;
//! - what 5.15 ignores without an error: newer bits of statx(2)'s mask (`STATX_MNT_ID_UNIQUE`, 6.8): the caller learns
//!   it from `stx_mask`. A filter could only refuse the call, which 5.15 does not;
//! - what follows from what a process did before: until 6.3 execve(2) does not enter the time namespace that is for one's
//!   children, and clone(2) with `CLONE_VM` is EINVAL as long as the two differ (the pass in a virtual machine has that);
//! - what is no error: Landlock's version (1 in 5.15), uname(2);
//! - files: `memory.peak` and `memory.reclaim` (5.19), `cgroup.pressure` and `pids.peak` (6.1). A cgroup brings its
//!   files with it, so no mount can hide them beforehand. `cgroup.kill` is 5.14. An anonymous inode behind each pidfd
//!   instead of pidfs (6.9): its number says nothing.

/// The last system call of Linux 5.15: process_mrelease. Since 5.1 the numbers are the same on all architectures.
pub const LAST_CALL: u32 = 448;

/// The calls behind [`LAST_CALL`], with the version that brought them. All of them, and those to come, are ENOSYS.
pub const NEWER_CALLS: &[(u32, &str, &str)] = &[
    (449, "futex_waitv", "5.16"),
    (450, "set_mempolicy_home_node", "5.17"),
    (451, "cachestat", "6.5"),
    (452, "fchmodat2", "6.6"),
    (453, "map_shadow_stack", "6.6"),
    (454, "futex_wake", "6.7"),
    (455, "futex_wait", "6.7"),
    (456, "futex_requeue", "6.7"),
    (457, "statmount", "6.8"),
    (458, "listmount", "6.8"),
    (459, "lsm_get_self_attr", "6.8"),
    (460, "lsm_set_self_attr", "6.8"),
    (461, "lsm_list_modules", "6.8"),
    (462, "mseal", "6.10"),
    (463, "setxattrat", "6.13"),
    (464, "getxattrat", "6.13"),
    (465, "listxattrat", "6.13"),
    (466, "removexattrat", "6.13"),
    (467, "open_tree_attr", "6.15"),
    (468, "file_getattr", "6.17"),
    (469, "file_setattr", "6.17"),
    (470, "listns", "6.19"),
];

/// A condition on one argument's low 32 bits: masked, they lie between two numbers, both included.
///
/// The kernel takes all these arguments as 32-bit numbers, so the high half says nothing.
#[derive(Clone, Copy, Debug)]
pub struct When {
    /// Which argument, from 0.
    pub argument: u32,
    pub mask: u32,
    pub first: u32,
    pub last: u32,
}

/// A known call with something newer in its arguments.
#[derive(Debug)]
pub struct Lacking {
    /// The number of the call, on the machine that this is built for.
    pub call: libc::c_long,
    /// What is newer, by its name, and the version that brought it.
    pub what: &'static str,
    /// All of these hold.
    pub when: &'static [When],
    pub errno: i32,
}

/// The bits beyond those that 5.15 knows.
const fn bits(argument: u32, known: u32) -> When {
    When { argument, mask: !known, first: 1, last: u32::MAX }
}

/// A number in a range.
const fn from(argument: u32, first: u32, last: u32) -> When {
    When { argument, mask: u32::MAX, first, last }
}

/// An ioctl by the type and the numbers of its request, ioctl(2): direction and size of the argument do not matter.
const fn request(kind: u8, first: u8, last: u8) -> When {
    let at = (kind as u32) << 8;
    When { argument: 1, mask: 0xffff, first: at | first as u32, last: at | last as u32 }
}

/// Descriptors that are none, for which the kernel keeps -10000 to -40000 (<linux/fcntl.h>): `PIDFD_SELF` (6.15),
/// `FD_PIDFS_ROOT` (6.17), `FD_NSFS_ROOT` (6.18).
const fn sentinel(argument: u32) -> When {
    from(argument, (-40_000_i32).cast_unsigned(), (-10_000_i32).cast_unsigned())
}

/// `CLONE_*` that unshare(2) takes, and no others.
const UNSHARE: i32 = libc::CLONE_THREAD
    | libc::CLONE_FS
    | libc::CLONE_FILES
    | libc::CLONE_SIGHAND
    | libc::CLONE_VM
    | libc::CLONE_SYSVSEM
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWCGROUP
    | 0x80; // CLONE_NEWTIME

/// `OPEN_TREE_CLONE`, `OPEN_TREE_CLOEXEC`, and the `AT_*` flags that open_tree(2) shares.
const OPEN_TREE: i32 = 1
    | libc::O_CLOEXEC
    | libc::AT_EMPTY_PATH
    | libc::AT_NO_AUTOMOUNT
    | libc::AT_RECURSIVE
    | libc::AT_SYMLINK_NOFOLLOW;

/// The size of a huge page stands in the six highest bits, memfd_create(2).
const MEMFD: u32 = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING | libc::MFD_HUGETLB | 0x3f << 26;

/// Everything that is told by an argument.
pub static LACKING: &[Lacking] = &[
    Lacking {
        call: libc::SYS_ioctl,
        what: "NS_GET_MNTNS_ID, NS_GET_PID_FROM_PIDNS and its kin 6.11, NS_MNT_GET_* 6.12, NS_GET_ID 6.18",
        when: &[request(0xb7, 5, 0xff)],
        errno: libc::ENOTTY,
    },
    Lacking {
        call: libc::SYS_ioctl,
        what: "PIDFD_GET_*_NAMESPACE 6.11, PIDFD_GET_INFO 6.13",
        when: &[request(0xff, 1, 0x3f)],
        errno: libc::ENOTTY,
    },
    Lacking {
        call: libc::SYS_ioctl,
        what: "SECCOMP_IOCTL_NOTIF_SET_FLAGS 6.6",
        when: &[request(b'!', 4, 0xff)],
        errno: libc::EINVAL,
    },
    Lacking {
        call: libc::SYS_pidfd_open,
        what: "PIDFD_THREAD 6.9",
        when: &[bits(1, libc::O_NONBLOCK as u32)],
        errno: libc::EINVAL,
    },
    Lacking {
        call: libc::SYS_pidfd_send_signal,
        what: "PIDFD_SIGNAL_* 6.9",
        when: &[bits(3, 0)],
        errno: libc::EINVAL,
    },
    Lacking {
        call: libc::SYS_pidfd_send_signal,
        what: "PIDFD_SELF 6.15",
        when: &[sentinel(0)],
        errno: libc::EBADF,
    },
    Lacking {
        call: libc::SYS_open_by_handle_at,
        what: "FD_PIDFS_ROOT 6.17, FD_NSFS_ROOT 6.18",
        when: &[sentinel(0)],
        errno: libc::EBADF,
    },
    Lacking {
        call: libc::SYS_name_to_handle_at,
        what: "AT_HANDLE_FID 6.5, AT_HANDLE_MNT_ID_UNIQUE 6.12, AT_HANDLE_CONNECTABLE 6.13",
        when: &[bits(4, (libc::AT_SYMLINK_FOLLOW | libc::AT_EMPTY_PATH) as u32)],
        errno: libc::EINVAL,
    },
    Lacking {
        call: libc::SYS_move_mount,
        what: "MOVE_MOUNT_BENEATH 6.5",
        when: &[bits(4, 0x177)],
        errno: libc::EINVAL,
    },
    Lacking {
        call: libc::SYS_open_tree,
        what: "OPEN_TREE_NAMESPACE 7.0",
        when: &[bits(2, OPEN_TREE as u32)],
        errno: libc::EINVAL,
    },
    Lacking {
        call: libc::SYS_fsconfig,
        what: "FSCONFIG_CMD_CREATE_EXCL 6.6",
        when: &[from(1, 8, u32::MAX)],
        errno: libc::EOPNOTSUPP,
    },
    Lacking {
        call: libc::SYS_fsmount,
        what: "FSMOUNT_NAMESPACE 7.1",
        when: &[bits(1, 1)],
        errno: libc::EINVAL,
    },
    Lacking {
        call: libc::SYS_unshare,
        what: "UNSHARE_EMPTY_MNTNS 7.1",
        when: &[bits(0, UNSHARE as u32)],
        errno: libc::EINVAL,
    },
    Lacking {
        call: libc::SYS_execveat,
        what: "AT_EXECVE_CHECK 6.14",
        when: &[bits(4, (libc::AT_SYMLINK_NOFOLLOW | libc::AT_EMPTY_PATH) as u32)],
        errno: libc::EINVAL,
    },
    Lacking {
        call: libc::SYS_memfd_create,
        what: "MFD_NOEXEC_SEAL, MFD_EXEC 6.3",
        when: &[bits(1, MEMFD)],
        errno: libc::EINVAL,
    },
    Lacking {
        call: libc::SYS_seccomp,
        what: "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV 5.19",
        when: &[from(0, libc::SECCOMP_SET_MODE_FILTER, libc::SECCOMP_SET_MODE_FILTER), bits(1, 0x1f)],
        errno: libc::EINVAL,
    },
    Lacking {
        call: libc::SYS_bpf,
        what: "BPF_TOKEN_CREATE 6.9",
        when: &[from(0, 36, u32::MAX)],
        errno: libc::EINVAL,
    },
    Lacking {
        call: libc::SYS_prctl,
        // PR_SET_PTRACER, a name in four letters as well, is older.
        what: "PR_SME_* 5.19, PR_SET_MDWE 6.3, PR_SET_MEMORY_MERGE 6.4 and those that follow",
        when: &[from(0, 63, 0xffff)],
        errno: libc::EINVAL,
    },
    Lacking {
        call: libc::SYS_prctl,
        what: "PR_SET_VMA 5.17",
        when: &[from(0, 0x5356_4d41, 0x5356_4d41)],
        errno: libc::EINVAL,
    },
    Lacking {
        call: libc::SYS_getsockopt,
        what: "SO_RESERVE_MEM 5.16, SO_PASSPIDFD and SO_PEERPIDFD 6.5 and those that follow",
        when: &[from(1, 1, 1), from(2, 73, u32::MAX)],
        errno: libc::ENOPROTOOPT,
    },
    Lacking {
        call: libc::SYS_setsockopt,
        what: "setsockopt(2) of the same",
        when: &[from(1, 1, 1), from(2, 73, u32::MAX)],
        errno: libc::ENOPROTOOPT,
    },
    Lacking {
        call: libc::SYS_fanotify_init,
        what: "FAN_REPORT_TARGET_FID 5.17, FAN_REPORT_FD_ERROR 6.13, FAN_REPORT_MNT 6.15",
        when: &[bits(0, 0xfff)],
        errno: libc::EINVAL,
    },
    Lacking {
        call: libc::SYS_landlock_create_ruleset,
        what: "LANDLOCK_CREATE_RULESET_ERRATA 6.15",
        when: &[bits(2, 1)],
        errno: libc::EINVAL,
    },
    Lacking {
        call: libc::SYS_landlock_restrict_self,
        what: "LANDLOCK_RESTRICT_SELF_LOG_* 6.15",
        when: &[bits(1, 0)],
        errno: libc::EINVAL,
    },
];
