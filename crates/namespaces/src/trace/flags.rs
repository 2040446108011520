//! Names of the flags and choices in arguments, as the manual pages have them.

/// Values and their names.
pub(super) type Names = &'static [(u64, &'static str)];

/// Flags by name, joined by `|`; what has no name stays as a hexadecimal number.
pub(super) fn flags(value: u64, names: Names) -> String {
    let mut left = value;
    let mut parts: Vec<String> = Vec::new();
    for (flag, name) in names {
        if *flag != 0 && left & flag == *flag {
            left &= !flag;
            parts.push((*name).to_owned());
        }
    }
    match (left, parts.is_empty()) {
        (0, true) => names.iter().find(|(flag, _)| *flag == 0).map_or("0", |(_, name)| name).to_owned(),
        (0, false) => parts.join("|"),
        (left, _) => {
            parts.push(format!("{left:#x}"));
            parts.join("|")
        }
    }
}

/// One choice by name.
pub(super) fn choice(value: u64, names: Names) -> String {
    let known = names.iter().find(|(number, _)| *number == value);
    known.map_or_else(|| format!("{value:#x}"), |(_, name)| (*name).to_owned())
}

pub(super) const CLONE: Names = &[
    (0x1000_0000, "CLONE_NEWUSER"),
    (0x0002_0000, "CLONE_NEWNS"),
    (0x2000_0000, "CLONE_NEWPID"),
    (0x4000_0000, "CLONE_NEWNET"),
    (0x0800_0000, "CLONE_NEWIPC"),
    (0x0400_0000, "CLONE_NEWUTS"),
    (0x0200_0000, "CLONE_NEWCGROUP"),
    (0x80, "CLONE_NEWTIME"),
    (0x100, "CLONE_VM"),
    (0x200, "CLONE_FS"),
    (0x400, "CLONE_FILES"),
    (0x800, "CLONE_SIGHAND"),
    (0x1000, "CLONE_PIDFD"),
    (0x2000, "CLONE_PTRACE"),
    (0x4000, "CLONE_VFORK"),
    (0x8000, "CLONE_PARENT"),
    (0x1_0000, "CLONE_THREAD"),
    (0x4_0000, "CLONE_SYSVSEM"),
    (0x8_0000, "CLONE_SETTLS"),
    (0x10_0000, "CLONE_PARENT_SETTID"),
    (0x20_0000, "CLONE_CHILD_CLEARTID"),
    (0x80_0000, "CLONE_UNTRACED"),
    (0x100_0000, "CLONE_CHILD_SETTID"),
    (0x8000_0000, "CLONE_IO"),
    (0x1_0000_0000, "CLONE_CLEAR_SIGHAND"),
    (0x2_0000_0000, "CLONE_INTO_CGROUP"),
];

pub(super) const MOUNT: Names = &[
    (1, "MS_RDONLY"),
    (2, "MS_NOSUID"),
    (4, "MS_NODEV"),
    (8, "MS_NOEXEC"),
    (16, "MS_SYNCHRONOUS"),
    (32, "MS_REMOUNT"),
    (64, "MS_MANDLOCK"),
    (128, "MS_DIRSYNC"),
    (256, "MS_NOSYMFOLLOW"),
    (1024, "MS_NOATIME"),
    (2048, "MS_NODIRATIME"),
    (4096, "MS_BIND"),
    (8192, "MS_MOVE"),
    (1 << 14, "MS_REC"),
    (1 << 15, "MS_SILENT"),
    (1 << 16, "MS_POSIXACL"),
    (1 << 17, "MS_UNBINDABLE"),
    (1 << 18, "MS_PRIVATE"),
    (1 << 19, "MS_SLAVE"),
    (1 << 20, "MS_SHARED"),
    (1 << 21, "MS_RELATIME"),
    (1 << 24, "MS_STRICTATIME"),
    (1 << 25, "MS_LAZYTIME"),
];

pub(super) const UMOUNT: Names =
    &[(1, "MNT_FORCE"), (2, "MNT_DETACH"), (4, "MNT_EXPIRE"), (8, "UMOUNT_NOFOLLOW")];

