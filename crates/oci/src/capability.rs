//! `process.capabilities`: five sets, and the forty-one names (config.md, "Linux Process"; capabilities(7)).

use crate::escape::escaped;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// The five sets (config.md, "Linux Process"); one that is absent is empty (promise P2).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Capabilities {
    /// What execve(2) can grant at most.
    #[serde(skip_serializing_if = "CapabilitySet::is_empty")]
    pub bounding: CapabilitySet,
    /// What the kernel checks.
    #[serde(skip_serializing_if = "CapabilitySet::is_empty")]
    pub effective: CapabilitySet,
    /// What is kept over execve(2) of a file that inherits it.
    #[serde(skip_serializing_if = "CapabilitySet::is_empty")]
    pub inheritable: CapabilitySet,
    /// What can be made effective.
    #[serde(skip_serializing_if = "CapabilitySet::is_empty")]
    pub permitted: CapabilitySet,
    /// What is kept over execve(2) of any file that is not privileged.
    #[serde(skip_serializing_if = "CapabilitySet::is_empty")]
    pub ambient: CapabilitySet,
}

impl Capabilities {
    /// The names that are no capability, each once and in order: to be warned of, not refused (config.md, "Linux
    /// Process").
    pub fn unknown(&self) -> Vec<&str> {
        let sets = [&self.bounding, &self.effective, &self.inheritable, &self.permitted, &self.ambient];
        let mut names: Vec<&str> =
            sets.into_iter().flat_map(|set| &set.unknown).map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// One set: a JSON array of names. Unknown names are kept apart, so that they can be warned of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CapabilitySet {
    /// The capabilities, in the order of the array, each once.
    pub known: Vec<Capability>,
    /// The names that are none.
    pub unknown: Vec<String>,
}

impl CapabilitySet {
    /// Whether no name stands in it, known or not.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty() && self.unknown.is_empty()
    }

    /// Adds a capability, if it is not there.
    pub fn insert(&mut self, capability: Capability) {
        if !self.contains(capability) {
            self.known.push(capability);
        }
    }

    /// Whether it holds a capability.
    pub fn contains(&self, capability: Capability) -> bool {
        self.known.contains(&capability)
    }

    /// The known capabilities as bits, `1 << number` each, as capset(2) and `/proc/PID/status` write them.
    pub fn mask(&self) -> u64 {
        self.known.iter().fold(0, |mask, capability| mask | capability.bit())
    }
}

impl FromIterator<Capability> for CapabilitySet {
    fn from_iter<I: IntoIterator<Item = Capability>>(capabilities: I) -> Self {
        let mut known = Vec::new();
        for capability in capabilities {
            if !known.contains(&capability) {
                known.push(capability);
            }
        }
        Self { known, unknown: Vec::new() }
    }
}

impl Serialize for CapabilitySet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let known = self.known.iter().map(|capability| capability.name());
        serializer.collect_seq(known.chain(self.unknown.iter().map(String::as_str)))
    }
}

impl<'de> Deserialize<'de> for CapabilitySet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (mut set, mut mask) = (Self::default(), 0);
        for name in Vec::<String>::deserialize(deserializer)? {
            match name.parse::<Capability>() {
                Ok(capability) if mask & capability.bit() == 0 => {
                    mask |= capability.bit();
                    set.known.push(capability);
                }
                Ok(_) => {}
                Err(_) => set.unknown.push(name),
            }
        }
        Ok(set)
    }
}

