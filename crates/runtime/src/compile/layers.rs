//! Overlays: whether ids are translated, where the upper layers lie, what the lower ones are.

use super::draft::Draft;
use super::sources;
use insula_launch::resolve::Target;
use insula_launch::step::idmap_tree::Shift;
use insula_launch::step::rootfs::Kept;
use insula_launch::step::source::{Lower, Overlay, Source};
use insula_launch::step::{IdmapTree, Layers};
use insula_oci::{NamespaceKind, annotation};

/// Do files need their ids translated? As root with a map that is not the identity, and in a user namespace that is
/// joined, whose map is not ours to know; a user has no right to.
pub(super) fn shifts(draft: &Draft<'_>) -> Shift {
    let joined = !draft.makes(NamespaceKind::User);
    let differs = || draft.linux.uid_mappings.iter().any(|map| map.container_id != map.host_id);
    if draft.parent_clones() && (joined || differs()) { Shift::Container } else { Shift::Nobody }
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
                let (slot, shift) = (draft.slots.another(), shifts(draft));
                draft.parent.push(
                    IdmapTree { source: path.clone(), recursive: false, shift, all: false, slot }.into(),
                );
                Kept::Made(slot, path, place)
            } else {
                Kept::Path(path, place)
            }
        }
    };
    let scratch = sources::tmpfs(&[(c"mode", Some(c"700"))]);
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
        let (slot, shift) = (draft.slots.another(), shifts(draft));
        draft.parent.push(IdmapTree { source, recursive: false, shift, all: false, slot }.into());
        Lower::Made { slot, at }
    } else {
        Lower::Path(source)
    };
    Source::Overlay(Overlay { lower, upper, work, userxattr: draft.in_user_namespace() })
}