pub(super) const OPEN_TREE: Names = &[
    (1, "OPEN_TREE_CLONE"),
    (0x8_0000, "OPEN_TREE_CLOEXEC"),
    (0x8000, "AT_RECURSIVE"),
    (0x1000, "AT_EMPTY_PATH"),
    (0x800, "AT_NO_AUTOMOUNT"),
    (0x100, "AT_SYMLINK_NOFOLLOW"),
];

pub(super) const MOVE_MOUNT: Names = &[
    (1, "MOVE_MOUNT_F_SYMLINKS"),
    (2, "MOVE_MOUNT_F_AUTOMOUNTS"),
    (4, "MOVE_MOUNT_F_EMPTY_PATH"),
    (0x10, "MOVE_MOUNT_T_SYMLINKS"),
    (0x20, "MOVE_MOUNT_T_AUTOMOUNTS"),
    (0x40, "MOVE_MOUNT_T_EMPTY_PATH"),
    (0x100, "MOVE_MOUNT_SET_GROUP"),
    (0x200, "MOVE_MOUNT_BENEATH"),
];

pub(super) const FSOPEN: Names = &[(1, "FSOPEN_CLOEXEC")];
pub(super) const FSMOUNT: Names = &[(1, "FSMOUNT_CLOEXEC")];

pub(super) const FSCONFIG: Names = &[
    (0, "FSCONFIG_SET_FLAG"),
    (1, "FSCONFIG_SET_STRING"),
    (2, "FSCONFIG_SET_BINARY"),
    (3, "FSCONFIG_SET_PATH"),
    (4, "FSCONFIG_SET_PATH_EMPTY"),
    (5, "FSCONFIG_SET_FD"),
    (6, "FSCONFIG_CMD_CREATE"),
    (7, "FSCONFIG_CMD_RECONFIGURE"),
    (8, "FSCONFIG_CMD_CREATE_EXCL"),
];

pub(super) const MOUNT_ATTR: Names = &[
    (1, "MOUNT_ATTR_RDONLY"),
    (2, "MOUNT_ATTR_NOSUID"),
    (4, "MOUNT_ATTR_NODEV"),
    (8, "MOUNT_ATTR_NOEXEC"),
    (0x10, "MOUNT_ATTR_NOATIME"),
    (0x20, "MOUNT_ATTR_STRICTATIME"),
    (0x80, "MOUNT_ATTR_NODIRATIME"),
    (0x10_0000, "MOUNT_ATTR_IDMAP"),
    (0x20_0000, "MOUNT_ATTR_NOSYMFOLLOW"),
];

pub(super) const AT: Names = &[
    (0x100, "AT_SYMLINK_NOFOLLOW"),
    (0x200, "AT_EACCESS"),
    (0x400, "AT_SYMLINK_FOLLOW"),
    (0x800, "AT_NO_AUTOMOUNT"),
    (0x1000, "AT_EMPTY_PATH"),
    (0x8000, "AT_RECURSIVE"),
];

/// `O_*` of x86-64; the architecture's own bits differ elsewhere, and are then told as a number.
pub(super) const OPEN: Names = &[
    (2, "O_RDWR"),
    (1, "O_WRONLY"),
    (0o100, "O_CREAT"),
    (0o200, "O_EXCL"),
    (0o400, "O_NOCTTY"),
    (0o1000, "O_TRUNC"),
    (0o2000, "O_APPEND"),
    (0o4000, "O_NONBLOCK"),
    (0o4_010_000, "O_SYNC"),
    (0o10_000, "O_DSYNC"),
    (0o2_000_000, "O_CLOEXEC"),
    (0o10_000_000, "O_PATH"),
    #[cfg(target_arch = "x86_64")]
    (0o20_200_000, "O_TMPFILE"),
    #[cfg(target_arch = "x86_64")]
    (0o200_000, "O_DIRECTORY"),
    #[cfg(target_arch = "x86_64")]
    (0o400_000, "O_NOFOLLOW"),
    #[cfg(target_arch = "x86_64")]
    (0o100_000, "O_LARGEFILE"),
    (0, "O_RDONLY"),
];

