//! What can go wrong with `insula cgroup`, and what to do about it.

use crate::value::reason::Reason;
use insula_launch::error::Named;
use insula_launch::why::Cause;
use insula_oci::escaped;
use rustix::io::Errno;
use std::fmt;

/// A command that failed.
#[derive(Debug)]
pub enum Error {
    /// A flag's value is refused.
    Value {
        /// The flag with its dashes.
        flag: &'static str,
        /// The value as it was written.
        value: String,
        /// What is wrong with it.
        reason: Reason,
        /// What could be written: behind `write`.
        form: &'static str,
    },
    /// Two flags contradict one another.
    Conflict(&'static str, &'static str),
    /// `set` without a limit.
    NothingToSet,
    /// `exec` without a program.
    NoProgram,
    /// A descriptor has no place in the plan.
    Descriptor(Errno),
    /// The group refused.
    Group(insula_cgroup::Error),
    /// Several things were refused, as of a removal.
    Several(Vec<insula_cgroup::Error>),
}

impl Error {
    /// The cause, found by looking.
    pub fn cause(&self) -> Option<Cause> {
        match self {
            Self::Group(error) => error.cause(),
            Self::Several(errors) => errors.iter().find_map(insula_cgroup::Error::cause),
            _ => None,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Group(error) => error.hint(),
            Self::Several(errors) => errors.iter().find_map(insula_cgroup::Error::hint),
            Self::NothingToSet => Some("`insula cgroup set --help` lists the limits".to_owned()),
            Self::Value { .. } | Self::Conflict(..) | Self::NoProgram | Self::Descriptor(_) => None,
        }
    }
}

impl From<insula_cgroup::Error> for Error {
    fn from(error: insula_cgroup::Error) -> Self {
        Self::Group(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value { flag, value, reason, form } => {
                write!(f, "`{flag} {}`: {reason}; write {form}", escaped(value))
            }
            Self::Conflict(one, other) => {
                write!(f, "`{one}` and `{other}` say the same thing: give one of them")
            }
            Self::NothingToSet => f.write_str("no limit is given"),
            Self::NoProgram => f.write_str("no program is given"),
            Self::Descriptor(errno) => write!(f, "keep `cgroup.procs` open: {}", Named(*errno)),
            Self::Group(error) => error.fmt(f),
            Self::Several(errors) => {
                let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
                f.write_str(&lines.join("\n"))
            }
        }
    }
}

impl std::error::Error for Error {}
