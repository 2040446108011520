//! `mounts`, and what belongs into /dev.

use super::attachment::{Attachment, Life};
use super::draft::Draft;
use super::sources::bind;
use super::{cgroup_mount, labels, mount_maps, options};
use insula_launch::resolve::Target;
use insula_launch::step::nodes::{New, Node};
use insula_launch::step::skeleton::Entry;
use insula_launch::step::source::Source;
use insula_launch::step::{Mount, Nodes, Skeleton};
use insula_oci::{DeviceKind, Mount as OciMount};
use rustix::fs::FileType;
use std::ffi::CStr;

/// The devices that every container has (config-linux.md, "Default Devices").
const DEVICES: &[(&CStr, &str, (u32, u32))] = &[
    (c"/dev/null", "/dev/null", (1, 3)),
    (c"/dev/zero", "/dev/zero", (1, 5)),
    (c"/dev/full", "/dev/full", (1, 7)),
    (c"/dev/random", "/dev/random", (1, 8)),
    (c"/dev/urandom", "/dev/urandom", (1, 9)),
    (c"/dev/tty", "/dev/tty", (5, 0)),
];

/// The links that programs expect (config-linux.md, "Default Devices" and "Dev symbolic links").
const LINKS: &[(&CStr, &CStr)] = &[
    (c"fd", c"/proc/self/fd"),
    (c"stdin", c"/proc/self/fd/0"),
    (c"stdout", c"/proc/self/fd/1"),
    (c"stderr", c"/proc/self/fd/2"),
    (c"core", c"/proc/kcore"),
    (c"ptmx", c"pts/ptmx"),
];

/// Pushes the mounts in the spec's order, then the devices.
pub(super) fn push(draft: &mut Draft<'_>, attachment: &Attachment) {
    for (i, mount) in draft.spec.mounts.iter().enumerate() {
        push_one(draft, &format!("mounts[{i}]"), mount, attachment);
    }
    push_devices(draft);
    if let Some(directory) = Target::new("/dev") {
        let link = |(name, to): &(&CStr, &CStr)| Entry::Link {
            directory: directory.clone(),
            name: (*name).to_owned(),
            to: (*to).to_owned(),
        };
        draft.child.push(Skeleton { entries: LINKS.iter().map(link).collect(), label: "in /dev" }.into());
    }
}

/// The devices of the configuration, and those that every container has.
fn push_devices(draft: &mut Draft<'_>) {
    // Where the host's root has the rights of the host's root; a user namespace may make none.
    let makes = draft.host.ids().may_mount() && !draft.in_user_namespace();
    let new = |mode: u32, uid, gid| New { kind: FileType::CharacterDevice, mode, uid, gid };
    let mut nodes: Vec<Node> = DEVICES
        .iter()
        .filter(|(_, path, _)| !draft.linux.devices.iter().any(|device| device.path == *path))
        .filter_map(|(source, path, number)| {
            let make = makes.then(|| new(0o666, 0, 0));
            Some(Node {
                source: (*source).to_owned(),
                target: Target::new(path)?,
                number: Some(*number),
                make,
            })
        })
        .collect();
    for (i, device) in draft.linux.devices.iter().enumerate() {
        let field = format!("linux.devices[{i}]");
        let kind = match device.kind {
            DeviceKind::Char | DeviceKind::Unbuffered => FileType::CharacterDevice,
            DeviceKind::Block => FileType::BlockDevice,
            DeviceKind::Fifo => FileType::Fifo,
        };
        if kind == FileType::Fifo && !makes {
            draft.fault(format!("{field}.type"), "a FIFO is no device that can be bound from the host");
            continue;
        }
        let source = draft.c_string(&format!("{field}.path"), &device.path);
        let number = u32::try_from(device.major).ok().zip(u32::try_from(device.minor).ok());
        let mode = device.file_mode.unwrap_or(0o666) & 0o7777;
        let (uid, gid) = (device.uid.unwrap_or(0), device.gid.unwrap_or(0));
        let make = makes.then(|| New { kind, ..new(mode, uid, gid) });
        if let Some(target) = draft.target(&format!("{field}.path"), &device.path) {
            nodes.push(Node { source, target, number, make });
        }
    }
    draft.child.push(Nodes(nodes).into());
}

