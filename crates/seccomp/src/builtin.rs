//! The profile of our own: what programs are written with, in families, and what a capability adds.
//!
//! All that is not named is EPERM, so that a program sees what it knows from a host without rights. A family stands here for
//! what it is for; `LEFT_OUT` says of every other call why it is not. A test keeps the two complete, so that a newer kernel's
//! calls are decided one by one.

use crate::profile::Circumstances;
use insula_oci::seccomp::{Action, Arch, Arg, Operator, Rule};
use insula_oci::{Capability, Seccomp};

/// Calls that any program may make.
#[rustfmt::skip]
static ALWAYS: &[(&str, &[&str])] = &[
    ("begin, end, and wait for processes and threads", &[
        "execve", "execveat", "exit", "exit_group", "fork", "vfork", "wait4", "waitid", "waitpid", "restart_syscall",
        "set_tid_address", "set_robust_list", "get_robust_list", "rseq", "rseq_slice_yield", "membarrier", "prctl", "arch_prctl",
        "set_thread_area", "get_thread_area", "set_tls", "get_tls", "modify_ldt", "breakpoint", "cacheflush", "usr26", "usr32",
        "riscv_flush_icache", "riscv_hwprobe", "swapcontext", "switch_endian", "sysmips", "cachectl", "atomic_barrier",
        "atomic_cmpxchg_32", "s390_guarded_storage", "s390_runtime_instr", "s390_sthyi",
    ]),
    ("memory", &[
        "brk", "mmap", "mmap2", "munmap", "mremap", "mprotect", "madvise", "mincore", "msync", "mlock", "mlock2", "munlock",
        "mlockall", "munlockall", "mseal", "map_shadow_stack", "memfd_create", "memfd_secret", "pkey_alloc", "pkey_free",
        "pkey_mprotect", "remap_file_pages", "process_mrelease", "getpagesize", "subpage_prot",
    ]),
    ("read and write what is open", &[
        "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "preadv2", "pwritev2", "lseek", "_llseek",
        "sendfile", "sendfile64", "splice", "tee", "vmsplice", "copy_file_range", "close", "close_range", "dup", "dup2", "dup3",
        "fcntl", "fcntl64", "ioctl", "flock", "fsync", "fdatasync", "sync", "syncfs", "sync_file_range", "sync_file_range2",
        "arm_sync_file_range", "fadvise64", "fadvise64_64", "arm_fadvise64_64", "readahead", "cachestat", "fallocate", "ftruncate",
        "ftruncate64", "pipe", "pipe2",
    ]),
    ("files by name", &[
        "open", "openat", "openat2", "creat", "access", "faccessat", "faccessat2", "stat", "stat64", "lstat", "lstat64", "fstat",
        "fstat64", "fstatat64", "newfstatat", "statx", "oldstat", "oldlstat", "oldfstat", "statfs", "statfs64", "fstatfs",
        "fstatfs64", "ustat", "readlink", "readlinkat", "getdents", "getdents64", "readdir", "getcwd", "chdir", "fchdir", "mkdir",
        "mkdirat", "rmdir", "mknod", "mknodat", "link", "linkat", "symlink", "symlinkat", "unlink", "unlinkat", "rename", "renameat",
        "renameat2", "truncate", "truncate64", "umask", "name_to_handle_at",
    ]),
    ("what is said of files", &[
        "chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "chown32", "fchown", "fchown32", "fchownat", "lchown", "lchown32",
        "utime", "utimes", "utimensat", "utimensat_time64", "futimesat", "getxattr", "lgetxattr", "fgetxattr", "getxattrat",
        "setxattr", "lsetxattr", "fsetxattr", "setxattrat", "listxattr", "llistxattr", "flistxattr", "listxattrat", "removexattr",
        "lremovexattr", "fremovexattr", "removexattrat", "file_getattr", "file_setattr",
    ]),
    ("wait for many things at once", &[
        "poll", "ppoll", "ppoll_time64", "select", "_newselect", "pselect6", "pselect6_time64", "epoll_create", "epoll_create1",
        "epoll_ctl", "epoll_ctl_old", "epoll_wait", "epoll_wait_old", "epoll_pwait", "epoll_pwait2", "eventfd", "eventfd2",
        "signalfd", "signalfd4", "timerfd", "timerfd_create", "timerfd_settime", "timerfd_settime64", "timerfd_gettime",
        "timerfd_gettime64", "inotify_init", "inotify_init1", "inotify_add_watch", "inotify_rm_watch", "io_setup", "io_destroy",
        "io_submit", "io_cancel", "io_getevents", "io_pgetevents", "io_pgetevents_time64",
    ]),
    ("locks between threads", &[
        "futex", "futex_time64", "futex_wait", "futex_waitv", "futex_wake", "futex_requeue",
    ]),
    ("signals", &[
        "kill", "tkill", "tgkill", "pidfd_open", "pidfd_send_signal", "rt_sigaction", "rt_sigprocmask", "rt_sigpending",
        "rt_sigsuspend", "rt_sigtimedwait", "rt_sigtimedwait_time64", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "rt_sigreturn",
        "sigreturn", "sigaction", "sigprocmask", "sigpending", "sigsuspend", "sigaltstack", "signal", "sgetmask", "ssetmask",
        "pause", "alarm", "getitimer", "setitimer",
    ]),
    ("time", &[
        "time", "gettimeofday", "clock_gettime", "clock_gettime64", "clock_getres", "clock_getres_time64", "clock_nanosleep",
        "clock_nanosleep_time64", "nanosleep", "timer_create", "timer_delete", "timer_settime", "timer_settime64", "timer_gettime",
        "timer_gettime64", "timer_getoverrun", "times", "getcpu",
        // To read the clock's state; to set it the kernel asks for CAP_SYS_TIME.
        "adjtimex", "clock_adjtime", "clock_adjtime64",
    ]),
    ("who one is, and becomes within one's rights", &[
        "getpid", "getppid", "gettid", "getpgid", "getpgrp", "getsid", "setpgid", "setsid", "getuid", "getuid32", "geteuid",
        "geteuid32", "getgid", "getgid32", "getegid", "getegid32", "getresuid", "getresuid32", "getresgid", "getresgid32",
        "getgroups", "getgroups32", "setuid", "setuid32", "setgid", "setgid32", "setreuid", "setreuid32", "setregid", "setregid32",
        "setresuid", "setresuid32", "setresgid", "setresgid32", "setfsuid", "setfsuid32", "setfsgid", "setfsgid32", "setgroups",
        "setgroups32", "capget", "capset",
    ]),
    ("limits, priorities and numbers about the machine", &[
        "getrlimit", "ugetrlimit", "setrlimit", "prlimit64", "getrusage", "getpriority", "setpriority", "nice", "ioprio_get",
        "ioprio_set", "sched_yield", "sched_getaffinity", "sched_setaffinity", "sched_getparam", "sched_setparam",
        "sched_getscheduler", "sched_setscheduler", "sched_getattr", "sched_setattr", "sched_get_priority_max",
        "sched_get_priority_min", "sched_rr_get_interval", "sched_rr_get_interval_time64", "uname", "olduname", "oldolduname",
        "sysinfo", "getrandom",
    ]),
    ("sockets; the family is looked at apart", &[
        "socketpair", "bind", "listen", "accept", "accept4", "connect", "getsockname", "getpeername", "getsockopt", "setsockopt",
        "send", "sendto", "sendmsg", "sendmmsg", "recv", "recvfrom", "recvmsg", "recvmmsg", "recvmmsg_time64", "shutdown",
    ]),
    ("messages, semaphores and memory between processes", &[
        "msgget", "msgsnd", "msgrcv", "msgctl", "semget", "semop", "semtimedop", "semtimedop_time64", "semctl", "shmget", "shmat",
        "shmdt", "shmctl", "mq_open", "mq_unlink", "mq_timedsend", "mq_timedsend_time64", "mq_timedreceive",
        "mq_timedreceive_time64", "mq_notify", "mq_getsetattr",
    ]),
    ("give up rights of one's own", &[
        "seccomp", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", "lsm_get_self_attr",
        "lsm_set_self_attr", "lsm_list_modules",
    ]),
    ("look at processes of one's own, as debuggers do; the kernel lets nobody look at those of others", &[
        "ptrace", "process_vm_readv", "process_vm_writev",
    ]),
];

