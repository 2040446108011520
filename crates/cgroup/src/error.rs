//! What can go wrong with a control group: what was tried, on which file, with which value, and what to do about it.

use insula_launch::error::Named;
/// Why the kernel has refused.
pub use insula_launch::why::groups::Group as Cause;
use insula_launch::why::groups::delegate;
use insula_oci::escaped;
use rustix::io::Errno;
use std::fmt;

/// An attempt that was refused. Names and values in it may be foreign text: they are escaped when they are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// No cgroup file system is mounted where this process can see it.
    NotMounted,
    /// /proc has not told where we are.
    Proc {
        /// The file.
        path: &'static str,
        /// Why.
        errno: Errno,
    },
    /// A limit or name that is refused without asking the kernel.
    Invalid {
        /// What it is, in the words of the specification.
        what: String,
        /// How it was given.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// What is asked for has no file on this machine.
    Missing {
        /// The controller.
        controller: String,
        /// The file that would take it, and the value.
        file: String,
        /// What would have been written.
        value: String,
        /// Why there is none, and what to do.
        why: Missing,
    },
    /// A call on a directory or file.
    Call {
        /// What was tried: "make the cgroup".
        doing: &'static str,
        /// On what.
        path: String,
        /// How it was refused.
        errno: Errno,
        /// Why, found by looking.
        cause: Option<Cause>,
    },
    /// A write to a control file.
    Write {
        /// The file's path.
        path: String,
        /// The value.
        value: String,
        /// How it was refused.
        errno: Errno,
        /// Why, found by looking.
        cause: Option<Cause>,
    },
    /// `checkBeforeUpdate`: the limit is below what is used now.
    BelowUse {
        /// The file's path.
        path: String,
        /// The value that was asked for, in bytes.
        limit_bytes: u64,
        /// What is used, in bytes.
        used_bytes: u64,
    },
    /// There is no group of this name.
    NoGroup(String),
    /// The caller may make groups nowhere.
    NowhereToMake {
        /// The name that was given.
        name: String,
        /// The caller.
        uid: u32,
    },
    /// What was waited for has not come.
    TimedOut {
        /// What: "freeze", "kill".
        doing: &'static str,
        /// The group.
        path: String,
        /// What stands in the way.
        seen: String,
    },
    /// This process is in the group itself, and would stop with it.
    Within {
        /// What: "freeze".
        doing: &'static str,
        /// The group.
        path: String,
    },
}

/// Why a control file is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// No hierarchy has the controller.
    Controller,
    /// The kernel has not this file.
    File,
    /// Memory and swap are not counted together.
    SwapAccount,
    /// Version 2 has nothing like it.
    NotOnV2,
    /// Version 1 has nothing like it.
    NotOnV1,
}

impl Error {
    /// A value that is refused without asking the kernel.
    pub fn invalid(what: &str, value: impl fmt::Display, reason: impl Into<String>) -> Self {
        Self::Invalid { what: what.to_owned(), value: value.to_string(), reason: reason.into() }
    }

    /// The errno of the refused call.
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Self::Proc { errno, .. } | Self::Call { errno, .. } | Self::Write { errno, .. } => Some(*errno),
            _ => None,
        }
    }

    /// Why, found by looking.
    pub fn cause(&self) -> Option<insula_launch::why::Cause> {
        match self {
            Self::Call { cause, .. } | Self::Write { cause, .. } => cause.clone().map(Into::into),
            _ => None,
        }
    }

    /// Whether it was for want of rights, or of a place that may be written to.
    pub fn is_for_rights(&self) -> bool {
        matches!(self.errno(), Some(Errno::ACCESS | Errno::PERM | Errno::ROFS))
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotMounted => {
                Some("mount one: `mount -t cgroup2 none /sys/fs/cgroup` (cgroups(7))".to_owned())
            }
            Self::Missing { controller, why, .. } => why.hint(controller),
            Self::Call { cause, .. } | Self::Write { cause, .. } => cause.as_ref().map(Cause::cure),
            Self::BelowUse { .. } => Some("ask for more, or free some first".to_owned()),
            Self::NoGroup(_) => Some("`insula cgroup ls` lists the groups".to_owned()),
            Self::NowhereToMake { uid, .. } => Some(delegate(*uid)),
            Self::TimedOut { .. } => {
                Some("see what it waits for in /proc/PID/stack and /proc/PID/status".to_owned())
            }
            Self::Within { .. } => Some("ask from outside of the group".to_owned()),
            Self::Proc { .. } | Self::Invalid { .. } => None,
        }
    }
}

