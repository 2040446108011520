//! Given machines and callers, and the table of configurations whose plans are kept.

use insula_launch::host::Host;
use insula_launch::host::ids::{Ids, Range};
use insula_launch::host::labels::Labels;
use insula_launch::host::mounts::HostMount;
use insula_launch::host::root::{EntryKind, RootEntry};
use insula_launch::plan::Plan;
use insula_oci::{Spec, State, Status};
use insula_runtime::compile::{Attachment, CgroupMount, CgroupPlace, Life, compile};
use insula_sys::seccomp::Flags;
use std::path::PathBuf;

/// All capabilities of Linux 6.x: bits 0 to 40.
pub const ALL_CAPABILITIES: u64 = (1 << 41) - 1;

/// A small machine: a root on ext4, a home and a share mounted below it, and what the kernel mounts.
pub fn host(ids: Ids) -> Host {
    let mount = |(point, fstype): (&str, &str)| HostMount { point: point.into(), fstype: fstype.into() };
    let mounts = [
        ("/", "ext4"),
        ("/proc", "proc"),
        ("/sys", "sysfs"),
        ("/sys/fs/cgroup", "cgroup2"),
        ("/dev", "devtmpfs"),
        ("/dev/pts", "devpts"),
        ("/run", "tmpfs"),
        ("/boot/efi", "vfat"),
        ("/home", "xfs"),
        ("/srv/share", "nfs4"),
    ];
    let entry = |(name, kind): (&str, EntryKind)| RootEntry { name: name.into(), kind };
    let link = |to: &str| EntryKind::Link(to.into());
    let root = [
        ("bin", link("usr/bin")),
        ("boot", EntryKind::Directory),
        ("dev", EntryKind::Directory),
        ("etc", EntryKind::Directory),
        ("home", EntryKind::Directory),
        ("lib", link("usr/lib")),
        ("proc", EntryKind::Directory),
        ("run", EntryKind::Directory),
        ("srv", EntryKind::Directory),
        ("swapfile", EntryKind::File),
        ("sys", EntryKind::Directory),
        ("tmp", EntryKind::Directory),
        ("usr", EntryKind::Directory),
        ("var", EntryKind::Directory),
    ];
    let host = Host::new();
    host.ids.get_or_init(|| ids);
    host.mounts.get_or_init(|| mounts.map(mount).to_vec());
    host.root.get_or_init(|| root.map(entry).to_vec());
    host.labels.get_or_init(|| Labels { apparmor: true, selinux: false });
    host.filter_flags.get_or_init(|| Flags::ALL_THREADS.and(Flags::LOG).and(Flags::SPEC_ALLOW));
    host
}

/// The host's root.
pub fn root() -> Ids {
    Ids {
        uid: 0,
        gid: 0,
        capabilities: ALL_CAPABILITIES,
        subuids: Vec::new(),
        subgids: Vec::new(),
        helpers: false,
        pid: 0,
    }
}

/// An ordinary user, 1000:1000, with one id and no more.
pub fn single() -> Ids {
    Ids { uid: 1000, gid: 1000, capabilities: 0, ..root() }
}

/// The same user with 65,536 subordinate ids and the helpers that grant them.
pub fn user() -> Ids {
    let granted = || vec![Range { first: 100_000, count: 65_536 }];
    Ids { subuids: granted(), subgids: granted(), helpers: true, ..single() }
}

/// A configuration: `tests/plans/NAME.json`, as this command of this caller makes it (`--print-config`, with the ids of
/// the callers here), or of another origin.
pub struct Case {
    pub name: &'static str,
    pub ids: fn() -> Ids,
    pub command: &'static str,
}

const fn case(name: &'static str, ids: fn() -> Ids, command: &'static str) -> Case {
    Case { name, ids, command }
}

