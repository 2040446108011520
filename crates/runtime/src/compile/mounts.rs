//! `mounts`, and what belongs into /dev.

use super::draft::Draft;
use super::options;
use insula_launch::resolve::Target;
use insula_launch::step::nodes::Node;
use insula_launch::step::skeleton::Entry;
use insula_launch::step::source::Source;
use insula_launch::step::{IdmapTree, Mount, Nodes, Skeleton};
use insula_oci::{DeviceKind, Mount as OciMount};
use std::ffi::{CStr, CString};

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

/// A tmpfs with these parameters.
pub(super) fn tmpfs(options: &[(&CStr, Option<&CStr>)]) -> Source {
    let owned = |(key, value): &(&CStr, Option<&CStr>)| ((*key).to_owned(), value.map(CStr::to_owned));
    Source::New {
        fstype: c"tmpfs".into(),
        source: c"tmpfs".into(),
        options: options.iter().map(owned).collect(),
    }
}

/// Pushes the mounts in the spec's order, then the devices.
pub(super) fn push(draft: &mut Draft<'_>) {
    for (i, mount) in draft.spec.mounts.iter().enumerate() {
        push_one(draft, &format!("mounts[{i}]"), mount);
    }
    let mut nodes: Vec<Node> = DEVICES
        .iter()
        .filter(|(_, path, _)| !draft.linux.devices.iter().any(|device| device.path == *path))
        .filter_map(|(source, path, number)| {
            Some(Node { source: (*source).to_owned(), target: Target::new(path)?, number: Some(*number) })
        })
        .collect();
    for (i, device) in draft.linux.devices.iter().enumerate() {
        let field = format!("linux.devices[{i}]");
        if device.kind == DeviceKind::Fifo {
            draft.fault(format!("{field}.type"), "a FIFO is no device that can be bound from the host");
            continue;
        }
        let source = draft.c_string(&format!("{field}.path"), &device.path);
        let number = u32::try_from(device.major).ok().zip(u32::try_from(device.minor).ok());
        if let Some(target) = draft.target(&format!("{field}.path"), &device.path) {
            nodes.push(Node { source, target, number });
        }
    }
    draft.child.push(Nodes(nodes).into());
    if let Some(directory) = Target::new("/dev") {
        let link = |(name, to): &(&CStr, &CStr)| Entry::Link {
            directory: directory.clone(),
            name: (*name).to_owned(),
            to: (*to).to_owned(),
        };
        draft.child.push(Skeleton { entries: LINKS.iter().map(link).collect(), label: "in /dev" }.into());
    }
}

fn push_one(draft: &mut Draft<'_>, field: &str, mount: &OciMount) {
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
    let binds = parsed.bind || matches!(kind, "bind" | "rbind");
    let recursive = parsed.rbind || kind == "rbind";
    let source = match (&mount.source, binds) {
        (None, true) => return draft.fault(format!("{field}.source"), "a bind mount needs a source"),
        (Some(path), true) => {
            let path = draft.c_string(&format!("{field}.source"), path);
            if parsed.data.is_empty() {
                bind(draft, path, recursive, parsed.idmap == Some(true))
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
            Source::New { fstype, source, options: parsed.data }
        }
    };
    // Clearing a flag that the host has locked is refused, and a fresh clone has none of ours to clear.
    let mut attrs = parsed.attrs;
    if binds {
        attrs.clear = 0;
        if attrs.set & insula_sys::mount::attr::ATIME != 0 {
            attrs.clear = insula_sys::mount::attr::ATIME;
        }
    }
    draft.child.push(Mount { source, target, attrs, recursive: parsed.recursive, reason: None }.into());
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

/// A bind: by the child where it can, by the parent where ids are translated or the child's mounts are locked.
pub(super) fn bind(draft: &mut Draft<'_>, path: CString, recursive: bool, idmap: bool) -> Source {
    if !(idmap || draft.parent_clones()) {
        return Source::Bind { path, recursive };
    }
    let slot = draft.slots.another();
    draft.parent.push(IdmapTree { source: path, recursive, idmap, slot }.into());
    Source::Made(slot)
}
