//! One of each cause in file systems, mounts and paths.

use insula_launch::why::Cause;
use insula_launch::why::mounts::{Filesystem, Idmap, Locked, Overlay, Pivot, Place, Revealing};

fn text(text: &str) -> String {
    text.to_owned()
}

pub fn all(all: &mut Vec<Cause>) {
    filesystems(all);
    locked(all);
    overlays(all);
    pivots(all);
    places(all);
    revealing(all);
}

fn filesystems(all: &mut Vec<Cause>) {
    let host_only =
        |fstype: &str, on_device, since| Filesystem::HostOnly { fstype: text(fstype), on_device, since };
    all.extend(
        [
            Filesystem::Unknown { fstype: text("squashfs"), module: true },
            Filesystem::Unknown { fstype: text("nosuchfs"), module: false },
            host_only("ext4", true, None),
            host_only("debugfs", false, None),
            host_only("binfmt_misc", false, Some("6.7")),
            Filesystem::TooMany { mounts: 99_990, most: 100_000 },
            Filesystem::NoMountPoint { path: text("/srv/data"), is_root: false },
            Filesystem::NoMountPoint { path: text("/"), is_root: true },
        ]
        .map(Cause::from),
    );
    all.extend(
        [
            Idmap::Filesystem { point: text("/mnt/share"), fstype: text("nfs4") },
            Idmap::Already { point: text("/srv/data") },
            Idmap::Initial,
            Idmap::NotOurs { point: text("/"), fstype: text("ext4") },
        ]
        .map(Cause::from),
    );
}

fn locked(all: &mut Vec<Cause>) {
    let many = ["/proc", "/sys", "/dev", "/run", "/home"].map(str::to_owned).to_vec();
    all.extend(
        [
            Locked::Flags { point: text("/srv/data"), flags: vec!["nosuid", "nodev"] },
            Locked::Tree { path: text("/var"), below: vec![text("/var/lib/docker")] },
            Locked::Tree { path: text("/"), below: many },
            Locked::Mount { point: text("/proc") },
            Locked::Unbindable { point: text("/srv/data") },
            Locked::NoMount { path: text("/srv/data/x") },
            Locked::Shared { point: text("/run"), directory: text("/run/ns") },
            Locked::Busy { point: text("/mnt"), mounts: vec![text("/mnt/usb")], pids: Vec::new() },
            Locked::Busy { point: text("/mnt"), mounts: Vec::new(), pids: vec![1234, 1240] },
            Locked::Busy { point: text("/mnt"), mounts: Vec::new(), pids: Vec::new() },
        ]
        .map(Cause::from),
    );
}

fn overlays(all: &mut Vec<Cause>) {
    let below = vec![text("/home"), text("/proc")];
    let point = || text("/srv");
    all.extend(
        [
            Overlay::Layer { role: "lowerdir", place: Place::Absent { part: text("/srv/layers") } },
            Overlay::Lower(Locked::Tree { path: text("/"), below }),
            Overlay::Upper { path: text("/srv/upper"), fstype: text("overlay") },
            Overlay::ReadOnly(Place::ReadOnly { point: point(), fstype: text("ext4"), whole: false }),
            Overlay::WorkElsewhere {
                upper: (text("/srv/upper"), point()),
                work: (text("/tmp/work"), text("/tmp")),
            },
            Overlay::WorkWithin { upper: text("/srv/upper"), work: text("/srv/upper/work") },
            Overlay::Casefold { path: text("/srv/games") },
            Overlay::TooDeep { path: text("/var/lib/docker") },
            Overlay::InUse { path: text("/srv/upper"), by: text("/srv/merged") },
        ]
        .map(Cause::from),
    );
}

fn pivots(all: &mut Vec<Cause>) {
    all.extend(
        [
            Pivot::Shared { point: text("/"), role: "what the new root is mounted on" },
            Pivot::Locked { point: text("/srv/root") },
            Pivot::SameMount { path: text("/") },
            Pivot::Chroot,
            Pivot::Initramfs { fstype: text("rootfs") },
            Pivot::NewRootNoMount { path: text("/srv/root") },
            Pivot::PutOldElsewhere { new_root: text("/srv/root"), put_old: text("/srv/old") },
            Pivot::Foreign { path: text("/proc/1234/root") },
        ]
        .map(Cause::from),
    );
}

fn places(all: &mut Vec<Cause>) {
    let full = |inodes| Place::Full { point: text("/srv"), fstype: text("tmpfs"), inodes };
    all.extend(
        [
            Place::Absent { part: text("/srv/app") },
            Place::NoDirectory { part: text("/etc/passwd") },
            Place::Links { part: text("/srv/current") },
            Place::Closed { part: text("/home/ada"), mode: 0o700, owner: 1000, uid: 1001 },
            Place::Closed { part: text("/root"), mode: 0o700, owner: 65_534, uid: 0 },
            Place::Unwritable { path: text("/run"), mode: 0o755, owner: 0, uid: 1000 },
            Place::ReadOnly { point: text("/srv"), fstype: text("ext4"), whole: false },
            Place::ReadOnly { point: text("/srv"), fstype: text("squashfs"), whole: true },
            full(false),
            full(true),
            Place::NoExec { path: text("/tmp/x"), point: text("/tmp") },
            Place::NoProgram { path: text("/srv/app"), mode: 0o644 },
            Place::Interpreter { path: text("/srv/app"), interpreter: text("/lib/ld-musl-x86_64.so.1") },
            Place::Unmapped { path: text("/srv/data") },
        ]
        .map(Cause::from),
    );
}

fn revealing(all: &mut Vec<Cause>) {
    let veils = vec![text("devtmpfs on `/proc/kcore`"), text("tmpfs on `/proc/acpi`")];
    all.extend(
        [
            Revealing::Hidden { fstype: "proc", veils },
            Revealing::Hidden { fstype: "sysfs", veils: vec![text("`/sys` is mounted read-only")] },
            Revealing::Unseen { fstype: "proc" },
            Revealing::Unseen { fstype: "sysfs" },
            Revealing::NotOwned { fstype: "proc", kind: "pid" },
            Revealing::NotOwned { fstype: "sysfs", kind: "net" },
        ]
        .map(Cause::from),
    );
}
