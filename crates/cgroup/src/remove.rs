//! Removes a group from every hierarchy. What resists is told, and does not keep the rest.

use crate::directory::Directory;
use crate::error::{Cause, Error};
use crate::group::{Group, not_ours};
use crate::hierarchy::{Hierarchies, Hierarchy};
use crate::members::{below, members};
use crate::path::{Name, Path};
use rustix::io::Errno;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The longest pause from one try to the next.
const PAUSE: Duration = Duration::from_millis(20);

/// Removes the group of that name where nothing is in it and nothing below it: the common end of one, in one call a hierarchy.
/// `false`: there may be something left, for [`kill_all`](crate::kill_all) and [`remove`].
pub fn remove_idle(hierarchies: &Hierarchies, name: &Name) -> bool {
    // Insula's own directory would have to go as well.
    let Name::Absolute(path) = name else { return false };
    let Some(last) = path.names().last() else { return false };
    let gone = |hierarchy: &Hierarchy| {
        let done = hierarchy.shared(&path.parent()).and_then(|above| above.remove(last));
        matches!(done, Ok(()) | Err(Errno::NOENT))
    };
    // All of them are tried, whatever becomes of the first.
    hierarchies.iter().filter(|hierarchy| !gone(hierarchy)).count() == 0
}

/// Removes the group's directories; with `nested` also the groups below it, the deepest first. A directory stays busy for a
/// moment after its last process is gone: that is waited for, as long as `patience`. All that has failed is returned.
pub fn remove(group: &Group, nested: bool, patience: Duration) -> Result<(), Vec<Error>> {
    let occupied = |path: String| Error::Call {
        doing: "remove the cgroup",
        path,
        errno: Errno::BUSY,
        cause: Some(Cause::Occupied),
    };
    let shown = group.places().first().map_or_else(String::new, |place| place.directory.shown().to_owned());
    let lower = below(group).map_err(|error| vec![error])?;
    if !nested && !lower.is_empty() {
        return Err(vec![occupied(shown)]);
    }
    if !members(group).map_err(|error| vec![error])?.is_empty() {
        return Err(vec![occupied(shown)]);
    }
    let end = Instant::now() + patience;
    let mut errors = Vec::new();
    for place in group.places() {
        let tree = match place.directory.tree() {
            Ok(tree) => tree,
            Err(errno) => {
                errors.push(failed(&place.directory, ".", errno));
                continue;
            }
        };
        for path in tree.iter().rev().filter(|path| !path.is_root()) {
            errors.extend(remove_below(&place.directory, path, end).err());
        }
        errors.extend(remove_one(&place.above, place.last_name(), end).err());
        // Insula's own directory goes with the last group in it; if there are others, it is not empty.
        if let Some(above) = &place.base_above {
            let _ = above.remove(crate::hierarchy::BASE);
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

fn remove_below(directory: &Directory, path: &Path, end: Instant) -> Result<(), Error> {
    match directory.at(&path.parent()) {
        Ok(above) => remove_one(&above, path.names().last().map_or(".", String::as_str), end),
        Err(Errno::NOENT | Errno::NODEV) => Ok(()),
        Err(errno) => Err(failed(directory, &path.names().join("/"), errno)),
    }
}

fn remove_one(above: &Directory, name: &str, end: Instant) -> Result<(), Error> {
    let mut pause = Duration::from_micros(500);
    loop {
        match above.remove(name) {
            Ok(()) | Err(Errno::NOENT | Errno::NODEV) => return Ok(()),
            Err(Errno::BUSY) if Instant::now() < end => sleep(pause),
            Err(errno) => return Err(failed(above, name, errno)),
        }
        pause = (pause * 2).min(PAUSE);
    }
}

fn failed(above: &Directory, name: &str, errno: Errno) -> Error {
    let cause = match errno {
        Errno::ROFS => Some(Cause::ReadOnly { path: above.shown().to_owned() }),
        Errno::ACCESS | Errno::PERM => not_ours(above),
        Errno::BUSY => Some(Cause::Occupied),
        _ => None,
    };
    Error::Call { doing: "remove the cgroup", path: above.shown_of(name), errno, cause }
}
