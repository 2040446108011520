//! A copy-on-write view of this machine's own root: what is overlaid, what is bound read-only, what is left out.
//!
//! As root one overlay of `/` does, and one more for each file system mounted below it. In a user namespace the host's
//! mounts are locked together: an overlay of `/` is refused, one of a directory without mounts in it is not. There the
//! view is composed: an empty root, an overlay for each directory that allows it, the rest bound read-only.

use super::draft::Draft;
use super::{layers, sources};
use insula_launch::host::root::{EntryKind, RootEntry};
use insula_launch::resolve::Target;
use insula_launch::step::skeleton::Entry;
use insula_launch::step::{Mount, Rootfs, Skeleton};
use insula_oci::annotation;
use insula_sys::mount::{MountAttr, attr};
use std::ffi::CString;

/// Left out: the kernel's own file systems, which a container gets afresh, and what the machine is doing at the moment
/// (sockets of its services among it).
const OWN: &[&str] = &["/dev", "/proc", "/run", "/sys"];

/// File systems whose ids can be translated, and which can be a lower layer. Others are bound read-only.
const OVERLAID: &[&str] =
    &["ext2", "ext3", "ext4", "xfs", "btrfs", "tmpfs", "f2fs", "erofs", "squashfs", "vfat", "overlay"];

/// Pushes the view.
pub(super) fn push(draft: &mut Draft<'_>, keep: Option<&str>) {
    layers::push_layers(draft, keep);
    // A place inside the view would be an upper layer below its own lower one; the kernel calls that undefined.
    if keep == Some("/") {
        draft.fault(
            format!("annotations[{}]", annotation::KEEP),
            "changes to `/` cannot be kept in `/` itself",
        );
    }
    let below = submounts(draft);
    if draft.host.ids().may_mount() {
        let source = layers::overlay(draft, "/", "root");
        draft.child.push(Rootfs { source }.into());
        for (path, overlaid) in below {
            push_part(draft, &path, overlaid, false);
        }
        push_own(draft, &[]);
    } else {
        let source = sources::tmpfs(&[(c"mode", Some(c"755"))]);
        draft.child.push(Rootfs { source }.into());
        let entries = draft.host.root().to_vec();
        push_own(draft, &entries);
        for entry in entries {
            let path = format!("/{}", entry.name);
            let holds_mounts = below.iter().any(|(point, _)| point.starts_with(&format!("{path}/")));
            match entry.kind {
                _ if OWN.contains(&path.as_str()) => {}
                EntryKind::Directory => push_part(draft, &path, !holds_mounts, true),
                EntryKind::File => push_part(draft, &path, false, true),
                EntryKind::Link(_) => {}
            }
        }
    }
}

/// The mounts below `/` that belong to the view, each once, with whether it can be overlaid; outer ones first.
fn submounts(draft: &Draft<'_>) -> Vec<(String, bool)> {
    let own = |point: &str| OWN.iter().any(|own| point == *own || point.starts_with(&format!("{own}/")));
    let mut found: Vec<(String, bool)> = Vec::new();
    for mount in draft.host.mounts() {
        if mount.point == "/" || own(&mount.point) {
            continue;
        }
        let overlaid = OVERLAID.contains(&mount.fstype.as_str());
        match found.iter_mut().find(|(point, _)| *point == mount.point) {
            // Mounted over: the later one is what is seen.
            Some(known) => known.1 = overlaid,
            None => found.push((mount.point.clone(), overlaid)),
        }
    }
    found.sort();
    found
}

/// One part of the view.
fn push_part(draft: &mut Draft<'_>, path: &str, overlaid: bool, recursive: bool) {
    let Some(target) = Target::new(path) else { return };
    let step = if overlaid {
        let source =
            layers::overlay(draft, path, &format!("dir{}", path.replace('-', "--").replace('/', "-")));
        let reason = Some("a part of the view of its own: an overlay does not reach across mounts");
        // A read-only root is read-only in all its parts.
        let readonly = draft.spec.root.as_ref().is_some_and(|root| root.readonly);
        let attrs = MountAttr { set: if readonly { attr::RDONLY } else { 0 }, ..MountAttr::default() };
        Mount { source, target, attrs, recursive: false, copy_up: false, reason }
    } else {
        let source =
            sources::bind(draft, CString::new(path).unwrap_or_default(), recursive, sources::Translated::NOT);
        let attrs = MountAttr { set: attr::RDONLY, ..MountAttr::default() };
        let reason = Some(
            "it cannot be overlaid: it is no directory, holds other mounts, or its file system allows none",
        );
        Mount { source, target, attrs, recursive, copy_up: false, reason }
    };
    draft.child.push(step.into());
}

/// The directories that the container gets afresh, and, where the root itself is new, its links.
fn push_own(draft: &mut Draft<'_>, entries: &[RootEntry]) {
    let Some(root) = Target::new("/") else { return };
    let mut made: Vec<Entry> =
        OWN.iter().filter_map(|path| Target::new(path).map(Entry::Directory)).collect();
    for entry in entries {
        if let EntryKind::Link(to) = &entry.kind
            && let (Ok(name), Ok(to)) = (CString::new(entry.name.as_str()), CString::new(to.as_str()))
        {
            made.push(Entry::Link { directory: root.clone(), name, to });
        }
    }
    draft.child.push(Skeleton { entries: made, label: "in /" }.into());
    if let Some(target) = Target::new("/run") {
        let source = sources::tmpfs(&[(c"mode", Some(c"755"))]);
        let attrs = MountAttr { set: attr::NOSUID | attr::NODEV, ..MountAttr::default() };
        let reason =
            Some("what the machine is doing at the moment, and its services' sockets, are not copied");
        draft.child.push(Mount { source, target, attrs, recursive: false, copy_up: false, reason }.into());
    }
}
