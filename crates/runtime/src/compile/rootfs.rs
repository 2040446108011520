//! The root file system: a directory, or a copy-on-write view of this machine's own root.

use super::{Draft, host_view, mounts};
use insula_launch::resolve::Target;
use insula_launch::step::rootfs::Kept;
use insula_launch::step::source::{Lower, Overlay, Source};
use insula_launch::step::{IdmapTree, Layers, Rootfs};
use insula_oci::{NamespaceKind, annotation};

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
    let idmap = shifts(draft);
    let source = match keep {
        None => {
            let path = draft.c_string("root.path", &root.path);
            mounts::bind(draft, path, true, idmap)
        }
        Some(keep) => {
            push_layers(draft, Some(&keep));
            overlay(draft, &root.path, "root")
        }
    };
    draft.child.push(Rootfs { source }.into());
}

/// Do files need their ids translated? As root with a map that is not the identity, and in a user namespace that is
/// joined, whose map is not ours to know; a user has no right to.
pub(super) fn shifts(draft: &Draft<'_>) -> bool {
    let joined = !draft.makes(NamespaceKind::User);
    draft.parent_clones() && (joined || draft.linux.uid_mappings.iter().any(|map| map.container_id != map.host_id))
}

/// The place of the upper layers.
pub(super) fn push_layers(draft: &mut Draft<'_>, keep: Option<&str>) {
    let field = format!("annotations[{}]", annotation::KEEP);
    let kept = match keep {
        None => Kept::Vanish,
        Some(path) => {
            let path = draft.c_string(&field, path);
            let Some(place) = Target::new("/kept") else { return };
            if draft.parent_clones() {
                let (slot, idmap) = (draft.slots.next(), shifts(draft));
                draft.parent.push(IdmapTree { source: path.clone(), recursive: false, idmap, slot }.into());
                Kept::Made(slot, path, place)
            } else {
                Kept::Path(path, place)
            }
        }
    };
    let scratch = mounts::tmpfs(&[(c"mode", Some(c"700"))]);
    draft.child.push(Layers { scratch, kept }.into());
}

/// An overlay of a directory of the host, its layers below `name`.
pub(super) fn overlay(draft: &mut Draft<'_>, path: &str, name: &str) -> Source {
    let field = "root.path";
    let source = draft.c_string(field, path);
    let place = |part: &str| Target::new(&format!("/{name}/{part}"));
    let (Some(upper), Some(work), Some(at)) = (place("upper"), place("work"), place("lower")) else {
        draft.fault(field, "it cannot be overlaid under this name");
        return Source::Bind { path: source, recursive: true };
    };
    let lower = if draft.parent_clones() {
        let (slot, idmap) = (draft.slots.next(), shifts(draft));
        draft.parent.push(IdmapTree { source, recursive: false, idmap, slot }.into());
        Lower::Made { slot, at }
    } else {
        Lower::Path(source)
    };
    Source::Overlay(Overlay { lower, upper, work, userxattr: draft.in_user_namespace() })
}
