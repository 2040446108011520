//! What the kernel has not: a call that is ENOSYS, by the kernel or by a filter around the process; a flag that is newer.

use super::key::keys;
use super::subject::Subject;
use crate::fault::{Call, Fault};
use insula_sys::harmless;
use rustix::io::Errno;
use std::fmt;
use std::fs;

/// The cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Feature {
    /// The kernel has not this call.
    Call {
        /// Its name.
        name: String,
        /// The release that brought it, if we know.
        since: Option<&'static str>,
        /// The release that runs.
        release: String,
    },
    /// The kernel has it: a filter of system calls around the process says otherwise.
    Filtered {
        /// Its name.
        name: String,
    },
    /// A flag that the kernel does not know yet.
    Flag {
        /// Its name.
        name: &'static str,
        /// The release that brought it.
        since: &'static str,
        /// The release that runs.
        release: String,
    },
}

keys! { Feature {
    Call = "kernel-lacks-call",
    Filtered = "call-filtered",
    Flag = "kernel-lacks-flag",
} }

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Feature::Call { name, since: Some(since), release } => {
                write!(f, "the kernel has no {name}(2), which came with Linux {since}: this is {release}")
            }
            Feature::Call { name, since: None, release } => {
                write!(f, "the kernel has no {name}(2): this is {release}")
            }
            Feature::Filtered { name } => write!(
                f,
                "the kernel has {name}(2), and a filter of system calls (seccomp) around this process answers that it has not"
            ),
            Feature::Flag { name, since, release } => {
                write!(f, "the kernel does not know {name}, which came with Linux {since}: this is {release}")
            }
        }
    }
}

impl Feature {
    /// What to do about it.
    pub fn cure(&self) -> String {
        match self {
            Feature::Call { since: Some(since), .. } | Feature::Flag { since, .. } => {
                format!("Linux {since} or newer; `insula doctor` lists what else this one lacks")
            }
            Feature::Call { .. } => {
                "a newer kernel, or one built with it; `insula doctor` lists what this one lacks".to_owned()
            }
            Feature::Filtered { name } => format!(
                "it cannot be taken off from inside: whoever starts this process lets {name} through (Docker, podman: \
                 `--security-opt seccomp=unconfined` or a profile that names it; systemd: SystemCallFilter=)"
            ),
        }
    }
}

/// Why a call is ENOSYS. Which of the two it is, the kernel's table of its own functions tells.
pub(super) fn call(fault: Fault, subject: &Subject) -> Option<Feature> {
    if fault.errno != Errno::NOSYS {
        return None;
    }
    let name = match fault.call {
        Call::Unknown | Call::Check | Call::Newuidmap | Call::Newgidmap => return None,
        Call::FsconfigCreate => "fsconfig",
        call => call.name(),
    };
    of_call(name, subject)
}

/// The same of a call by its name.
pub(super) fn of_call(name: &str, subject: &Subject) -> Option<Feature> {
    let is_filtered = subject.status().is_some_and(|status| status.filtered);
    let question = harmless::about(name);
    // Of a call that we can ask for ourselves it is known whether it is refused.
    let is_answered = question.is_some_and(|question| harmless::ask(question) != Err(Errno::NOSYS));
    let known = has(name);
    let name = name.to_owned();
    match (known, is_filtered) {
        (Some(true), true) => Some(Feature::Filtered { name }),
        // Which of the two it is cannot be seen.
        (Some(true), false) | (None, true) => None,
        (None, false) if is_answered => None,
        _ => Some(Feature::Call { name, since: question.map(|question| question.since), release: release() }),
    }
}

/// Flags that came later than their calls: the call, the bit, the flag's name, the release that brought it.
const FLAGS: &[(&str, u64, &str, &str)] = &[
    ("fsmount", 0x2, "FSMOUNT_NAMESPACE", "7.1"),
    ("memfd_create", 0x8, "MFD_NOEXEC_SEAL", "6.3"),
    ("memfd_create", 0x10, "MFD_EXEC", "6.3"),
    ("mount_setattr", 0x10_0000, "MOUNT_ATTR_IDMAP", "5.12"),
    ("move_mount", 0x200, "MOVE_MOUNT_BENEATH", "6.5"),
    ("open_tree", 0x2, "OPEN_TREE_NAMESPACE", "7.0"),
    ("clone3", 0x2_0000_0000, "CLONE_INTO_CGROUP", "5.7"),
    ("clone3", 0x80, "CLONE_NEWTIME", "5.6"),
    ("unshare", 0x80, "CLONE_NEWTIME", "5.6"),
];

/// Why a call with these flags is EINVAL: one of them is newer than the kernel. A release is no proof that something
/// works; one from before a flag came is proof that the flag is not known.
pub(super) fn flags(name: &str, flags: u64, errno: Errno) -> Option<Feature> {
    let known = |(call, bit, _, since): &&(&str, u64, &'static str, &'static str)| {
        *call == name && flags & bit != 0 && is_newer(since)
    };
    let (_, _, name, since) = FLAGS.iter().filter(|_| errno == Errno::INVAL).find(known)?;
    Some(Feature::Flag { name, since, release: release() })
}

/// Whether the kernel has a call, by its table of symbols; `None`: that cannot be read.
pub fn has(name: &str) -> Option<bool> {
    Some(symbols()?.has(name))
}

/// The kernel's table of its own functions.
#[derive(Debug)]
pub struct Symbols(String);

/// Reads it: some megabytes. `None`: it cannot be read.
pub fn symbols() -> Option<Symbols> {
    fs::read_to_string("/proc/kallsyms").ok().filter(|text| !text.is_empty()).map(Symbols)
}

impl Symbols {
    /// Whether a call is in it: `__x64_sys_mount`, `__arm64_sys_mount`, …
    pub fn has(&self, name: &str) -> bool {
        self.0.contains(&format!("_sys_{name}\n"))
    }
}

/// The release that runs, uname(2).
fn release() -> String {
    rustix::system::uname().release().to_string_lossy().into_owned()
}

/// Whether a release, `6.7`, is newer than the one that runs.
pub(super) fn is_newer(since: &str) -> bool {
    let numbers = |text: &str| {
        let mut parts =
            text.split(|char: char| !char.is_ascii_digit()).map(|part| part.parse::<u32>().unwrap_or(0));
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
    };
    numbers(since) > numbers(&release())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_compared_by_their_numbers() {
        assert!(is_newer("999.0"));
        assert!(!is_newer("2.6.16") && !is_newer("3.10"));
    }

    #[test]
    fn the_kernel_tells_its_own_calls() {
        if let Some(known) = has("mount") {
            assert!(known);
            assert_eq!(has("no_such_call"), Some(false));
        }
    }
}