/// What a capability adds: without it the kernel would refuse these in any case, or they show more of the host than needed.
#[rustfmt::skip]
static WITH: &[(Capability, &[&str])] = &[
    (Capability::SysAdmin, &[
        "clone", "clone3", "unshare", "setns", "mount", "umount", "umount2", "pivot_root", "fsopen", "fsconfig", "fsmount",
        "fspick", "open_tree", "open_tree_attr", "move_mount", "mount_setattr", "statmount", "listmount", "listns", "quotactl",
        "quotactl_fd", "setdomainname", "sethostname", "fanotify_init", "fanotify_mark", "bpf", "perf_event_open",
        "lookup_dcookie", "syslog",
    ]),
    (Capability::Bpf, &["bpf"]),
    (Capability::Perfmon, &["perf_event_open"]),
    (Capability::Syslog, &["syslog"]),
    (Capability::DacReadSearch, &["open_by_handle_at"]),
    (Capability::SysBoot, &["reboot"]),
    (Capability::SysChroot, &["chroot"]),
    (Capability::SysModule, &["init_module", "finit_module", "delete_module"]),
    (Capability::SysPacct, &["acct"]),
    (Capability::SysPtrace, &["kcmp", "pidfd_getfd", "process_madvise"]),
    (Capability::SysRawio, &["iopl", "ioperm", "s390_pci_mmio_read", "s390_pci_mmio_write", "pciconfig_read", "pciconfig_write", "pciconfig_iobase"]),
    (Capability::SysTime, &["settimeofday", "stime", "clock_settime", "clock_settime64"]),
    (Capability::SysTtyConfig, &["vhangup"]),
    (Capability::SysNice, &["mbind", "get_mempolicy", "set_mempolicy", "set_mempolicy_home_node", "migrate_pages", "move_pages"]),
];

