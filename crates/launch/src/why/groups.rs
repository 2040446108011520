//! Why the kernel refuses something of a control group, cgroups(7). It is looked for by who holds the group's directory,
//! `insula-cgroup`, and by the step that moves a process into one.

use super::key::keys;
use super::subject::Subject;
use rustix::io::Errno;
use std::fmt;
use std::os::unix::fs::MetadataExt;

/// The cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Group {
    /// The directory is another's.
    NotOurs {
        /// The directory.
        directory: String,
        /// Whose.
        owner: u32,
        /// Who asks.
        uid: u32,
    },
    /// The hierarchy is mounted read-only.
    ReadOnly {
        /// A directory or file in it.
        path: String,
    },
    /// A group of version 2 with processes gives its children no controllers, and the other way round.
    InternalProcesses {
        /// The group.
        directory: String,
    },
    /// The group above has not this controller to give.
    NotAvailable {
        /// The controller.
        controller: String,
        /// The group that should hand it on.
        directory: String,
    },
    /// Outside of what the file takes.
    Range(&'static str),
    /// As many groups as those above allow.
    TooMany,
    /// More is in use than the limit allows.
    InUse,
    /// Processes, or groups, are in it.
    Occupied,
    /// The group's processes cannot be moved, since the mover may not write to the group above both.
    CommonAncestor {
        /// The group that was to be joined.
        directory: String,
    },
    /// A group of `cpuset` without CPUs or memory nodes takes no process.
    EmptyCpuset,
    /// Programs on devices are loaded by privileged users only.
    NoPrograms,
    /// A real-time process wants a group with real-time to give.
    RealTime,
    /// The group is being removed.
    Gone,
}

keys! { Group {
    NotOurs = "cgroup-not-delegated",
    ReadOnly = "cgroup-read-only",
    InternalProcesses = "cgroup-internal-processes",
    NotAvailable = "cgroup-controller-not-available",
    Range = "cgroup-value-out-of-range",
    TooMany = "cgroup-too-many",
    InUse = "cgroup-in-use",
    Occupied = "cgroup-occupied",
    CommonAncestor = "cgroup-common-ancestor",
    EmptyCpuset = "cgroup-empty-cpuset",
    NoPrograms = "cgroup-no-device-programs",
    RealTime = "cgroup-real-time",
    Gone = "cgroup-gone",
} }

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Group::NotOurs { directory, owner, uid } => {
                write!(f, "`{directory}` belongs to uid {owner}, and this is uid {uid}")
            }
            Group::ReadOnly { path } => write!(f, "the hierarchy of `{path}` is mounted read-only"),
            Group::InternalProcesses { directory } => {
                write!(
                    f,
                    "`{directory}` has processes of its own, or children with controllers, and may not have both"
                )
            }
            Group::NotAvailable { controller, directory } => {
                write!(f, "`{directory}` has no `{controller}` to hand on")
            }
            Group::Range(_) => f.write_str("the value is not what the file takes"),
            Group::TooMany => f.write_str(
                "there are as many groups as cgroup.max.depth and cgroup.max.descendants above allow",
            ),
            Group::InUse => f.write_str("more than that is in use"),
            Group::Occupied => f.write_str("processes or groups are in it"),
            Group::CommonAncestor { directory } => write!(
                f,
                "`{directory}` may be written to, and the group above both it and the process's present one may not"
            ),
            Group::EmptyCpuset => f.write_str("the group has no CPUs or no memory nodes"),
            Group::NoPrograms => {
                f.write_str("rules on devices are a BPF program in version 2, and we may load none")
            }
            Group::RealTime => f.write_str(
                "it is a process with real-time scheduling, and the group has no real-time to give",
            ),
            Group::Gone => f.write_str("the group is being removed, or is gone"),
        }
    }
}

