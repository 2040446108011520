//! What is asked of unshare(1), names and words resolved.

use super::id_ranges::IdRange;
use insula_launch::plan::Kind;
use insula_launch::step::propagation::Mode;
use std::ffi::CString;

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The kinds of namespace that have to be new.
    pub kinds: Vec<Kind>,
    /// Those that are made if the kernel and our rights allow it.
    pub tried: Vec<Kind>,
    /// Namespaces that are kept at a file.
    pub persist: Vec<(Kind, CString)>,
    /// The user ids in a new user namespace.
    pub users: IdsAsked,
    /// The group ids.
    pub groups: IdsAsked,
    /// Who shall own the user namespace: user and group.
    pub owner: Option<(u32, u32)>,
    /// Allow (`true`) or deny setgroups(2).
    pub setgroups: Option<bool>,
    /// Hand the capabilities in the user namespace on to the program.
    pub keep_caps: bool,
    /// How mounts spread in a new mount namespace; `None` leaves it as it is.
    pub propagation: Option<Mode>,
    /// Where to mount procfs.
    pub mount_proc: Option<CString>,
    /// Where to mount binfmt_misc.
    pub mount_binfmt: Option<CString>,
    /// The interpreter to register there.
    pub load_interp: Option<CString>,
    /// The root directory.
    pub root: Option<CString>,
    /// The working directory.
    pub working_directory: Option<CString>,
    /// The host name.
    pub hostname: Option<String>,
    /// The NIS domain name.
    pub domainname: Option<String>,
    /// Seconds that `CLOCK_MONOTONIC` is ahead.
    pub monotonic_s: Option<i64>,
    /// Seconds that `CLOCK_BOOTTIME` is ahead.
    pub boottime_s: Option<i64>,
    /// The user id to take on at the end.
    pub uid: Option<u32>,
    /// The group id.
    pub gid: Option<u32>,
    /// The program is a child of this process.
    pub fork: bool,
    /// The signal that the child gets when this process ends.
    pub kill_child: Option<i32>,
    /// What runs.
    pub program: Program,
    /// Its environment, `NAME=value` each.
    pub environment: Vec<CString>,
}

/// Ids of a new user namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdsAsked {
    /// What our own effective id becomes.
    pub own: Option<u32>,
    /// Ranges, in the order in which they were asked for.
    pub ranges: Vec<IdRange>,
}

/// What runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// A program and its arguments, looked for in `PATH`.
    Words(Vec<CString>),
    /// A shell that reads its profile, by its path.
    Shell(CString),
}

impl Default for Program {
    fn default() -> Program {
        Program::Shell(c"/bin/sh".to_owned())
    }
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// Effective user id.
    pub uid: u32,
    /// Effective group id.
    pub gid: u32,
    /// May it write any id map itself, user_namespaces(7)?
    pub may_map_any: bool,
}

/// Does our own user namespace deny setgroups(2)? Then all below it do, user_namespaces(7).
pub fn denies_setgroups() -> bool {
    std::fs::read("/proc/self/setgroups").is_ok_and(|text| text.starts_with(b"deny"))
}

impl Caller {
    /// Looks at this process.
    pub fn look() -> Caller {
        /// `CAP_SETGID`, `CAP_SETUID` and `CAP_SYS_ADMIN`, capabilities(7).
        const MAPPING: u64 = 1 << 6 | 1 << 7 | 1 << 21;
        let effective = insula_sys::prctl::capget().map_or(0, |(effective, _, _)| effective);
        Caller {
            uid: rustix::process::geteuid().as_raw(),
            gid: rustix::process::getegid().as_raw(),
            may_map_any: effective & MAPPING == MAPPING,
        }
    }
}
