//! Which system calls are watched, what their arguments are, and which errors of them count as a refusal.
//!
//! A call that fails is most often no refusal: a file is looked for in five places, a probe asks for a facility. So each
//! family has its own measure, and `--all` has none.

use super::flags::{self, Names};
use super::place::Place;
use rustix::io::Errno;
use std::collections::HashMap;

/// What a call is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// New namespaces, and those that are entered.
    Namespaces,
    /// Mounts and roots.
    Mounts,
    /// Ids, capabilities, names and limits: rights of a process and over it.
    Rights,
    /// seccomp(2).
    Seccomp,
    /// bpf(2).
    Bpf,
    /// Files of control groups.
    Cgroups,
    /// Administration of the network.
    Network,
    /// Execution of programs.
    Exec,
    /// ptrace(2) of others.
    Ptrace,
    /// Files of the kernel and of devices.
    Files,
    /// Anything else: `--all`.
    Other,
}

impl Family {
    /// Its key in JSON.
    pub fn key(self) -> &'static str {
        match self {
            Family::Namespaces => "namespaces",
            Family::Mounts => "mounts",
            Family::Rights => "rights",
            Family::Seccomp => "seccomp",
            Family::Bpf => "bpf",
            Family::Cgroups => "cgroups",
            Family::Network => "network",
            Family::Exec => "exec",
            Family::Ptrace => "ptrace",
            Family::Files => "files",
            Family::Other => "other",
        }
    }
}

/// How an argument reads.
#[derive(Debug, Clone, Copy)]
pub(super) enum Arg {
    /// A path, behind a directory's descriptor if that stands before it.
    Path,
    /// A descriptor; `AT_FDCWD` by name.
    Fd,
    /// A string that is no path.
    Text,
    /// Bytes; the next argument is their number.
    Data,
    /// Flags by name.
    Flags(Names),
    /// One of some values.
    Choice(Names),
    /// A number with a sign: ids, of which -1 means "as it is", pids, signals.
    Int,
    /// Permissions.
    Mode,
    /// An address, of which only null says something.
    Pointer,
    /// `struct clone_args`.
    CloneArgs,
    /// Kinds of namespace, by their flags of clone(2).
    Kinds,
    /// The flags of clone(2), with a signal in the low byte.
    CloneFlags,
    /// `struct mount_attr`.
    MountAttr,
    /// An array of ids; its length stands before it.
    Ids,
    /// Two ints that say which and how big, read by nobody.
    Skipped,
}

/// Which errors are a refusal.
#[derive(Debug, Clone, Copy)]
pub(super) enum Measure {
    /// Each but those of a moment ([`is_momentary`]).
    Any,
    /// A limit that is reached counts too: EAGAIN of clone(2).
    AnyAndAgain,
    /// EPERM and EACCES.
    Rights,
    /// Those, and some more.
    RightsAnd(&'static [Errno]),
    /// EPERM, EACCES and EROFS of a path of the kernel's or of devices.
    Kernel,
    /// Any error of a write to a file of the kernel's.
    Written,
    /// Each that the program sees.
    Every,
    /// None, unless the program complains of it.
    Never,
}

/// One call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signature {
    pub(super) name: &'static str,
    pub(super) family: Family,
    pub(super) measure: Measure,
    pub(super) args: &'static [Arg],
}

use Arg::{
    Choice, CloneArgs, CloneFlags, Data, Fd, Flags, Ids, Int, Kinds, Mode, MountAttr, Path, Pointer, Skipped,
    Text,
};
use Family::{Bpf, Exec, Files, Mounts, Namespaces, Network, Ptrace, Rights, Seccomp};

const fn row(name: &'static str, family: Family, measure: Measure, args: &'static [Arg]) -> Signature {
    Signature { name, family, measure, args }
}

/// chown(2) of an id that the user namespace has no number for is EINVAL.
const OWNERS: Measure = Measure::RightsAnd(&[Errno::INVAL]);
const PROGRAM: Measure = Measure::Any;

