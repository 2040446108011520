//! Why no process could be born, clone(2): a limit of processes, or a pid namespace that has ended.

use super::key::keys;
use super::status::Status;
use super::subject::{Subject, sysctl};
use super::user_namespace::UserNamespace;
use crate::fault::Fault;
use crate::host::mounts::unescape;
use rustix::io::Errno;
use std::fmt;
use std::path::{Path, PathBuf};

/// `CAP_SYS_ADMIN` and `CAP_SYS_RESOURCE`, capabilities(7): with one of them, in the initial user namespace,
/// `RLIMIT_NPROC` does not count.
const BEYOND_LIMITS: u64 = 1 << 21 | 1 << 24;

/// The cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoProcess {
    /// `pids.max` of a control group is reached.
    PidsMax {
        /// The group's directory.
        group: String,
        /// The limit.
        max: u64,
    },
    /// The limit of processes of the user is reached.
    Rlimit {
        /// The user.
        uid: u32,
        /// The limit.
        soft: u64,
        /// How many processes and threads the user has.
        count: u64,
    },
    /// `kernel.threads-max` is reached.
    ThreadsMax(u64),
    /// `kernel.pid_max` is reached.
    PidMax(u64),
    /// The pid namespace for children has lost its first process.
    PidNamespaceEnded,
}

keys! { NoProcess {
    PidsMax = "processes-pids-max",
    Rlimit = "processes-rlimit",
    ThreadsMax = "processes-threads-max",
    PidMax = "processes-pid-max",
    PidNamespaceEnded = "pid-namespace-ended",
} }

impl fmt::Display for NoProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PidsMax { group, max } => {
                write!(f, "the control group `{group}` may have {max} processes and threads (pids.max), and has them")
            }
            Self::Rlimit { uid, soft, count } => write!(
                f,
                "user {uid} may have {soft} processes and threads (RLIMIT_NPROC, `ulimit -u`), and has {count}"
            ),
            Self::ThreadsMax(max) => {
                write!(f, "kernel.threads-max is {max}, and there are as many threads on this machine")
            }
            Self::PidMax(max) => write!(f, "kernel.pid_max is {max}, and every number below is in use"),
            Self::PidNamespaceEnded => f.write_str(
                "the first process of the pid namespace that children would be born in has ended, and the kernel starts no \
                 other there",
            ),
        }
    }
}

impl NoProcess {
    /// What to do about it.
    pub fn cure(&self) -> String {
        match self {
            Self::PidsMax { group, .. } => {
                format!("end some of them (`{group}/cgroup.procs` lists them), or write more into `{group}/pids.max`")
            }
            Self::Rlimit { .. } => {
                "end some of them, or raise the limit: `ulimit -u`, limits.conf(5), systemd's `LimitNPROC=`".to_owned()
            }
            Self::ThreadsMax(_) => "end some, or as root of the machine: `sysctl kernel.threads-max=NUMBER`".to_owned(),
            Self::PidMax(_) => "end some, or as root of the machine: `sysctl kernel.pid_max=NUMBER`".to_owned(),
            Self::PidNamespaceEnded => {
                "make a new pid namespace; one that is to last needs a first process that does (pid_namespaces(7))".to_owned()
            }
        }
    }
}

/// Looks for the cause.
pub(super) fn unborn(fault: Fault, subject: &Subject) -> Option<NoProcess> {
    match fault.errno {
        Errno::AGAIN => rlimit(subject).or_else(threads_max).or_else(|| pids_max(subject)).or_else(pid_max),
        // Without a first process, there is no file either.
        Errno::NOMEM
            if subject.link("ns/pid")? != subject.link("ns/pid_for_children").unwrap_or_default() =>
        {
            Some(NoProcess::PidNamespaceEnded)
        }
        _ => None,
    }
}

fn rlimit(subject: &Subject) -> Option<NoProcess> {
    let status = subject.status()?;
    let initial = UserNamespace::of(subject).is_some_and(|user| user.is_initial());
    let uid = status.uid[0];
    if initial && (uid == 0 || status.effective & BEYOND_LIMITS != 0) {
        return None;
    }
    let limits = subject.read("limits")?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max processes"))?;
    let soft = line.split_ascii_whitespace().next()?.parse().ok()?;
    let count = threads(|_, status| status.uid[0] == uid)?;
    (count >= soft).then_some(NoProcess::Rlimit { uid, soft, count })
}

