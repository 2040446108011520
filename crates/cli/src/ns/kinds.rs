//! Kinds of namespace by flags, with unshare(1)'s words.

use crate::face::given::Given;
use insula_launch::plan::Kind;

/// The flag of a kind, without its dashes.
pub fn flag(kind: Kind) -> &'static str {
    if kind == Kind::Mnt { "mount" } else { kind.name() }
}

/// The kinds that are given, each once; with `--all` all that the kernel has.
pub fn given(given: &Given) -> Vec<Kind> {
    let all = given.has("all");
    Kind::ALL.into_iter().filter(|kind| given.has(flag(*kind)) || all && is_known(*kind)).collect()
}

/// Has this kernel such a kind?
pub fn is_known(kind: Kind) -> bool {
    std::path::Path::new("/proc/self").join(kind.file().to_str().unwrap_or_default()).exists()
}

/// In the order of [`Kind::ALL`].
pub fn sort(kinds: &mut Vec<Kind>) {
    kinds.sort_unstable();
    kinds.dedup();
}