#[rustfmt::skip]
const ROWS: &[Signature] = &[
    row("unshare", Namespaces, Measure::AnyAndAgain, &[Kinds]),
    row("setns", Namespaces, Measure::Any, &[Fd, Kinds]),
    row("clone", Namespaces, Measure::AnyAndAgain, &[CloneFlags]),
    row("clone3", Namespaces, Measure::AnyAndAgain, &[CloneArgs]),
    row("fork", Namespaces, Measure::AnyAndAgain, &[]),
    row("vfork", Namespaces, Measure::AnyAndAgain, &[]),
    row("mount", Mounts, Measure::Any, &[Text, Path, Text, Flags(flags::MOUNT), Text]),
    row("umount2", Mounts, Measure::Any, &[Path, Flags(flags::UMOUNT)]),
    row("pivot_root", Mounts, Measure::Any, &[Path, Path]),
    row("chroot", Mounts, Measure::Any, &[Path]),
    row("open_tree", Mounts, Measure::Any, &[Fd, Path, Flags(flags::OPEN_TREE)]),
    row("open_tree_attr", Mounts, Measure::Any, &[Fd, Path, Flags(flags::OPEN_TREE), MountAttr]),
    row("move_mount", Mounts, Measure::Any, &[Fd, Path, Fd, Path, Flags(flags::MOVE_MOUNT)]),
    row("fsopen", Mounts, Measure::Any, &[Text, Flags(flags::FSOPEN)]),
    row("fsconfig", Mounts, Measure::Any, &[Fd, Choice(flags::FSCONFIG), Text, Text, Int]),
    row("fsmount", Mounts, Measure::Any, &[Fd, Flags(flags::FSMOUNT), Flags(flags::MOUNT_ATTR)]),
    row("fspick", Mounts, Measure::Any, &[Fd, Path, Flags(flags::AT)]),
    row("mount_setattr", Mounts, Measure::Any, &[Fd, Path, Flags(flags::AT), MountAttr]),
    row("setuid", Rights, Measure::Any, &[Int]),
    row("setgid", Rights, Measure::Any, &[Int]),
    row("setreuid", Rights, Measure::Any, &[Int, Int]),
    row("setregid", Rights, Measure::Any, &[Int, Int]),
    row("setresuid", Rights, Measure::Any, &[Int, Int, Int]),
    row("setresgid", Rights, Measure::Any, &[Int, Int, Int]),
    row("setgroups", Rights, Measure::Any, &[Int, Ids]),
    row("capset", Rights, Measure::Any, &[Skipped]),
    row("prctl", Rights, Measure::Any, &[Choice(flags::PRCTL), Int, Int]),
    row("sethostname", Rights, Measure::Any, &[Data, Int]),
    row("setdomainname", Rights, Measure::Any, &[Data, Int]),
    row("keyctl", Rights, Measure::RightsAnd(&[Errno::NOSYS, Errno::DQUOT]), &[Choice(flags::KEYCTL), Int]),
    row("add_key", Rights, Measure::RightsAnd(&[Errno::NOSYS, Errno::DQUOT]), &[Text, Text]),
    row("chown", Rights, OWNERS, &[Path, Int, Int]),
    row("lchown", Rights, OWNERS, &[Path, Int, Int]),
    row("fchown", Rights, OWNERS, &[Fd, Int, Int]),
    row("fchownat", Rights, OWNERS, &[Fd, Path, Int, Int, Flags(flags::AT)]),
    row("mknod", Rights, Measure::Rights, &[Path, Mode]),
    row("mknodat", Rights, Measure::Rights, &[Fd, Path, Mode]),
    row("setrlimit", Rights, Measure::Rights, &[Choice(flags::RLIMIT), Skipped]),
    row("prlimit64", Rights, Measure::Rights, &[Int, Choice(flags::RLIMIT), Skipped]),
    row("kill", Rights, Measure::Rights, &[Int, Int]),
    row("tgkill", Rights, Measure::Rights, &[Int, Int, Int]),
    row("pidfd_send_signal", Rights, Measure::Rights, &[Fd, Int]),
    row("setpriority", Rights, Measure::Rights, &[Int, Int, Int]),
    row("sched_setscheduler", Rights, Measure::Rights, &[Int, Int]),
    row("sched_setattr", Rights, Measure::Rights, &[Int]),
    row("settimeofday", Rights, Measure::Rights, &[]),
    row("clock_settime", Rights, Measure::Rights, &[Int]),
    row("reboot", Rights, Measure::Rights, &[]),
    row("swapon", Rights, Measure::Rights, &[Path]),
    row("swapoff", Rights, Measure::Rights, &[Path]),
    row("init_module", Rights, Measure::Rights, &[]),
    row("finit_module", Rights, Measure::Rights, &[Fd]),
    row("delete_module", Rights, Measure::Rights, &[Text]),
    row("syslog", Rights, Measure::Rights, &[Int]),
    row("quotactl", Rights, Measure::Rights, &[]),
    row("perf_event_open", Rights, Measure::Rights, &[]),
    row("userfaultfd", Rights, Measure::Rights, &[]),
    row("seccomp", Seccomp, Measure::Any, &[Choice(flags::SECCOMP), Flags(flags::SECCOMP_FLAGS), Pointer]),
    row("bpf", Bpf, Measure::Rights, &[Choice(flags::BPF)]),
    row("socket", Network, Measure::Rights, &[Choice(flags::FAMILY), Flags(flags::SOCKET), Int]),
    row("bind", Network, Measure::Rights, &[Fd]),
    row("setsockopt", Network, Measure::Rights, &[Fd, Int, Int]),
    row("ioctl", Network, Measure::Rights, &[Fd, Choice(flags::IOCTL)]),
    row("recvmsg", Network, Measure::Rights, &[Fd]),
    row("recvfrom", Network, Measure::Rights, &[Fd]),
    row("execve", Exec, PROGRAM, &[Path]),
    row("execveat", Exec, PROGRAM, &[Fd, Path]),
    row("ptrace", Ptrace, Measure::Rights, &[Choice(flags::PTRACE), Int]),
    row("process_vm_readv", Ptrace, Measure::Rights, &[Int]),
    row("pidfd_getfd", Ptrace, Measure::Rights, &[Fd, Int]),
    row("open", Files, Measure::Kernel, &[Path, Flags(flags::OPEN)]),
    row("openat", Files, Measure::Kernel, &[Fd, Path, Flags(flags::OPEN)]),
    row("openat2", Files, Measure::Kernel, &[Fd, Path]),
    row("creat", Files, Measure::Kernel, &[Path, Mode]),
    row("mkdir", Files, Measure::Kernel, &[Path, Mode]),
    row("mkdirat", Files, Measure::Kernel, &[Fd, Path, Mode]),
    row("rmdir", Files, Measure::Kernel, &[Path]),
    row("unlink", Files, Measure::Kernel, &[Path]),
    row("unlinkat", Files, Measure::Kernel, &[Fd, Path, Flags(flags::AT)]),
    row("symlink", Files, Measure::Kernel, &[Text, Path]),
    row("symlinkat", Files, Measure::Kernel, &[Text, Fd, Path]),
    row("chmod", Files, Measure::Kernel, &[Path, Mode]),
    row("fchmodat", Files, Measure::Kernel, &[Fd, Path, Mode]),
    row("write", Files, Measure::Written, &[Fd, Data, Int]),
    row("pwrite64", Files, Measure::Written, &[Fd, Data, Int, Int]),
    row("writev", Files, Measure::Written, &[Fd]),
];