fn threads_max() -> Option<NoProcess> {
    // proc_loadavg(5): the fourth field is RUNNABLE/ALL, of the whole machine.
    let load = std::fs::read_to_string("/proc/loadavg").ok()?;
    let all: u64 = load.split(' ').nth(3)?.split('/').nth(1)?.parse().ok()?;
    let max = sysctl("kernel/threads-max")?.parse().ok()?;
    (all >= max).then_some(NoProcess::ThreadsMax(max))
}

/// Since Linux 6.14 each pid namespace has its own.
fn pid_max() -> Option<NoProcess> {
    /// Below this, numbers are given at the first round only, `RESERVED_PIDS`.
    const ONCE: i32 = 300;
    let max: u64 = sysctl("kernel/pid_max")?.parse().ok()?;
    let count = threads(|subject, _| subject.pid().is_some_and(|pid| pid >= ONCE))?;
    (count + u64::from(ONCE.unsigned_abs()) >= max).then_some(NoProcess::PidMax(max))
}

/// How many threads the processes have that are so.
fn threads(is_so: impl Fn(&Subject, &Status) -> bool) -> Option<u64> {
    let processes = std::fs::read_dir("/proc").ok()?.flatten();
    Some(processes.fold(0, |sum, entry| {
        let pid = entry.file_name().to_str().and_then(|name| name.parse().ok());
        let other = pid.map(Subject::process);
        let counted = other.as_ref().and_then(|other| {
            let status = other.status()?;
            is_so(other, status).then_some(u64::from(status.threads))
        });
        sum + counted.unwrap_or(0)
    }))
}

/// The nearest group that is full, from that of the process upwards.
fn pids_max(subject: &Subject) -> Option<NoProcess> {
    let (top, group) = group(&subject.read("cgroup")?, &subject.read_all("mountinfo")?)?;
    let number = |directory: &Path, name: &str| {
        std::fs::read_to_string(directory.join(name)).ok()?.trim().parse::<u64>().ok()
    };
    group.ancestors().take_while(|directory| directory.starts_with(&top)).find_map(|directory| {
        let max = number(directory, "pids.max")?;
        let full = number(directory, "pids.current")? >= max;
        full.then(|| NoProcess::PidsMax { group: directory.display().to_string(), max })
    })
}

/// Where the hierarchy with the controller `pids` is mounted, and the group of a process in it; by cgroups(7)'s
/// /proc/PID/cgroup and proc_pid_mountinfo(5).
fn group(cgroup: &str, mountinfo: &str) -> Option<(PathBuf, PathBuf)> {
    let of = |wanted: &dyn Fn(&str) -> bool| {
        cgroup.lines().find_map(|line| {
            let mut fields = line.splitn(3, ':').skip(1);
            fields.next().filter(|controllers| wanted(controllers)).and_then(|_| fields.next())
        })
    };
    let first = of(&|controllers| controllers.split(',').any(|name| name == "pids"));
    let (path, fstype) = match first {
        Some(path) => (path, "cgroup"),
        None => (of(&str::is_empty)?, "cgroup2"),
    };
    mountinfo.lines().find_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        let mut after = after.split(' ');
        let this = after.next()? == fstype
            && (fstype == "cgroup2" || after.nth(1)?.split(',').any(|option| option == "pids"));
        let mut fields = before.split(' ').skip(3);
        let (root, point) = (unescape(fields.next()?)?, unescape(fields.next()?)?);
        let below = Path::new(path).strip_prefix(root).ok()?.to_owned();
        this.then(|| (PathBuf::from(&point), Path::new(&point).join(below)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_is_found_on_either_version() {
        let v1 = "30 20 0:26 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n";
        let v2 = "31 20 0:27 /user /sys/fs/cgroup rw - cgroup2 none rw\n";
        let found = |cgroup: &str, mounts: &str| {
            group(cgroup, mounts).map(|(top, at)| format!("{} {}", top.display(), at.display()))
        };
        assert_eq!(
            found("5:pids:/a/b\n0::/x\n", v1).as_deref(),
            Some("/sys/fs/cgroup/pids /sys/fs/cgroup/pids/a/b")
        );
        assert_eq!(found("0::/user/x\n", v2).as_deref(), Some("/sys/fs/cgroup /sys/fs/cgroup/x"));
        assert_eq!(found("0::/elsewhere\n", v2), None);
        assert_eq!(found("5:pids:/a\n", v2), None);
    }
}
