//! What failed inside a step: the call by its man page's name, and the errno. Two numbers, so a page can carry them.

use rustix::io::Errno;

macro_rules! calls {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// The call that failed, by the name of its man page.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u32)]
        pub enum Call { $($(#[$doc])* $name,)* }

        impl Call {
            const ALL: &'static [Call] = &[$(Call::$name,)*];

            /// The man page's name.
            pub fn name(self) -> &'static str {
                match self { $(Call::$name => $text,)* }
            }
        }
    };
}

calls! {
    /// Not known: the number was not one of ours.
    Unknown = "unknown call",
    /// The check of something before it is used.
    Check = "check",
    /// The agent of a seccomp filter, sendmsg(2).
    Agent = "send the seccomp listener",
    /// capget(2).
    Capget = "capget",
    /// capset(2).
    Capset = "capset",
    /// chdir(2), fchdir(2).
    Chdir = "chdir",
    /// chroot(2).
    Chroot = "chroot",
    /// clone3(2).
    Clone3 = "clone3",
    /// close_range(2).
    CloseRange = "close_range",
    /// dup2(2).
    Dup2 = "dup2",
    /// execve(2), execveat(2).
    Execve = "execve",
    /// fchmod(2).
    Fchmod = "fchmod",
    /// fchown(2).
    Fchown = "fchown",
    /// fcntl(2).
    Fcntl = "fcntl",
    /// fsconfig(2), on a parameter.
    Fsconfig = "fsconfig",
    /// fsconfig(2), `FSCONFIG_CMD_CREATE`.
    FsconfigCreate = "fsconfig(create)",
    /// fsmount(2).
    Fsmount = "fsmount",
    /// fsopen(2).
    Fsopen = "fsopen",
    /// fstat(2).
    Fstat = "fstat",
    /// A hook, which ended otherwise than by exit code 0.
    Hook = "hook",
    /// ioprio_set(2).
    IoprioSet = "ioprio_set",
    /// ioctl(2).
    Ioctl = "ioctl",
    /// keyctl(2).
    Keyctl = "keyctl",
    /// write(2) to proc_pid_attr(5), by the init.
    Label = "set the label",
    /// memfd_create(2).
    MemfdCreate = "memfd_create",
    /// mkdirat(2).
    Mkdirat = "mkdirat",
    /// mknodat(2).
    Mknodat = "mknodat",
    /// mount(2).
    Mount = "mount",
    /// mount_setattr(2).
    MountSetattr = "mount_setattr",
    /// move_mount(2).
    MoveMount = "move_mount",
    /// openat2(2), open(2).
    Openat2 = "openat2",
    /// open_tree(2).
    OpenTree = "open_tree",
    /// personality(2).
    Personality = "personality",
    /// pivot_root(2).
    PivotRoot = "pivot_root",
    /// prctl(2).
    Prctl = "prctl",
    /// prlimit(2).
    Prlimit = "prlimit",
    /// read(2).
    Read = "read",
    /// recvmsg(2), on the baton.
    Recvmsg = "recvmsg",
    /// seccomp(2).
    Seccomp = "seccomp",
    /// sendmsg(2), on the baton.
    Sendmsg = "sendmsg",
    /// sched_setaffinity(2).
    SchedSetaffinity = "sched_setaffinity",
    /// sched_setattr(2).
    SchedSetattr = "sched_setattr",
    /// setdomainname(2).
    Setdomainname = "setdomainname",
    /// setgid(2).
    Setgid = "setgid",
    /// setgroups(2).
    Setgroups = "setgroups",
    /// sethostname(2).
    Sethostname = "sethostname",
    /// set_mempolicy(2).
    SetMempolicy = "set_mempolicy",
    /// setns(2).
    Setns = "setns",
    /// setresgid(2).
    Setresgid = "setresgid",
    /// setresuid(2).
    Setresuid = "setresuid",
    /// setsid(2).
    Setsid = "setsid",
    /// setuid(2).
    Setuid = "setuid",
    /// sigaction(2), sigprocmask(2).
    Sigaction = "sigaction",
    /// socket(2).
    Socket = "socket",
    /// symlinkat(2).
    Symlinkat = "symlinkat",
    /// umount2(2).
    Umount2 = "umount2",
    /// unshare(2).
    Unshare = "unshare",
    /// write(2).
    Write = "write",
    /// newuidmap(1).
    Newuidmap = "newuidmap",
    /// newgidmap(1).
    Newgidmap = "newgidmap",
}

impl Call {
    /// The call of a number that may be anything.
    pub fn from_number(number: u32) -> Call {
        Call::ALL.get(number as usize).copied().unwrap_or(Call::Unknown)
    }

    /// For `map_err`: this call failed with that errno.
    pub fn failed(self) -> impl FnOnce(Errno) -> Fault {
        move |errno| Fault { call: self, errno }
    }
}

/// A failed call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// Which call.
    pub call: Call,
    /// Its errno.
    pub errno: Errno,
}

/// What a step returns.
pub type Done = Result<(), Fault>;
