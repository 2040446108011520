//! The root file system: a directory, or a copy-on-write view of this machine's own root.

use super::draft::Draft;
use super::layers::{overlay, push_layers, shifts};
use super::{host_view, sources};
use insula_launch::step::Rootfs;
use insula_oci::annotation;

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
