//! What is mounted: a new file system, or a copy of a tree that is there.

use super::draft::Draft;
use insula_launch::step::IdmapTree;
use insula_launch::step::source::Source;
use std::ffi::{CStr, CString};

/// A tmpfs with these parameters.
pub(super) fn tmpfs(options: &[(&CStr, Option<&CStr>)]) -> Source {
    let owned = |(key, value): &(&CStr, Option<&CStr>)| ((*key).to_owned(), value.map(CStr::to_owned));
    Source::New {
        fstype: c"tmpfs".into(),
        source: c"tmpfs".into(),
        options: options.iter().map(owned).collect(),
    }
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
