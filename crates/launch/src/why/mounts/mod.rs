//! The causes that lie in file systems, mounts and paths, mount(2), mount_setattr(2), pivot_root(2), path_resolution(7).

mod attempt;
mod filesystem;
mod idmap;
mod interpreter;
mod locked;
mod overlay;
mod pivot;
mod places;
pub mod revealing;
mod view;

pub use attempt::Attempt;
pub use filesystem::Filesystem;
pub use idmap::Idmap;
pub use locked::Locked;
pub use overlay::Overlay;
pub use pivot::Pivot;
pub use places::Place;
pub use revealing::Revealing;

use super::subject::Subject;
use crate::fault::{Call, Fault};
use rustix::io::Errno;
use view::View;

/// A cause, by what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mounting {
    /// A file system that is not for here.
    Filesystem(Filesystem),
    /// Translated ids.
    Idmap(Idmap),
    /// What is locked, or in use.
    Locked(Locked),
    /// Layers.
    Overlay(Overlay),
    /// The change of root.
    Pivot(Pivot),
    /// A path.
    Place(Place),
    /// A new proc or sysfs that would show what is hidden.
    Revealing(Revealing),
}

/// Looks for the cause of a refused attempt.
pub(super) fn refused(attempt: &Attempt, fault: Fault, subject: &Subject) -> Option<Mounting> {
    let view = View::of(subject);
    let Fault { call, errno } = fault;
    match attempt {
        Attempt::New { fstype, options, target } => new(fstype, options, target.as_deref(), fault, &view),
        Attempt::Bind { source, recursive, target } => locked::bound(source, *recursive, errno, &view)
            .map(Mounting::Locked)
            .or_else(|| places::reached(source, errno, &view).map(Mounting::Place))
            .or_else(|| at_target(target.as_deref(), errno, &view)),
        Attempt::Attributes { path, cleared } => {
            let locked = locked::attributes(path, cleared, errno, &view).map(Mounting::Locked);
            locked.or_else(|| places::reached(path, errno, &view).map(Mounting::Place))
        }
        Attempt::Translate { path, recursive, by } if call == Call::MountSetattr => {
            idmap::refused(path, *recursive, *by, errno, &view).map(Mounting::Idmap)
        }
        Attempt::Translate { path, recursive, .. } => locked::bound(path, *recursive, errno, &view)
            .map(Mounting::Locked)
            .or_else(|| places::reached(path, errno, &view).map(Mounting::Place)),
        Attempt::Attach { target } => at_target(Some(target), errno, &view),
        Attempt::Keep { target } => locked::kept(target, errno, &view)
            .map(Mounting::Locked)
            .or_else(|| at_target(Some(target), errno, &view)),
        Attempt::Unmount { path } => locked::unmounted(path, errno, &view)
            .map(Mounting::Locked)
            .or_else(|| places::reached(path, errno, &view).map(Mounting::Place)),
        Attempt::Pivot { new_root, put_old } => pivot::refused(new_root, put_old, errno, &view)
            .map(Mounting::Pivot)
            .or_else(|| places::reached(new_root, errno, &view).map(Mounting::Place))
            .or_else(|| places::reached(put_old, errno, &view).map(Mounting::Place)),
        Attempt::Propagation { path } => filesystem::propagation(path, errno, &view)
            .map(Mounting::Filesystem)
            .or_else(|| places::reached(path, errno, &view).map(Mounting::Place)),
        Attempt::Reach { path } => places::reached(path, errno, &view).map(Mounting::Place),
        Attempt::Write { path } => places::written(path, errno, &view).map(Mounting::Place),
        Attempt::Execute { paths } => places::executed(paths, errno, &view).map(Mounting::Place),
    }
}

fn new(
    fstype: &str,
    options: &[(String, Option<String>)],
    target: Option<&str>,
    fault: Fault,
    view: &View<'_>,
) -> Option<Mounting> {
    let errno = fault.errno;
    let special = match fstype {
        "overlay" => overlay::refused(options, errno, view).map(Mounting::Overlay),
        "proc" | "sysfs" if errno == Errno::PERM => revealing::refused(fstype, view).map(Mounting::Revealing),
        _ => None,
    };
    special
        .or_else(|| filesystem::refused(fstype, errno, view).map(Mounting::Filesystem))
        .or_else(|| at_target(target, errno, view))
}

/// Why something could not be attached to a place.
fn at_target(target: Option<&str>, errno: Errno, view: &View<'_>) -> Option<Mounting> {
    if errno == Errno::NOSPC {
        return filesystem::too_many(view).map(Mounting::Filesystem);
    }
    places::reached(target?, errno, view).map(Mounting::Place)
}
