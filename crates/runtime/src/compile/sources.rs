//! What is mounted: a new file system, or a copy of a tree that is there.

use super::draft::Draft;
use insula_launch::step::IdmapTree;
use insula_launch::step::idmap_tree::Shift;
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

/// How the ids of a bind are translated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Translated {
    /// By whose maps.
    pub(super) shift: Shift,
    /// The mounts below it too.
    pub(super) all: bool,
}

impl Translated {
    /// Not at all.
    pub(super) const NOT: Translated = Translated { shift: Shift::Nobody, all: false };
}

/// A bind: by the child where it can, by the parent where ids are translated or the child's mounts are locked.
pub(super) fn bind(draft: &mut Draft<'_>, path: CString, recursive: bool, ids: Translated) -> Source {
    if ids.shift == Shift::Nobody && !draft.parent_clones() {
        return Source::Bind { path, recursive };
    }
    let slot = draft.slots.another();
    draft.parent.push(IdmapTree { source: path, recursive, shift: ids.shift, all: ids.all, slot }.into());
    Source::Made(slot)
}