pub const CASES: &[Case] = &[
    case("oci-create", root, "insula-oci create web, with all that a configuration can have"),
    case("oci-user", user, "insula-oci create web"),
    case("bundle", root, "a container of an engine, in a pod: terminal, ambient capability, oom score"),
    case("root-host", root, "insula run -- sh"),
    case("root-keep", root, "insula run --keep /srv/changes host -- make install"),
    case("root-directory", root, "insula run /srv/alpine -- sh"),
    case("root-identity", root, "insula run --userns identity /srv/alpine -- sh"),
    case("root-without-userns", root, "insula run --userns host /srv/alpine -- sh"),
    case("root-terminal", root, "insula run -it -u www /srv/alpine -- sh"),
    case(
        "root-seccomp",
        root,
        "a container of an engine without no_new_privs, whose filter is loaded before its rights fall",
    ),
    case("root-join-net", root, "insula run --net /run/netns/blue --hostname web /srv/alpine -- httpd"),
    case("root-no-init", root, "insula run --init=false /srv/alpine -- /bin/true"),
    case(
        "root-time-offset",
        root,
        "insula run --time-offset monotonic=86400,boottime=-3.5 /srv/alpine -- uptime",
    ),
    case(
        "root-everything",
        root,
        "insula run --read-only --sysctl net.ipv4.ip_forward=1 --sysctl kernel.msgmax=65536 \
         --device /dev/null:/dev/nothing:rw --device /dev/zero:rw -v /srv/data:/data -v /srv/data:/shared:ro,noidmap \
         --tmpfs /scratch:size=64m,mode=1777 --ulimit nofile=1024:4096 --ulimit core=0 --cap-add SYS_PTRACE \
         --no-new-privileges --domainname example --group-add video -u www -w /data -e LANG=C.UTF-8 \
         /srv/alpine -- backup --all",
    ),
    case("user-host", user, "insula run -- sh"),
    case("user-keep", user, "insula run --keep /home/ada/changes host -- make"),
    case("user-directory", user, "insula run -v /srv/data:/data:ro /srv/alpine -- sh"),
    case("user-keep-id", user, "insula run --userns keep-id /srv/alpine -- id"),
    case("user-host-net", user, "insula run --net host /srv/alpine -- wget example.org"),
    case("user-single-id", single, "insula run /srv/alpine -- sh"),
    case("user-join", single, "insula run --net /proc/4242/ns/net --pid /proc/4242/ns/pid /srv/alpine -- ps"),
];

/// As `create` has it: a group in two hierarchies, and a start that is awaited.
fn created(spec: &Spec) -> Attachment {
    let mount = |directory: &str, options: &[&str]| CgroupMount {
        directory: directory.to_owned(),
        is_v2: options.is_empty(),
        options: options.iter().map(|&option| option.to_owned()).collect(),
        group: format!("/sys/fs/cgroup/{directory}/web"),
    };
    let mounts = vec![mount("unified", &[]), mount("cpu,cpuacct", &["cpu", "cpuacct"])];
    Attachment {
        life: Life::Create,
        cgroup: Some(CgroupPlace { name: "/web".to_owned(), doors: 2, mounts }),
        state: Some(State {
            oci_version: spec.oci_version.clone(),
            id: "web".to_owned(),
            status: Status::Creating,
            pid: None,
            bundle: "/srv/web".to_owned(),
            annotations: spec.annotations.clone(),
        }),
        ..Attachment::default()
    }
}

/// Where the configurations and the kept plans lie.
pub fn directory() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/plans"))
}

impl Case {
    /// The configuration.
    pub fn spec(&self) -> Spec {
        let path = directory().join(format!("{}.json", self.name));
        let text = std::fs::read(&path).expect("the case has a file");
        insula_oci::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Its plan.
    pub fn plan(&self) -> Plan {
        let interactive = self.spec().process.is_some_and(|process| process.terminal);
        let attachment = Attachment {
            null_stdin: !interactive,
            die_with_parent: true,
            cwd_is_default: self.command.starts_with("insula run ") && !self.command.contains(" -w "),
            preserve_fds: 0,
            ..Attachment::default()
        };
        let attachment = if self.name.starts_with("oci-") { created(&self.spec()) } else { attachment };
        match compile(&self.spec(), &host((self.ids)()), &attachment) {
            Ok(compiled) => compiled.plan,
            Err(faults) => panic!("{}: {faults:?}", self.name),
        }
    }
}