/// What nobody gets, and why.
#[cfg(test)]
#[rustfmt::skip]
static LEFT_OUT: &[(&str, &[&str])] = &[
    ("looked at with its arguments: `special`", &["socket", "personality"]),
    ("keys are not divided among containers of one user namespace", &["add_key", "request_key", "keyctl"]),
    ("rings run calls that no filter sees", &["io_uring_setup", "io_uring_enter", "io_uring_register"]),
    ("pauses the kernel in the middle of a copy: what exploits are made with", &["userfaultfd"]),
    ("starts another kernel", &["kexec_load", "kexec_file_load"]),
    ("the host's memory", &["swapon", "swapoff"]),
    ("run calls of sockets and IPC whose numbers the rules of those calls already allow", &["socketcall", "ipc"]),
    ("runs any other call by its number", &["syscall", "multiplexer"]),
    ("for the kernel's own trampolines", &["uprobe", "uretprobe"]),
    ("old ways into the processor or the machine", &[
        "vm86", "vm86old", "rtas", "spu_create", "spu_run", "sys_debug_setcontext",
    ]),
    ("gone, or never there", &[
        "_sysctl", "afs_syscall", "bdflush", "break", "create_module", "ftime", "get_kernel_syms", "getpmsg", "gtty", "idle",
        "lock", "mpx", "nfsservctl", "prof", "profil", "putpmsg", "query_module", "security", "stty", "sysfs", "tuxcall",
        "ulimit", "uselib", "vserver",
    ]),
];

const ENOSYS: u32 = 38;

/// `CLONE_NEW*` of clone(2) together.
const NEW_NAMESPACES: u64 = 0x7e02_0000;

/// `AF_VSOCK`: the machine below this one.
const AF_VSOCK: u64 = 40;

/// Of personality(2): Linux, 32 bits, an old version's number, both, and "what am I?".
const PERSONALITIES: [u64; 5] = [0, 8, 0x2_0000, 0x2_0008, 0xffff_ffff];

