//! A mount of type `cgroup`: the container's own control groups, on version 2, version 1 and both at once.
//!
//! Version 2 alone is one file system. Version 1 is a small tmpfs with a directory a hierarchy, named as on the host, and
//! links for controllers that are mounted together; on a hybrid machine `unified` is among them. With a cgroup namespace
//! each is mounted afresh, and the kernel shows the group as its root; without one the group's own directory is bound.

use super::attachment::{CgroupMount, CgroupPlace};
use super::draft::Draft;
use super::sources;
use insula_launch::resolve::Target;
use insula_launch::step::skeleton::Entry;
use insula_launch::step::source::Source;
use insula_launch::step::{Mount, Skeleton};
use insula_oci::NamespaceKind;
use insula_sys::mount::{MountAttr, attr};
use std::ffi::{CStr, CString};

const REASON: Option<&str> = Some("the container's own groups, not the machine's");

/// Pushes it. `attrs` are those of the mount's options.
pub(super) fn push(
    draft: &mut Draft<'_>,
    field: &str,
    target: Target,
    attrs: MountAttr,
    place: Option<&CgroupPlace>,
) {
    let Some(place) = place else {
        // There is no group of its own: what the machine has, to look at.
        let source = sources::bind(draft, c"/sys/fs/cgroup".to_owned(), true, sources::Translated::NOT);
        let attrs = MountAttr { set: attrs.set | attr::RDONLY, ..attrs };
        return draft
            .child
            .push(Mount { source, target, attrs, recursive: true, copy_up: false, reason: REASON }.into());
    };
    if let [only] = place.mounts.as_slice()
        && only.is_v2
    {
        let source = source(draft, field, only);
        return draft
            .child
            .push(Mount { source, target, attrs, recursive: false, copy_up: false, reason: REASON }.into());
    }
    let writable = MountAttr { set: attrs.set & !attr::RDONLY, ..attrs };
    let tmpfs = sources::tmpfs(&[(c"mode", Some(c"755"))]);
    let shown = target.shown();
    draft.child.push(
        Mount {
            source: tmpfs,
            target: target.clone(),
            attrs: writable,
            recursive: false,
            copy_up: false,
            reason: REASON,
        }
        .into(),
    );
    let mut links = Vec::new();
    for mount in &place.mounts {
        let path = format!("{shown}/{}", mount.directory);
        let Some(below) = draft.target(field, &path) else { continue };
        let source = source(draft, field, mount);
        draft.child.push(
            Mount {
                source,
                target: below,
                attrs: writable,
                recursive: false,
                copy_up: false,
                reason: REASON,
            }
            .into(),
        );
        for controller in mount.directory.split(',').filter(|one| *one != mount.directory) {
            let name = draft.c_string(field, controller);
            let to = draft.c_string(field, &mount.directory);
            links.push(Entry::Link { directory: target.clone(), name, to });
        }
    }
    if !links.is_empty() {
        draft.child.push(Skeleton { entries: links, label: "to hierarchies of several controllers" }.into());
    }
    if attrs.set & attr::RDONLY != 0 {
        // When nothing is mounted below it any more.
        draft.read_only.push(target);
    }
}

fn source(draft: &mut Draft<'_>, field: &str, mount: &CgroupMount) -> Source {
    if !draft.makes(NamespaceKind::Cgroup) {
        let path = draft.c_string(field, &mount.group);
        return sources::bind(draft, path, false, sources::Translated::NOT);
    }
    let fstype: &CStr = if mount.is_v2 { c"cgroup2" } else { c"cgroup" };
    let options = mount.options.iter().map(|option| match option.split_once('=') {
        Some((key, value)) => (draft.c_string(field, key), Some(draft.c_string(field, value))),
        None => (draft.c_string(field, option), None),
    });
    let options: Vec<(CString, Option<CString>)> = options.collect();
    Source::New { fstype: fstype.into(), source: c"cgroup".into(), options }
}