impl Group {
    /// What to do about it.
    pub fn cure(&self) -> String {
        match self {
            Group::NotOurs { uid, .. } => delegate(*uid),
            Group::ReadOnly { .. } => "mount it read-write, or ask outside of this container".to_owned(),
            Group::InternalProcesses { directory } => format!(
                "in version 2 processes live in groups without limited children (cgroups(7), \"no internal processes\"): \
                 move them one down, `mkdir {directory}/leaf && echo PID > {directory}/leaf/cgroup.procs` for each"
            ),
            Group::NotAvailable { controller, directory } => format!(
                "whoever owns the group above enables it: `echo +{controller} > …/cgroup.subtree_control`, from the \
                 root down to `{directory}`"
            ),
            Group::Range(range) => format!("it takes {range}"),
            Group::TooMany => "remove some, or raise both in the groups above".to_owned(),
            Group::InUse => "free memory in the group first, or ask for a higher limit".to_owned(),
            Group::Occupied => "`insula cgroup kill` ends what is in it; `insula cgroup rm --force` does both".to_owned(),
            Group::CommonAncestor { .. } => {
                "moving a process takes write access to `cgroup.procs` of the group above both, the old one and the new \
                 one (cgroups(7)): move your shell into the delegated tree first, as root by `insula cgroup join`"
                    .to_owned()
            }
            Group::NoPrograms => "loading one wants CAP_BPF and CAP_NET_ADMIN, or CAP_SYS_ADMIN, of the host (bpf(2)): leave \
                                  the rules out"
                .to_owned(),
            Group::EmptyCpuset => "give it some: `insula cgroup set NAME --cpuset-cpus 0 --cpuset-mems 0`".to_owned(),
            Group::RealTime => "a process with SCHED_FIFO or SCHED_RR wants cpu.rt_runtime_us above 0 there; or make it \
                                an ordinary one, `chrt --other -p 0 PID`"
                .to_owned(),
            Group::Gone => "`insula cgroup new` makes it again".to_owned(),
        }
    }
}

/// How an ordinary user comes to a place for groups: systemd gives one, or root does.
pub fn delegate(uid: u32) -> String {
    let systemd = std::path::Path::new("/run/systemd/system").exists();
    let scope = if systemd { "`systemd-run --user --scope -p Delegate=yes $SHELL`, or " } else { "" };
    format!(
        "{scope}as root: `insula cgroup new --owner {uid} /u{uid}`, `insula cgroup new --owner {uid} /u{uid}/shell`, \
         `insula cgroup join /u{uid}/shell PID` with your shell's PID"
    )
}

/// Why a process could not be moved into the groups whose `cgroup.procs` it has open: the first that explains it.
pub(super) fn joined(errno: Errno, subject: &Subject) -> Option<Group> {
    let process = subject.pid().map_or_else(|| "self".to_owned(), |pid| pid.to_string());
    let uid = subject.status()?.uid[1];
    let files = std::fs::read_dir(format!("/proc/{process}/fd")).ok()?;
    let procs = files.filter_map(|file| {
        let path = std::fs::read_link(file.ok()?.path()).ok()?.into_os_string().into_string().ok()?;
        path.ends_with("/cgroup.procs").then_some(path)
    });
    let mut procs = procs.collect::<Vec<_>>().into_iter();
    match errno {
        Errno::NODEV => Some(Group::Gone),
        Errno::BUSY | Errno::OPNOTSUPP => procs.find_map(|file| internal(&file)),
        Errno::NOSPC => procs.any(|file| has_empty_cpuset(&file)).then_some(Group::EmptyCpuset),
        Errno::ACCESS | Errno::PERM => procs.find_map(|file| closed(&file, uid)),
        _ => None,
    }
}

fn directory(file: &str) -> &str {
    file.rsplit_once('/').map_or(file, |(directory, _)| directory)
}

/// A group of version 2 that hands controllers on.
fn internal(file: &str) -> Option<Group> {
    let directory = directory(file);
    let enabled = std::fs::read_to_string(format!("{directory}/cgroup.subtree_control")).ok()?;
    (!enabled.trim().is_empty()).then(|| Group::InternalProcesses { directory: directory.to_owned() })
}

fn has_empty_cpuset(file: &str) -> bool {
    let is_empty = |name: &str| {
        std::fs::read_to_string(format!("{}/{name}", directory(file)))
            .is_ok_and(|text| text.trim().is_empty())
    };
    is_empty("cpuset.cpus") || is_empty("cpuset.mems")
}

fn closed(file: &str, uid: u32) -> Option<Group> {
    let owner = std::fs::metadata(file).ok()?.uid();
    let directory = directory(file).to_owned();
    match owner == uid {
        false if uid != 0 => Some(Group::NotOurs { directory, owner, uid }),
        true => Some(Group::CommonAncestor { directory }),
        false => None,
    }
}