impl Missing {
    fn words(self) -> &'static str {
        match self {
            Self::Controller => "no mounted hierarchy has this controller",
            Self::File => "this kernel has no such file",
            Self::SwapAccount => "this kernel does not count swap",
            Self::NotOnV2 => "cgroup version 2 has nothing like it",
            Self::NotOnV1 => "cgroup version 1 has nothing like it",
        }
    }

    fn hint(self, controller: &str) -> Option<String> {
        Some(match self {
            Self::Controller => format!(
                "see /proc/cgroups; version 1: `mount -t cgroup -o {controller} none /sys/fs/cgroup/{controller}`; \
                 version 2 has it unless version 1 holds it or `cgroup_disable={controller}` is on the kernel's command line"
            ),
            Self::File => return None,
            Self::SwapAccount => {
                "start the kernel with `swapaccount=1`, or leave the limit of swap out".to_owned()
            }
            Self::NotOnV2 | Self::NotOnV1 => "leave it out".to_owned(),
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::NotMounted => "find a cgroup file system: none is mounted here".to_owned(),
            Self::Proc { path, errno } => format!("read `{path}`: {}", Named(*errno)),
            Self::Invalid { what, value, reason } => format!("{what}: `{value}` {reason}"),
            Self::Missing { controller, file, value, why } => {
                let what = if file.is_empty() { controller } else { file };
                format!("write `{value}` to `{what}`: {}", why.words())
            }
            Self::Call { doing, path, errno, .. } => format!("{doing} `{path}`: {}", Named(*errno)),
            Self::Write { path, value, errno, .. } => {
                format!("write `{value}` to `{path}`: {}", Named(*errno))
            }
            Self::BelowUse { path, limit_bytes, used_bytes } => {
                format!("write `{limit_bytes}` to `{path}`: {used_bytes} bytes are in use")
            }
            Self::NoGroup(name) => format!("find the group `{name}`: there is none"),
            Self::NowhereToMake { name, uid } => {
                format!("find a place for `{name}`: no cgroup here is uid {uid}'s own")
            }
            Self::TimedOut { doing, path, seen } => format!("{doing} `{path}`: {seen}"),
            Self::Within { doing, path } => format!("{doing} `{path}`: this process is in it itself"),
        };
        write!(f, "{}", escaped(&text))
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_is_escaped() {
        let error = Error::NoGroup("a\x1b[31m\nb".to_owned());
        assert_eq!(error.to_string(), "find the group `a\\u{1b}[31m\\u{a}b`: there is none");
    }

    #[test]
    fn a_refusal_names_file_value_and_cause() {
        let cause = Cause::NotOurs { directory: "/sys/fs/cgroup/pids/x".to_owned(), owner: 0, uid: 1000 };
        let error = Error::Write {
            path: "/sys/fs/cgroup/pids/x/pids.max".to_owned(),
            value: "20".to_owned(),
            errno: Errno::ACCESS,
            cause: Some(cause),
        };
        assert_eq!(error.to_string(), "write `20` to `/sys/fs/cgroup/pids/x/pids.max`: Permission denied");
        assert_eq!(
            error.cause().map(|cause| cause.to_string()).as_deref(),
            Some("`/sys/fs/cgroup/pids/x` belongs to uid 0, and this is uid 1000")
        );
        assert!(error.is_for_rights());
        assert!(error.hint().is_some_and(|hint| hint.contains("--owner 1000 /u1000")));
    }
}
