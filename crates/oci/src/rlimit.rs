//! `process.rlimits`: limits on what one process may use (config.md, "POSIX process"; getrlimit(2)).

use serde::{Deserialize, Serialize};

/// No limit: `RLIM_INFINITY`.
pub const UNLIMITED: u64 = u64::MAX;

/// A limit (config.md, "POSIX process").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rlimit {
    /// `type`: what is limited.
    #[serde(rename = "type")]
    pub kind: RlimitKind,
    /// The limit in force, in the unit of its kind.
    pub soft: u64,
    /// How far the process may raise it; [`UNLIMITED`] is no limit.
    pub hard: u64,
}

/// Declares the kinds with their names and numbers in one table.
macro_rules! rlimits {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $name:literal;)*) => {
        /// What a limit is on, numbered as in `include/uapi/asm-generic/resource.h` (getrlimit(2)).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[repr(u8)]
        pub enum RlimitKind {
            $($(#[$doc])* #[serde(rename = $name)] $variant = $number,)*
        }

        impl RlimitKind {
            /// All kinds, by number.
            pub const ALL: [Self; 16] = [$(Self::$variant),*];

            /// The name, `RLIMIT_…`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The number for prlimit(2), on every architecture but Alpha, MIPS and SPARC.
            pub fn number(self) -> u32 {
                match self {
                    $(Self::$variant => $number,)*
                }
            }
        }
    };
}

rlimits! {
    /// CPU time, in seconds.
    Cpu = 0, "RLIMIT_CPU";
    /// The size of a file, in bytes.
    Fsize = 1, "RLIMIT_FSIZE";
    /// The data segment, in bytes.
    Data = 2, "RLIMIT_DATA";
    /// The stack, in bytes.
    Stack = 3, "RLIMIT_STACK";
    /// A core file, in bytes.
    Core = 4, "RLIMIT_CORE";
    /// The resident set, in bytes; without effect since Linux 2.6.
    Rss = 5, "RLIMIT_RSS";
    /// Processes of the real user.
    Nproc = 6, "RLIMIT_NPROC";
    /// One above the highest file descriptor.
    Nofile = 7, "RLIMIT_NOFILE";
    /// Locked memory, in bytes.
    Memlock = 8, "RLIMIT_MEMLOCK";
    /// The address space, in bytes.
    As = 9, "RLIMIT_AS";
    /// File locks; without effect since Linux 2.4.25.
    Locks = 10, "RLIMIT_LOCKS";
    /// Pending signals of the real user.
    Sigpending = 11, "RLIMIT_SIGPENDING";
    /// POSIX message queues of the real user, in bytes.
    Msgqueue = 12, "RLIMIT_MSGQUEUE";
    /// The ceiling of the nice value: 20 minus this.
    Nice = 13, "RLIMIT_NICE";
    /// The ceiling of the real-time priority.
    Rtprio = 14, "RLIMIT_RTPRIO";
    /// CPU time under a real-time policy without a blocking call, in microseconds.
    Rttime = 15, "RLIMIT_RTTIME";
}

impl std::str::FromStr for RlimitKind {
    type Err = UnknownRlimit;

    /// Accepts `RLIMIT_NOFILE`.
    fn from_str(name: &str) -> Result<Self, UnknownRlimit> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or(UnknownRlimit)
    }
}

/// The name is not that of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownRlimit;

impl std::fmt::Display for UnknownRlimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no such resource limit")
    }
}

impl std::error::Error for UnknownRlimit {}

#[cfg(test)]
mod tests {
    use super::RlimitKind;

    #[test]
    fn the_numbers_are_the_kernels_in_order() {
        for (number, kind) in (0u32..).zip(RlimitKind::ALL) {
            assert_eq!(kind.number(), number);
            assert_eq!(kind.name().parse(), Ok(kind));
        }
    }
}