/// The profile for a container.
pub fn profile(at: &Circumstances<'_>) -> Seccomp {
    let allow = |names: &[&str], args: Vec<Arg>| Rule {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        action: Action::Allow,
        errno_ret: None,
        args,
    };
    let mut syscalls: Vec<Rule> = ALWAYS.iter().map(|(_, names)| allow(names, Vec::new())).collect();
    let held = WITH.iter().filter(|(capability, _)| at.capabilities.contains(*capability));
    syscalls.extend(held.map(|(_, names)| allow(names, Vec::new())));
    let arg = |index, op, value, value_two| vec![Arg { index, value, value_two, op }];
    syscalls.push(allow(&["socket"], arg(0, Operator::Ne, AF_VSOCK, 0)));
    for personality in PERSONALITIES {
        syscalls.push(allow(&["personality"], arg(0, Operator::Eq, personality, 0)));
    }
    if !at.capabilities.contains(Capability::SysAdmin) {
        // Processes and threads, but no namespaces. clone3(2) has its flags in memory, where no filter looks: without it,
        // libraries take clone(2).
        let flags = if matches!(at.native, Arch::S390 | Arch::S390x) { 1 } else { 0 };
        syscalls.push(allow(&["clone"], arg(flags, Operator::MaskedEq, NEW_NAMESPACES, 0)));
        let names = vec!["clone3".to_owned()];
        syscalls.push(Rule { names, action: Action::Errno, errno_ret: Some(ENOSYS), args: Vec::new() });
    }
    Seccomp {
        default_action: Action::Errno,
        default_errno_ret: None,
        architectures: sisters(at.native).to_vec(),
        flags: None,
        listener_path: None,
        listener_metadata: None,
        syscalls,
    }
}

/// The architectures whose programs run on this one's machines as well. x32 is left out: few kernels have it, and its calls
/// have had holes of their own.
fn sisters(native: Arch) -> &'static [Arch] {
    match native {
        Arch::X86_64 => &[Arch::X86_64, Arch::X86],
        Arch::Aarch64 => &[Arch::Aarch64, Arch::Arm],
        Arch::S390x => &[Arch::S390x, Arch::S390],
        Arch::Mips64 => &[Arch::Mips64, Arch::Mips, Arch::Mips64n32],
        Arch::Mipsel64 => &[Arch::Mipsel64, Arch::Mipsel, Arch::Mipsel64n32],
        Arch::Ppc64 => &[Arch::Ppc64, Arch::Ppc],
        Arch::Parisc64 => &[Arch::Parisc64, Arch::Parisc],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::known;
    use insula_oci::CapabilitySet;
    use std::collections::BTreeMap;

    #[test]
    fn every_call_is_allowed_or_left_out_for_a_reason() {
        let mut places: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let always =
            ALWAYS.iter().flat_map(|(why, names)| names.iter().map(move |name| (*name, (*why).to_owned())));
        let with = WITH
            .iter()
            .flat_map(|(capability, names)| names.iter().map(move |name| (*name, format!("{capability:?}"))));
        let out =
            LEFT_OUT.iter().flat_map(|(why, names)| names.iter().map(move |name| (*name, (*why).to_owned())));
        for (name, place) in always.chain(with).chain(out) {
            places.entry(name).or_default().push(place);
        }
        let undecided: Vec<&str> = known().filter(|name| !places.contains_key(name)).collect();
        assert_eq!(undecided, [""; 0], "no family has these");
        let unknown: Vec<&&str> =
            places.keys().filter(|name| !known().any(|known| known == **name)).collect();
        assert!(unknown.is_empty(), "no architecture has these: {unknown:?}");
        let capabilities = ["SysAdmin", "Bpf", "Perfmon", "Syslog"];
        let twice = places.iter().filter(|(_, places)| {
            places.len() > 1 && !places.iter().all(|place| capabilities.contains(&place.as_str()))
        });
        assert_eq!(twice.count(), 0, "{places:?}");
    }

    #[test]
    fn it_compiles_on_every_architecture_and_is_short() {
        let none = CapabilitySet::default();
        for native in crate::architecture::tests::ALL {
            let at = Circumstances { native: *native, kernel: (6, 1), capabilities: &none };
            let filter = crate::compile(&profile(&at), Some(*native)).expect("it compiles");
            assert!(filter.program.len() < 500, "{native:?}: {}", filter.program.len());
        }
    }
}
