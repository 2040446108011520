//! Which security modules are switched on that give processes labels.

use rustix::fs::statfs;

/// `SELINUX_MAGIC` of <linux/magic.h>.
const SELINUX_MAGIC: u32 = 0xf97c_ff8c;

/// Those that are on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Labels {
    /// AppArmor.
    pub apparmor: bool,
    /// SELinux.
    pub selinux: bool,
}

impl Labels {
    /// Looks: at AppArmor's own word, and, as is_selinux_enabled(3), for SELinux's file system.
    pub(super) fn probe() -> Labels {
        let word = std::fs::read("/sys/module/apparmor/parameters/enabled").unwrap_or_default();
        let is_selinux =
            |path: &str| statfs(path).is_ok_and(|stat| u32::try_from(stat.f_type) == Ok(SELINUX_MAGIC));
        Labels {
            apparmor: word.first() == Some(&b'Y'),
            selinux: ["/sys/fs/selinux", "/selinux"].into_iter().any(is_selinux),
        }
    }
}
