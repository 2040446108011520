//! What can be wrong with a profile. Each names the field of config.json, and what to do.

use insula_oci::seccomp::Arch;
use std::fmt;

/// A fault of `linux.seccomp`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// An errno for an action that has none.
    ErrnoUnused {
        /// The field of the errno.
        field: String,
    },
    /// An errno that no system call can return, or that does not fit.
    ErrnoTooGreat {
        /// The field of the errno.
        field: String,
        /// It.
        errno: u32,
        /// The greatest that there may be.
        most: u32,
    },
    /// A rule without a name.
    NoNames {
        /// The field of the names.
        field: String,
    },
    /// A system call has the arguments 0 to 5.
    NoSuchArgument {
        /// The field of the index.
        field: String,
        /// It.
        index: u32,
    },
    /// Two rules have the same conditions on a call, and another action.
    Contradiction {
        /// The field of the later rule.
        field: String,
        /// The field of the earlier one.
        earlier: String,
        /// The call.
        call: &'static str,
        /// The architecture on which the conditions are the same.
        arch: Arch,
    },
    /// An architecture with another order of bytes than this kernel's.
    OtherByteOrder {
        /// The field of the architecture.
        field: String,
        /// The architecture of this machine.
        native: Arch,
    },
    /// A flag that means nothing without an agent.
    FlagWithoutNotify {
        /// The field of the flag.
        field: String,
    },
    /// Two fields that say the same, of which one is to be there; in a profile's file.
    Both {
        /// The one.
        field: String,
        /// The other.
        other: &'static str,
    },
    /// The least kernel of a rule is no version; in a profile's file.
    NoKernel {
        /// The field.
        field: String,
    },
    /// A profile's file is no profile.
    Unreadable {
        /// Why not, with line and column.
        why: String,
    },
    /// The machine is of an architecture that the specification does not know.
    UnknownMachine,
    /// More instructions than the kernel takes, `BPF_MAXINSNS`.
    TooLong {
        /// How many.
        instructions: usize,
    },
}

impl Error {
    /// The field's path in config.json.
    pub fn field(&self) -> &str {
        match self {
            Error::ErrnoUnused { field }
            | Error::ErrnoTooGreat { field, .. }
            | Error::NoNames { field }
            | Error::NoSuchArgument { field, .. }
            | Error::Contradiction { field, .. }
            | Error::OtherByteOrder { field, .. }
            | Error::Both { field, .. }
            | Error::NoKernel { field }
            | Error::FlagWithoutNotify { field } => field,
            Error::Unreadable { .. } | Error::UnknownMachine => "linux.seccomp",
            Error::TooLong { .. } => "linux.seccomp.syscalls",
        }
    }

    /// What is wrong, and what to do.
    pub fn reason(&self) -> String {
        match self {
            Error::ErrnoUnused { .. } => {
                "this action returns no errno: leave it out, or use SCMP_ACT_ERRNO or SCMP_ACT_TRACE"
                    .to_owned()
            }
            Error::ErrnoTooGreat { errno, most, .. } => {
                format!("{errno} is above {most}, the greatest there can be")
            }
            Error::NoNames { .. } => "it is empty: name a system call, or leave the rule out".to_owned(),
            Error::NoSuchArgument { index, .. } => {
                format!("{index} is not between 0 and 5: a system call has six arguments")
            }
            Error::Contradiction { earlier, call, arch, .. } => format!(
                "`{call}` has the same conditions and another action in {earlier} (as {arch:?} sees them): leave one out"
            ),
            Error::OtherByteOrder { native, .. } => format!(
                "its order of bytes is not that of this machine ({native:?}), so that none of its programs can run here: \
                 leave it out"
            ),
            Error::FlagWithoutNotify { .. } => {
                "it is about calls that an agent has received, and no action is SCMP_ACT_NOTIFY: leave it out"
                    .to_owned()
            }
            Error::Both { other, .. } => format!("`{other}` is there as well: leave one out"),
            Error::NoKernel { .. } => "it is not like 4.8: a version of two numbers".to_owned(),
            Error::Unreadable { why } => format!("it is no profile: {why}"),
            Error::UnknownMachine => {
                "this machine's architecture is none that the specification names: leave seccomp out"
                    .to_owned()
            }
            Error::TooLong { instructions } => format!(
                "the program has {instructions} instructions, and the kernel takes 4096: list fewer architectures, or \
                 use fewer conditions on arguments"
            ),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Of the file as a whole.
            Error::Unreadable { .. } => f.write_str(&self.reason()),
            _ => write!(f, "{}: {}", self.field(), self.reason()),
        }
    }
}

impl std::error::Error for Error {}