pub(super) const PRCTL: Names = &[
    (4, "PR_SET_DUMPABLE"),
    (8, "PR_SET_KEEPCAPS"),
    (22, "PR_SET_SECCOMP"),
    (24, "PR_CAPBSET_DROP"),
    (28, "PR_SET_SECUREBITS"),
    (35, "PR_SET_MM"),
    (36, "PR_SET_CHILD_SUBREAPER"),
    (38, "PR_SET_NO_NEW_PRIVS"),
    (47, "PR_CAP_AMBIENT"),
    (0x5961_6d61, "PR_SET_PTRACER"),
];

pub(super) const KEYCTL: Names = &[
    (0, "KEYCTL_GET_KEYRING_ID"),
    (1, "KEYCTL_JOIN_SESSION_KEYRING"),
    (2, "KEYCTL_UPDATE"),
    (3, "KEYCTL_REVOKE"),
    (4, "KEYCTL_CHOWN"),
    (5, "KEYCTL_SETPERM"),
    (6, "KEYCTL_DESCRIBE"),
    (7, "KEYCTL_CLEAR"),
    (8, "KEYCTL_LINK"),
    (9, "KEYCTL_UNLINK"),
    (10, "KEYCTL_SEARCH"),
    (11, "KEYCTL_READ"),
    (15, "KEYCTL_SET_TIMEOUT"),
    (18, "KEYCTL_SESSION_TO_PARENT"),
    (21, "KEYCTL_INVALIDATE"),
];

pub(super) const SECCOMP: Names =
    &[(0, "SECCOMP_SET_MODE_STRICT"), (1, "SECCOMP_SET_MODE_FILTER"), (3, "SECCOMP_GET_NOTIF_SIZES")];

