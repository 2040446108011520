//! The root file system: a directory, or a copy-on-write view of this machine's own root.

use super::draft::Draft;
use super::layers::{overlay, push_layers, shifts};
use super::{host_view, sources};
use insula_launch::step::{Pivot, Rootfs};
use insula_oci::{Propagation, annotation};
use std::ffi::CString;

/// Pushes what makes the root.
pub(super) fn push(draft: &mut Draft<'_>) {
    let annotations = &draft.spec.annotations;
    let keep = annotations.get(annotation::KEEP).cloned();
    match annotations.get(annotation::ROOT).map(String::as_str) {
        Some(annotation::ROOT_HOST) => return host_view::push(draft, keep.as_deref()),
        Some(_) => {
            draft.fault(format!("annotations[{}]", annotation::ROOT), "the one value it knows is `host`")
        }
        None => {}
    }
    let Some(root) = draft.spec.root.as_ref() else {
        return draft.fault("root", "it is missing");
    };
    if root.path.is_empty() {
        return draft.fault("root.path", "it is empty");
    }
    let ids = sources::Translated { shift: shifts(draft), all: true };
    let source = match keep {
        None => {
            let path = draft.c_string("root.path", &root.path);
            sources::bind(draft, path, true, ids)
        }
        Some(keep) => {
            push_layers(draft, Some(&keep));
            overlay(draft, &root.path, "root")
        }
    };
    draft.child.push(Rootfs { source }.into());
}

/// The change of root. Without pivot_root(2) the old tree stays below the new one: what of it must not be found is hidden.
pub(super) fn push_pivot(draft: &mut Draft<'_>, no_pivot: bool) {
    if !no_pivot {
        return draft.child.push(Pivot::Exchange.into());
    }
    if matches!(draft.linux.rootfs_propagation, Some(Propagation::Private | Propagation::Rprivate)) {
        draft.fault(
            "linux.rootfsPropagation",
            "private is not safe without pivot_root: leave `--no-pivot` out",
        );
    }
    let root = draft.spec.root.as_ref().map_or("/", |root| root.path.as_str());
    let in_root =
        |point: &str| point.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let shows = |fstype: &str| matches!(fstype, "proc" | "sysfs");
    let mounts = draft.host.mounts().iter().filter(|mount| shows(&mount.fstype) && !in_root(&mount.point));
    let hidden = mounts.filter_map(|mount| CString::new(mount.point.as_str()).ok()).collect();
    draft.child.push(Pivot::Over { hidden }.into());
}
