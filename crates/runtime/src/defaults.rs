//! What a container gets where nobody asked for anything else: Docker's defaults.
//!
//! Taken from moby's `daemon/pkg/oci/defaults.go` and `daemon/pkg/oci/caps/defaults.go` (August 2026), so that an image
//! that runs under Docker runs here. Docker sets no resource limits by default, and neither does this file. Of its mounts
//! `/sys/fs/cgroup` is left out: it shows more of the host than programs need.

use insula_oci::{Capability, Mount};

/// `PATH`, as moby's `defaultUnixPathEnv`.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// `TERM` of a program with a terminal, as moby's `daemon/container/container.go`.
pub const TERM: &str = "xterm";

/// The size of `/dev/shm` in bytes: 64 MiB, as moby's `DefaultShmSize`.
pub const SHM_SIZE_BYTES: u64 = 64 << 20;

/// The capabilities of a container's root: moby's fourteen, by number.
pub const CAPABILITIES: [Capability; 14] = [
    Capability::Chown,
    Capability::DacOverride,
    Capability::Fowner,
    Capability::Fsetid,
    Capability::Kill,
    Capability::Setgid,
    Capability::Setuid,
    Capability::Setpcap,
    Capability::NetBindService,
    Capability::NetRaw,
    Capability::SysChroot,
    Capability::Mknod,
    Capability::AuditWrite,
    Capability::Setfcap,
];

/// Paths that cannot be read, where they exist: they tell of the host, or let it be measured.
///
/// `/proc/interrupts` follows GHSA-6fw5-f8r9-fgfm, `/sys/devices/virtual/powercap` GHSA-jq35-85cj-fj4p. The former names
/// one directory a CPU besides: [`thermal_throttle`].
pub const MASKED_PATHS: [&str; 12] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
];

/// The directory of a CPU that moby masks as well where it exists (GHSA-6fw5-f8r9-fgfm): the caller knows how many there
/// are.
pub fn thermal_throttle(cpu: u32) -> String {
    format!("/sys/devices/system/cpu/cpu{cpu}/thermal_throttle")
}

/// Paths that cannot be written, where they exist: they steer the host.
pub const READONLY_PATHS: [&str; 5] =
    ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// The mounts over the root, in order. `shm_size_bytes` is the size of `/dev/shm`.
pub fn mounts(shm_size_bytes: u64) -> Vec<Mount> {
    let shm_size = format!("size={shm_size_bytes}");
    vec![
        mount("proc", "proc", "/proc", &["nosuid", "noexec", "nodev"]),
        mount("tmpfs", "tmpfs", "/dev", &["nosuid", "strictatime", "mode=755", "size=65536k"]),
        mount(
            "devpts",
            "devpts",
            "/dev/pts",
            &["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
        ),
        mount("sysfs", "sysfs", "/sys", &["nosuid", "noexec", "nodev", "ro"]),
        mount("mqueue", "mqueue", "/dev/mqueue", &["nosuid", "noexec", "nodev"]),
        mount("tmpfs", "shm", "/dev/shm", &["nosuid", "noexec", "nodev", "mode=1777", &shm_size]),
    ]
}

/// `/sys` for a container that shares the host's network namespace from a user namespace of its own: sysfs belongs to
/// the network namespace, so that a new one may not be mounted there (EPERM), and the host's is bound instead.
pub fn bound_sys() -> Mount {
    mount("bind", "/sys", "/sys", &["rbind", "nosuid", "noexec", "nodev", "ro"])
}

/// One mount.
fn mount(kind: &str, source: &str, destination: &str, options: &[&str]) -> Mount {
    Mount {
        destination: destination.to_owned(),
        kind: Some(kind.to_owned()),
        source: Some(source.to_owned()),
        options: options.iter().map(|&option| option.to_owned()).collect(),
        ..Mount::default()
    }
}

#[cfg(test)]
mod tests {
    use super::{CAPABILITIES, mounts};
    use insula_oci::CapabilitySet;

    /// The mask that `docker run alpine grep Cap /proc/self/status` shows.
    #[test]
    fn the_mask_is_dockers() {
        assert_eq!(CapabilitySet::from_iter(CAPABILITIES).mask(), 0xa804_25fb);
    }

    #[test]
    fn a_mount_stands_behind_the_one_that_it_lies_in() {
        let destinations: Vec<String> = mounts(1).into_iter().map(|mount| mount.destination).collect();
        assert_eq!(destinations, ["/proc", "/dev", "/dev/pts", "/sys", "/dev/mqueue", "/dev/shm"]);
    }
}