/// Calls that are told with their paths where the program complains of them, or all are asked for.
#[rustfmt::skip]
const OTHERS: &[Signature] = &[
    row("access", Family::Other, Measure::Never, &[Path]),
    row("faccessat", Family::Other, Measure::Never, &[Fd, Path]),
    row("faccessat2", Family::Other, Measure::Never, &[Fd, Path]),
    row("stat", Family::Other, Measure::Never, &[Path]),
    row("lstat", Family::Other, Measure::Never, &[Path]),
    row("newfstatat", Family::Other, Measure::Never, &[Fd, Path]),
    row("statx", Family::Other, Measure::Never, &[Fd, Path]),
    row("readlink", Family::Other, Measure::Never, &[Path]),
    row("readlinkat", Family::Other, Measure::Never, &[Fd, Path]),
    row("statfs", Family::Other, Measure::Never, &[Path]),
    row("chdir", Family::Other, Measure::Never, &[Path]),
    row("rename", Family::Other, Measure::Never, &[Path, Path]),
    row("renameat2", Family::Other, Measure::Never, &[Fd, Path, Fd, Path]),
    row("link", Family::Other, Measure::Never, &[Path, Path]),
    row("getxattr", Family::Other, Measure::Never, &[Path, Text]),
    row("lgetxattr", Family::Other, Measure::Never, &[Path, Text]),
    row("setxattr", Family::Other, Measure::Never, &[Path, Text]),
    row("truncate", Family::Other, Measure::Never, &[Path]),
    row("utimensat", Family::Other, Measure::Never, &[Fd, Path]),
    row("connect", Family::Other, Measure::Never, &[Fd]),
    row("read", Family::Other, Measure::Never, &[Fd]),
    row("fcntl", Family::Other, Measure::Never, &[Fd]),
];

/// The calls by number.
#[derive(Debug)]
pub(super) struct Table {
    rows: HashMap<u64, Signature>,
}

impl Table {
    /// Of this architecture. `all`: every error of every call counts.
    pub(super) fn new(all: bool) -> Table {
        let known = |name: &'static str| {
            let given = ROWS.iter().chain(OTHERS).find(|row| row.name == name).copied();
            let given = given.unwrap_or(row(name, Family::Other, Measure::Never, &[]));
            if all { Signature { measure: Measure::Every, ..given } } else { given }
        };
        let rows = insula_sys::syscall::all().map(|(number, name)| (number, known(name)));
        Table { rows: rows.collect() }
    }

    /// The call with this number; `None`: it has no name.
    pub(super) fn find(&self, number: u64) -> Option<&Signature> {
        self.rows.get(&number)
    }
}