pub(super) const SECCOMP_FLAGS: Names = &[
    (1, "SECCOMP_FILTER_FLAG_TSYNC"),
    (2, "SECCOMP_FILTER_FLAG_LOG"),
    (4, "SECCOMP_FILTER_FLAG_SPEC_ALLOW"),
    (8, "SECCOMP_FILTER_FLAG_NEW_LISTENER"),
    (16, "SECCOMP_FILTER_FLAG_TSYNC_ESRCH"),
    (32, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"),
];

pub(super) const BPF: Names = &[
    (0, "BPF_MAP_CREATE"),
    (1, "BPF_MAP_LOOKUP_ELEM"),
    (2, "BPF_MAP_UPDATE_ELEM"),
    (5, "BPF_PROG_LOAD"),
    (6, "BPF_OBJ_PIN"),
    (7, "BPF_OBJ_GET"),
    (8, "BPF_PROG_ATTACH"),
    (9, "BPF_PROG_DETACH"),
    (16, "BPF_PROG_QUERY"),
    (18, "BPF_BTF_LOAD"),
    (28, "BPF_LINK_CREATE"),
    (36, "BPF_TOKEN_CREATE"),
];

pub(super) const PTRACE: Names = &[
    (0, "PTRACE_TRACEME"),
    (1, "PTRACE_PEEKTEXT"),
    (2, "PTRACE_PEEKDATA"),
    (16, "PTRACE_ATTACH"),
    (17, "PTRACE_DETACH"),
    (0x4206, "PTRACE_SEIZE"),
];

pub(super) const FAMILY: Names = &[
    (1, "AF_UNIX"),
    (2, "AF_INET"),
    (10, "AF_INET6"),
    (16, "AF_NETLINK"),
    (17, "AF_PACKET"),
    (29, "AF_CAN"),
    (38, "AF_ALG"),
    (40, "AF_VSOCK"),
    (44, "AF_XDP"),
];

/// The low bits are the type, the two others flags.
pub(super) const SOCKET: Names = &[
    (0x8_0000, "SOCK_CLOEXEC"),
    (0x800, "SOCK_NONBLOCK"),
    (5, "SOCK_SEQPACKET"),
    (3, "SOCK_RAW"),
    (2, "SOCK_DGRAM"),
    (1, "SOCK_STREAM"),
];

/// The requests of ioctl(2) that want rights.
pub(super) const IOCTL: Names = &[
    (0x540e, "TIOCSCTTY"),
    (0x5412, "TIOCSTI"),
    (0x8914, "SIOCSIFFLAGS"),
    (0x8916, "SIOCSIFADDR"),
    (0x891c, "SIOCSIFNETMASK"),
    (0x8922, "SIOCSIFMTU"),
    (0x8923, "SIOCSIFNAME"),
    (0x8924, "SIOCSIFHWADDR"),
    (0x890b, "SIOCADDRT"),
    (0x890c, "SIOCDELRT"),
    (0x8946, "SIOCETHTOOL"),
    (0x89a0, "SIOCBRADDBR"),
    (0x89a1, "SIOCBRDELBR"),
    (0x89a2, "SIOCBRADDIF"),
    (0x4004_54ca, "TUNSETIFF"),
    (0x4004_54cb, "TUNSETPERSIST"),
    (0xb701, "NS_GET_USERNS"),
    (0xb702, "NS_GET_PARENT"),
    (0xb704, "NS_GET_OWNER_UID"),
    (0x4020_940d, "FICLONERANGE"),
    (0x4004_6602, "FS_IOC_SETFLAGS"),
];

pub(super) const RLIMIT: Names = &[
    (0, "RLIMIT_CPU"),
    (1, "RLIMIT_FSIZE"),
    (2, "RLIMIT_DATA"),
    (3, "RLIMIT_STACK"),
    (4, "RLIMIT_CORE"),
    (5, "RLIMIT_RSS"),
    (6, "RLIMIT_NPROC"),
    (7, "RLIMIT_NOFILE"),
    (8, "RLIMIT_MEMLOCK"),
    (9, "RLIMIT_AS"),
    (10, "RLIMIT_LOCKS"),
    (11, "RLIMIT_SIGPENDING"),
    (12, "RLIMIT_MSGQUEUE"),
    (13, "RLIMIT_NICE"),
    (14, "RLIMIT_RTPRIO"),
    (15, "RLIMIT_RTTIME"),
];

/// What an rtnetlink(7) request asks for, by the type of its message.
pub(super) const NETLINK: Names = &[
    (16, "RTM_NEWLINK"),
    (17, "RTM_DELLINK"),
    (18, "RTM_GETLINK"),
    (19, "RTM_SETLINK"),
    (20, "RTM_NEWADDR"),
    (21, "RTM_DELADDR"),
    (22, "RTM_GETADDR"),
    (24, "RTM_NEWROUTE"),
    (25, "RTM_DELROUTE"),
    (26, "RTM_GETROUTE"),
    (28, "RTM_NEWNEIGH"),
    (29, "RTM_DELNEIGH"),
    (32, "RTM_NEWRULE"),
    (33, "RTM_DELRULE"),
    (36, "RTM_NEWQDISC"),
    (37, "RTM_DELQDISC"),
    (40, "RTM_NEWTCLASS"),
    (44, "RTM_NEWTFILTER"),
    (88, "RTM_NEWNSID"),
    (90, "RTM_GETNSID"),
    (104, "RTM_NEWNEXTHOP"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_named_and_what_is_left_is_a_number() {
        assert_eq!(flags(0x5000_0000, CLONE), "CLONE_NEWUSER|CLONE_NEWNET");
        assert_eq!(flags(0, CLONE), "0");
        assert_eq!(flags(0x1_0000_0000_0011, MOUNT), "MS_RDONLY|MS_SYNCHRONOUS|0x1000000000000");
        assert_eq!(flags(0, OPEN), "O_RDONLY");
        assert_eq!(flags(0o2_000_001, OPEN), "O_WRONLY|O_CLOEXEC");
        assert_eq!(choice(6, FSCONFIG), "FSCONFIG_CMD_CREATE");
        assert_eq!(choice(99, FSCONFIG), "0x63");
    }
}
