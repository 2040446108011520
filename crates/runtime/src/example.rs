//! A configuration to begin with: the one that `runc spec` writes, field for field.

use crate::defaults;
use insula_oci::namespace::IdMapping;
use insula_oci::resources::DeviceRule;
use insula_oci::{
    Capabilities, Capability, CapabilitySet, Linux, Mount, Namespace, NamespaceKind, Process, Resources,
    Rlimit, RlimitKind, Root, Spec,
};

/// For root.
pub fn spec() -> Spec {
    Spec {
        process: Some(process()),
        root: Some(Root { path: "rootfs".to_owned(), readonly: true }),
        hostname: Some("runc".to_owned()),
        mounts: mounts(),
        linux: Some(linux()),
        ..Spec::default()
    }
}

fn process() -> Process {
    let set =
        || CapabilitySet::from_iter([Capability::AuditWrite, Capability::Kill, Capability::NetBindService]);
    Process {
        terminal: true,
        args: vec!["sh".to_owned()],
        env: vec![format!("PATH={}", defaults::PATH), "TERM=xterm".to_owned()],
        cwd: "/".to_owned(),
        capabilities: Some(Capabilities {
            bounding: set(),
            effective: set(),
            permitted: set(),
            ..Capabilities::default()
        }),
        rlimits: vec![Rlimit { kind: RlimitKind::Nofile, hard: 1024, soft: 1024 }],
        no_new_privileges: true,
        ..Process::default()
    }
}

fn mounts() -> Vec<Mount> {
    let mount = |destination: &str, kind: &str, source: &str, options: &[&str]| Mount {
        destination: destination.to_owned(),
        kind: Some(kind.to_owned()),
        source: Some(source.to_owned()),
        options: options.iter().map(|&option| option.to_owned()).collect(),
        ..Mount::default()
    };
    vec![
        mount("/proc", "proc", "proc", &[]),
        mount("/dev", "tmpfs", "tmpfs", &["nosuid", "strictatime", "mode=755", "size=65536k"]),
        mount(
            "/dev/pts",
            "devpts",
            "devpts",
            &["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
        ),
        mount("/dev/shm", "tmpfs", "shm", &["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]),
        mount("/dev/mqueue", "mqueue", "mqueue", &["nosuid", "noexec", "nodev"]),
        mount("/sys", "sysfs", "sysfs", &["nosuid", "noexec", "nodev", "ro"]),
        mount("/sys/fs/cgroup", "cgroup", "cgroup", &["nosuid", "noexec", "nodev", "relatime", "ro"]),
    ]
}

fn linux() -> Linux {
    let kinds = [
        NamespaceKind::Pid,
        NamespaceKind::Network,
        NamespaceKind::Ipc,
        NamespaceKind::Uts,
        NamespaceKind::Mount,
        NamespaceKind::Cgroup,
    ];
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    Linux {
        resources: Some(Resources {
            devices: vec![DeviceRule {
                allow: false,
                access: Some("rwm".to_owned()),
                ..DeviceRule::default()
            }],
            ..Resources::default()
        }),
        namespaces: kinds.map(|kind| Namespace { kind, path: None }).to_vec(),
        masked_paths: words(&[
            "/proc/acpi",
            "/proc/asound",
            "/proc/kcore",
            "/proc/keys",
            "/proc/latency_stats",
            "/proc/timer_list",
            "/proc/timer_stats",
            "/proc/sched_debug",
            "/sys/firmware",
            "/proc/scsi",
        ]),
        readonly_paths: words(&["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]),
        ..Linux::default()
    }
}

/// For an ordinary user: root inside is the user outside, the network is the host's, and there are no limits.
pub fn make_rootless(spec: &mut Spec, uid: u32, gid: u32) {
    let one = |host_id| vec![IdMapping { container_id: 0, host_id, size: 1 }];
    if let Some(linux) = &mut spec.linux {
        linux.namespaces.retain(|namespace| namespace.kind != NamespaceKind::Network);
        linux.namespaces.push(Namespace { kind: NamespaceKind::User, path: None });
        (linux.uid_mappings, linux.gid_mappings) = (one(uid), one(gid));
        linux.resources = None;
    }
    for mount in &mut spec.mounts {
        match mount.destination.as_str() {
            // A new sysfs belongs to a network namespace of one's own.
            "/sys" => {
                mount.kind = Some("none".to_owned());
                mount.source = Some("/sys".to_owned());
                mount.options = ["rbind", "nosuid", "noexec", "nodev", "ro"].map(str::to_owned).to_vec();
            }
            // The group 5 is not mapped.
            "/dev/pts" => mount.options.retain(|option| !option.starts_with("gid=")),
            _ => {}
        }
    }
    spec.mounts.retain(|mount| mount.destination != "/sys/fs/cgroup");
}