/// Is this error one of the moment: a signal came, there is nothing yet?
pub(super) fn is_momentary(errno: Errno) -> bool {
    matches!(errno, Errno::INTR | Errno::AGAIN | Errno::INPROGRESS) || is_restart(errno)
}

/// `ERESTARTSYS` and its like: the program never sees them, the call is made again.
fn is_restart(errno: Errno) -> bool {
    (512..=516).contains(&errno.raw_os_error())
}

impl Signature {
    /// Does this error count, for these arguments, on a file in this place?
    pub(super) fn refuses(&self, errno: Errno, args: &[u64; 6], place: impl FnOnce() -> Place) -> bool {
        let rights = matches!(errno, Errno::PERM | Errno::ACCESS);
        let counts = match self.measure {
            Measure::AnyAndAgain => errno == Errno::AGAIN || !is_momentary(errno),
            Measure::Any => !is_momentary(errno),
            Measure::Rights => rights,
            Measure::RightsAnd(more) => rights || more.contains(&errno),
            Measure::Kernel => (rights || errno == Errno::ROFS) && place().is_kernels(),
            Measure::Every => return !is_restart(errno),
            Measure::Never => return false,
            Measure::Written => !is_momentary(errno) && errno != Errno::PIPE && place().is_setting(),
        };
        counts && !is_probe(self.name, errno, args)
    }
}

/// A call that asks what there is, by an argument that makes no sense, or of a thing that only some processes have.
fn is_probe(name: &str, errno: Errno, args: &[u64; 6]) -> bool {
    match name {
        // SECCOMP_SET_MODE_FILTER with a null pointer, SECCOMP_GET_ACTION_AVAIL.
        "seccomp" => errno == Errno::FAULT || args[0] == 2,
        "prctl" => match flags::PRCTL.iter().find(|(option, _)| *option == args[0]) {
            // PR_CAP_AMBIENT_IS_SET asks.
            Some((47, _)) => args[1] == 1,
            Some(_) => false,
            None => true,
        },
        // "Is it still there?"
        "kill" | "tgkill" => args[1] == 0,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refuses(name: &str, errno: Errno, args: [u64; 6], place: Place) -> bool {
        let row = ROWS.iter().find(|row| row.name == name).unwrap();
        row.refuses(errno, &args, || place)
    }

    #[test]
    fn each_family_has_its_measure() {
        let none = [0; 6];
        let elsewhere = Place::Elsewhere;
        assert!(refuses("unshare", Errno::PERM, none, elsewhere));
        assert!(refuses("clone", Errno::AGAIN, none, elsewhere));
        assert!(!refuses("mount", Errno::INTR, none, elsewhere));
        assert!(!refuses("mount", Errno::from_raw_os_error(512), none, elsewhere));
        assert!(refuses("openat", Errno::ROFS, none, Place::Kernel));
        assert!(!refuses("openat", Errno::NOENT, none, Place::Kernel));
        assert!(!refuses("openat", Errno::ACCESS, none, elsewhere));
        assert!(refuses("write", Errno::INVAL, none, Place::Setting));
        assert!(!refuses("write", Errno::NOSPC, none, elsewhere));
        assert!(!refuses("write", Errno::PIPE, none, Place::Setting));
        assert!(refuses("fchownat", Errno::INVAL, none, elsewhere));
        assert!(!refuses("socket", Errno::AFNOSUPPORT, none, elsewhere));
    }

    #[test]
    fn a_question_is_no_refusal() {
        let args = |first, second| [first, second, 0, 0, 0, 0];
        assert!(!refuses("prctl", Errno::INVAL, args(23, 40), Place::Elsewhere), "PR_CAPBSET_READ");
        assert!(!refuses("prctl", Errno::INVAL, args(47, 1), Place::Elsewhere), "PR_CAP_AMBIENT_IS_SET");
        assert!(refuses("prctl", Errno::PERM, args(47, 2), Place::Elsewhere), "PR_CAP_AMBIENT_RAISE");
        assert!(refuses("prctl", Errno::PERM, args(24, 3), Place::Elsewhere), "PR_CAPBSET_DROP");
        assert!(!refuses("seccomp", Errno::FAULT, args(1, 0), Place::Elsewhere));
        assert!(!refuses("kill", Errno::PERM, args(1, 0), Place::Elsewhere));
        assert!(refuses("kill", Errno::PERM, args(1, 15), Place::Elsewhere));
    }

    #[test]
    fn every_row_is_a_call() {
        let names = insula_sys::syscall::all().map(|(_, name)| name).collect::<Vec<_>>();
        let absent: Vec<_> = ROWS.iter().map(|row| row.name).filter(|name| !names.contains(name)).collect();
        // What aarch64 and riscv64 have not is known by another name there.
        if cfg!(target_arch = "x86_64") {
            assert_eq!(absent, Vec::<&str>::new());
        }
    }
}