/// Declares the capabilities with their numbers and names in one table.
macro_rules! capabilities {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $name:literal;)*) => {
        /// A capability, numbered as in `include/uapi/linux/capability.h` (capabilities(7)).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Capability {
            $($(#[$doc])* $variant = $number,)*
        }

        impl Capability {
            /// All of them, by number.
            pub const ALL: [Self; 41] = [$(Self::$variant),*];

            /// The kernel's number.
            pub const fn number(self) -> u32 {
                match self {
                    $(Self::$variant => $number,)*
                }
            }

            /// The name, `CAP_…`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }

        impl FromStr for Capability {
            type Err = UnknownCapability;

            /// Accepts `CAP_CHOWN`, in capitals and with its prefix, as the specification writes it.
            fn from_str(name: &str) -> Result<Self, UnknownCapability> {
                match name {
                    $($name => Ok(Self::$variant),)*
                    _ => Err(UnknownCapability(name.to_owned())),
                }
            }
        }
    };
}

capabilities! {
    /// Make arbitrary changes of owner and group.
    Chown = 0, "CAP_CHOWN";
    /// Bypass permission checks for reading, writing and executing files.
    DacOverride = 1, "CAP_DAC_OVERRIDE";
    /// Bypass permission checks for reading files and searching directories.
    DacReadSearch = 2, "CAP_DAC_READ_SEARCH";
    /// Bypass checks that the process owns the file.
    Fowner = 3, "CAP_FOWNER";
    /// Keep the set-id bits of a file that is changed.
    Fsetid = 4, "CAP_FSETID";
    /// Bypass permission checks for sending signals.
    Kill = 5, "CAP_KILL";
    /// Change the group ids of the process.
    Setgid = 6, "CAP_SETGID";
    /// Change the user ids of the process.
    Setuid = 7, "CAP_SETUID";
    /// Drop from the bounding set, add from it to the inheritable set.
    Setpcap = 8, "CAP_SETPCAP";
    /// Set the append-only and immutable flags of files.
    LinuxImmutable = 9, "CAP_LINUX_IMMUTABLE";
    /// Bind to ports below 1024.
    NetBindService = 10, "CAP_NET_BIND_SERVICE";
    /// Unused.
    NetBroadcast = 11, "CAP_NET_BROADCAST";
    /// Configure the network.
    NetAdmin = 12, "CAP_NET_ADMIN";
    /// Use raw and packet sockets.
    NetRaw = 13, "CAP_NET_RAW";
    /// Lock memory.
    IpcLock = 14, "CAP_IPC_LOCK";
    /// Bypass permission checks on System V IPC.
    IpcOwner = 15, "CAP_IPC_OWNER";
    /// Load and unload kernel modules.
    SysModule = 16, "CAP_SYS_MODULE";
    /// Use ports and raw devices.
    SysRawio = 17, "CAP_SYS_RAWIO";
    /// Use chroot(2).
    SysChroot = 18, "CAP_SYS_CHROOT";
    /// Trace any process.
    SysPtrace = 19, "CAP_SYS_PTRACE";
    /// Use acct(2).
    SysPacct = 20, "CAP_SYS_PACCT";
    /// Mount, and much else.
    SysAdmin = 21, "CAP_SYS_ADMIN";
    /// Use reboot(2).
    SysBoot = 22, "CAP_SYS_BOOT";
    /// Raise priorities, set policies and affinities.
    SysNice = 23, "CAP_SYS_NICE";
    /// Override resource limits.
    SysResource = 24, "CAP_SYS_RESOURCE";
    /// Set the clock.
    SysTime = 25, "CAP_SYS_TIME";
    /// Use vhangup(2) and configure terminals.
    SysTtyConfig = 26, "CAP_SYS_TTY_CONFIG";
    /// Make device nodes.
    Mknod = 27, "CAP_MKNOD";
    /// Take leases on any file.
    Lease = 28, "CAP_LEASE";
    /// Write to the audit log.
    AuditWrite = 29, "CAP_AUDIT_WRITE";
    /// Configure auditing.
    AuditControl = 30, "CAP_AUDIT_CONTROL";
    /// Set capabilities on files.
    Setfcap = 31, "CAP_SETFCAP";
    /// Override mandatory access control (Smack).
    MacOverride = 32, "CAP_MAC_OVERRIDE";
    /// Configure mandatory access control (Smack).
    MacAdmin = 33, "CAP_MAC_ADMIN";
    /// Use the privileged operations of syslog(2).
    Syslog = 34, "CAP_SYSLOG";
    /// Set timers that wake the system.
    WakeAlarm = 35, "CAP_WAKE_ALARM";
    /// Keep the system from suspending.
    BlockSuspend = 36, "CAP_BLOCK_SUSPEND";
    /// Read the audit log.
    AuditRead = 37, "CAP_AUDIT_READ";
    /// Monitor performance.
    Perfmon = 38, "CAP_PERFMON";
    /// Use the privileged operations of bpf(2).
    Bpf = 39, "CAP_BPF";
    /// Checkpoint and restore processes.
    CheckpointRestore = 40, "CAP_CHECKPOINT_RESTORE";
}

impl Capability {
    /// Its bit in a mask.
    pub const fn bit(self) -> u64 {
        1 << self.number()
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name is not that of a capability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownCapability(pub String);

impl fmt::Display for UnknownCapability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no capability", escaped(&self.0))
    }
}

impl std::error::Error for UnknownCapability {}

#[cfg(test)]
mod tests {
    use super::{Capabilities, Capability};

    #[test]
    fn the_numbers_are_the_kernels_in_order() {
        for (number, capability) in (0u32..).zip(Capability::ALL) {
            assert_eq!(capability.number(), number);
            assert_eq!(capability.name().parse(), Ok(capability));
        }
        assert_eq!(Capability::Chown.number(), 0);
        assert_eq!(Capability::SysAdmin.number(), 21);
        assert_eq!(Capability::CheckpointRestore.number(), 40);
    }

    #[test]
    fn an_unknown_name_is_kept_apart_and_not_refused() {
        let text = r#"{"bounding":["CAP_KILL","CAP_FUTURE","CAP_KILL"],"ambient":["chown"]}"#;
        let sets: Capabilities = serde_json::from_str(text).expect("unknown names do not fail");
        assert_eq!(sets.bounding.known, [Capability::Kill]);
        assert_eq!(sets.bounding.mask(), 1 << 5);
        assert_eq!(sets.unknown(), ["CAP_FUTURE", "chown"]);
        let written = serde_json::to_string(&sets).expect("sets are JSON");
        assert_eq!(written, r#"{"bounding":["CAP_KILL","CAP_FUTURE"],"ambient":["chown"]}"#);
    }
}
