//! The lines: those of the names, and those of namespaces without one.

use super::line::{Line, Part};
use insula_launch::plan::Kind;
use insula_namespaces::error::Error;
use insula_namespaces::names::{self, Hold, Named, Progress, State};
use insula_namespaces::scan::{By, Namespace, Snapshot};
use insula_sys::nsfs;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::fstat;
use std::collections::HashSet;
use std::time::{Duration, UNIX_EPOCH};

/// The lines of the names, sorted by them, and how many of them are kept by a process. `relatives`: with owners and
/// parents, for which each is opened.
pub fn lines(relatives: bool) -> Result<(Vec<Line>, usize), Error> {
    let all = names::all()?;
    let kept = all.iter().filter(|named| matches!(named.hold, Hold::Kept { .. })).count();
    let mut lines: Vec<Line> = all.iter().map(|named| line(named, relatives)).collect();
    lines.sort_by(|one, other| one.name.cmp(&other.name));
    Ok((lines, kept))
}

fn line(named: &Named, relatives: bool) -> Line {
    let (state, why) = state(named);
    let mut line = Line {
        name: Some(named.shown()),
        hold: match named.hold {
            Hold::Pinned => "pinned".to_owned(),
            Hold::Kept { pid } => format!("kept by {pid}"),
            Hold::Netns => "netns".to_owned(),
        },
        created: named.created_s.map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds)),
        state,
        why,
        ..Line::default()
    };
    let part =
        |part: &names::Part| Part { kind: part.kind, inode: part.identity.inode, id: part.identity.id };
    // What is stale has an inode that may be another's by now.
    let live = named.parts.iter().filter(|part| !matches!(part.state, State::Stale(_)));
    line.parts = live.map(part).collect();
    if relatives && line.state == "ok" {
        (line.owners, line.parents) = related(named);
    }
    line
}

/// A word for how it is, and why where that is not well.
pub fn state(named: &Named) -> (&'static str, Option<String>) {
    let stale = named.parts.iter().find_map(|part| match part.state {
        State::Stale(why) => Some(format!("the {} namespace is not there any more: {why}", part.kind.name())),
        State::Live | State::Unseen => None,
    });
    match named.progress {
        _ if named.is_busy => ("busy", Some("another command is at work on it".to_owned())),
        Progress::Made if stale.is_some() => ("stale", stale),
        Progress::Made => ("ok", None),
        Progress::Making | Progress::Removing => {
            let what = if named.progress == Progress::Making { "making" } else { "removing" };
            (
                "half made",
                Some(format!("the command that was {what} it was killed; `insula ns gc` clears it")),
            )
        }
    }
}

/// The user namespaces that own a set, and the parents of its pid or user namespace, each with all above it.
fn related(named: &Named) -> (Vec<u64>, Vec<u64>) {
    let has = |kind: Kind| named.parts.iter().any(|part| part.kind == kind);
    let open = |kind: Kind| named.open(kind).ok();
    // A set with a user namespace of its own belongs to that one's owner.
    let owned = if has(Kind::User) { Some(Kind::User) } else { named.parts.first().map(|part| part.kind) };
    let owner = owned.and_then(open).and_then(|file| nsfs::owner(file.as_fd()).ok());
    let parent = [Kind::Pid, Kind::User].into_iter().find(|kind| has(*kind)).and_then(open);
    let parent = parent.and_then(|file| nsfs::parent(file.as_fd()).ok());
    (upwards(owner), upwards(parent))
}

/// The inodes of a namespace and of those above it.
fn upwards(first: Option<OwnedFd>) -> Vec<u64> {
    /// More generations than the kernel allows.
    const MOST: usize = 40;
    let up = std::iter::successors(first, |file| nsfs::parent(file.as_fd()).ok());
    up.take(MOST).filter_map(|file| fstat(&file).ok().map(|stat| stat.st_ino)).collect()
}

/// The lines of the namespaces that no name stands for.
pub fn unnamed(snapshot: &Snapshot, named: &[Line]) -> Vec<Line> {
    let known: HashSet<(Kind, u64)> =
        named.iter().flat_map(|line| &line.parts).map(|part| (part.kind, part.inode)).collect();
    let is_new = |namespace: &&Namespace| !known.contains(&(namespace.kind, namespace.inode));
    let line = |namespace: &Namespace| Line {
        parts: vec![Part { kind: namespace.kind, inode: namespace.inode, id: namespace.id }],
        hold: hold(snapshot, namespace).to_owned(),
        state: "ok",
        owners: above(snapshot, namespace.owner),
        parents: above(snapshot, namespace.parent),
        ..Line::default()
    };
    snapshot.namespaces.iter().filter(is_new).map(line).collect()
}

/// A namespace and its parents, as the snapshot has them.
fn above(snapshot: &Snapshot, first: Option<u64>) -> Vec<u64> {
    std::iter::successors(first, |inode| snapshot.find(*inode)?.parent).collect()
}

/// What keeps one that has no name, by the first of what there is.
fn hold(snapshot: &Snapshot, namespace: &Namespace) -> &'static str {
    let held = snapshot.held_by(namespace.inode);
    if namespace.processes > 0 {
        "processes"
    } else if held.iter().any(|holder| matches!(holder.by, By::Mount { .. })) {
        "mount"
    } else if !held.is_empty() || namespace.children > 0 {
        "others"
    } else {
        "unseen"
    }
}