fn push_one(draft: &mut Draft<'_>, field: &str, mount: &OciMount, attachment: &Attachment) {
    let Some(target) = draft.target(&format!("{field}.destination"), &mount.destination) else { return };
    let shown = target.shown();
    if shown.starts_with("/proc/") && !is_below_proc_allowed(&shown) {
        draft.fault(
            format!("{field}.destination"),
            "nothing may be mounted inside /proc: it could hide the kernel's own",
        );
        return;
    }
    let parsed = match options::parse(&mount.options) {
        Ok(parsed) => parsed,
        Err(reason) => return draft.fault(format!("{field}.options"), reason),
    };
    let kind = mount.kind.as_deref().unwrap_or("");
    if kind == "cgroup" && attachment.life != Life::Foreground {
        let place = attachment.cgroup.as_ref();
        return cgroup_mount::push(draft, field, target, parsed.attrs, place);
    }
    let binds = parsed.bind || matches!(kind, "bind" | "rbind");
    let recursive = parsed.rbind || kind == "rbind";
    let has_maps = !(mount.uid_mappings.is_empty() && mount.gid_mappings.is_empty());
    if has_maps && !binds {
        draft.fault(format!("{field}.uidMappings"), "only a bind mount's ids are translated by maps");
    }
    let source = match (&mount.source, binds) {
        (None, true) => return draft.fault(format!("{field}.source"), "a bind mount needs a source"),
        (Some(path), true) => {
            let path = draft.c_string(&format!("{field}.source"), path);
            if parsed.data.is_empty() {
                let ids = mount_maps::translated(draft, field, mount, parsed.idmap);
                bind(draft, path, recursive, ids)
            } else {
                let names: Vec<_> = parsed.data.iter().map(|(key, _)| key.to_string_lossy()).collect();
                return draft.fault(
                    format!("{field}.options"),
                    format!("a bind mount takes no `{}`", names.join(",")),
                );
            }
        }
        (source, false) => {
            if kind.is_empty() {
                return draft.fault(format!("{field}.type"), "a mount that is no bind needs a type");
            }
            let fstype = draft.c_string(&format!("{field}.type"), kind);
            let source = draft.c_string(&format!("{field}.source"), source.as_deref().unwrap_or(kind));
            let mut options = parsed.data;
            options.extend(labels::of_mount(draft, kind));
            Source::New { fstype, source, options }
        }
    };
    if parsed.copy_up && kind != "tmpfs" {
        return draft.fault(format!("{field}.options"), "`tmpcopyup` is an option of a tmpfs");
    }
    // Clearing a flag that the host has locked is refused, and a fresh clone has none of ours to clear.
    let mut attrs = parsed.attrs;
    if binds {
        attrs.clear = 0;
        if attrs.set & insula_sys::mount::attr::ATIME != 0 {
            attrs.clear = insula_sys::mount::attr::ATIME;
        }
    }
    draft.child.push(
        Mount { source, target, attrs, recursive: parsed.recursive, copy_up: parsed.copy_up, reason: None }
            .into(),
    );
}

/// runc's exceptions: files of lxcfs and the like may be put over these.
fn is_below_proc_allowed(path: &str) -> bool {
    const ALLOWED: &[&str] = &[
        "/proc/cpuinfo",
        "/proc/diskstats",
        "/proc/meminfo",
        "/proc/stat",
        "/proc/swaps",
        "/proc/uptime",
        "/proc/loadavg",
        "/proc/slabinfo",
        "/proc/sys/kernel/ns_last_pid",
        "/proc/sys/crypto/fips_enabled",
    ];
    ALLOWED.contains(&path)
}
