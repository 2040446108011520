//! Makes a group: its directories in all hierarchies that it needs, with the controllers handed down to it.
//!
//! To make a group that is there is to complete it: so the same words repair one whose maker was killed half way. What
//! was made is taken back if the rest fails.

use crate::directory::Directory;
use crate::error::{Cause, Error, Missing};
use crate::group::{Group, Place, not_ours};
use crate::hierarchy::{Hierarchies, Hierarchy, words};
use crate::mounts::Version;
use crate::path::{Name, Path};
use rustix::io::Errno;
use rustix::process::geteuid;
use std::sync::Arc;

/// How often a directory above may vanish under our hands (its last group was removed) before we give up.
const TRIES: u32 = 64;

/// How often a group that is there is looked through for processes that are not in its new directories yet.
const PASSES: u32 = 64;

/// A group that has been made, and what of it was not there before.
#[derive(Debug)]
pub struct Made {
    /// The group.
    pub group: Group,
    new: Vec<(Arc<Directory>, String)>,
}

impl Made {
    /// Whether nothing of it was there before.
    pub fn is_new(&self) -> bool {
        self.group
            .places
            .iter()
            .all(|place| self.new.iter().any(|(above, name)| above.shown_of(name) == place.directory.shown()))
    }

    /// Takes back what was made: what could not be removed is left, and can be by `rm`.
    pub fn undo(self) {
        take_back(self.new);
    }
}

/// Makes the group in every hierarchy where this process may. It fails where a controller of `needed` has none, or its
/// hierarchy does not let us.
pub fn create(hierarchies: &Hierarchies, name: &Name, needed: &[String]) -> Result<Made, Error> {
    for controller in needed {
        if hierarchies.of(controller).is_none() {
            let (file, value) = (controller.clone(), String::new());
            return Err(Error::Missing {
                controller: controller.clone(),
                file,
                value,
                why: Missing::Controller,
            });
        }
    }
    let mut new = Vec::new();
    let mut places = Vec::new();
    let mut first = None;
    for hierarchy in hierarchies.iter().filter(|hierarchy| hierarchy.name.is_none()) {
        let wanted: Vec<&str> =
            needed.iter().map(String::as_str).filter(|controller| hierarchy.has(controller)).collect();
        let made = match hierarchy.locate(name) {
            Some(path) => make(hierarchy, name, &path, &wanted, &mut new),
            None => Err(nowhere(hierarchy, name)),
        };
        match made {
            Ok(place) => places.push(place),
            // A hierarchy that nobody asked for may be closed to us: the group does without it.
            Err(error) if wanted.is_empty() && is_closed(&error) => first = first.or(Some(error)),
            Err(error) => {
                take_back(new);
                return Err(error);
            }
        }
    }
    if places.is_empty() {
        return Err(first.unwrap_or(Error::NotMounted));
    }
    let made = Made { group: Group { name: name.clone(), places }, new };
    match adopt(&made) {
        Ok(()) => Ok(made),
        Err(error) => {
            made.undo();
            Err(error)
        }
    }
}

fn is_closed(error: &Error) -> bool {
    error.is_for_rights() || matches!(error, Error::NowhereToMake { .. })
}

fn nowhere(hierarchy: &Hierarchy, name: &Name) -> Error {
    if hierarchy.read_only {
        let path = hierarchy.point.clone();
        let cause = Some(Cause::ReadOnly { path: path.clone() });
        return Error::Call { doing: "make a cgroup in", path, errno: Errno::ROFS, cause };
    }
    Error::NowhereToMake { name: name.to_string(), uid: geteuid().as_raw() }
}

/// Makes the directories of `path` that are missing, from the root down.
fn make(
    hierarchy: &Hierarchy,
    name: &Name,
    path: &Path,
    wanted: &[&str],
    new: &mut Vec<(Arc<Directory>, String)>,
) -> Result<Place, Error> {
    let mut tries = 0;
    let (above, directory) = loop {
        match descend(hierarchy, path, wanted, new) {
            // One of those above was removed by another, who found it empty: begin again.
            Err(error) if matches!(error.errno(), Some(Errno::NOENT | Errno::NODEV)) && tries < TRIES => {
                tries += 1
            }
            Err(error) => return Err(error),
            Ok(found) => break found,
        }
    };
    Place::at(hierarchy, name, path.clone(), above, directory).map_err(|errno| {
        let shown = hierarchy.root().shown_of(path.to_string().trim_start_matches('/'));
        Error::Call { doing: "open the cgroup", path: shown, errno, cause: None }
    })
}

/// The directory that was asked for, and the one above it.
fn descend(
    hierarchy: &Hierarchy,
    path: &Path,
    wanted: &[&str],
    new: &mut Vec<(Arc<Directory>, String)>,
) -> Result<(Arc<Directory>, Directory), Error> {
    let not_opened = |errno| {
        let path = hierarchy.root().shown().to_owned();
        Error::Call { doing: "open the cgroup", path, errno, cause: None }
    };
    let mut above = hierarchy.shared(&Path::root()).map_err(not_opened)?;
    let mut names = path.names().iter().peekable();
    while let Some(name) = names.next() {
        if hierarchy.version == Version::V2 {
            hand_down(&above, wanted)?;
        }
        let is_last = names.peek().is_none();
        let below = step_down(hierarchy, &above, name, is_last, new)?;
        if is_last {
            return Ok((above, below));
        }
        above = Arc::new(below);
    }
    let root = above.child(".").map_err(not_opened)?;
    Ok((above, root))
}

/// The group of that name, made if it is missing. The last of a path mostly is, those above it mostly are there.
fn step_down(
    hierarchy: &Hierarchy,
    above: &Arc<Directory>,
    name: &str,
    is_last: bool,
    new: &mut Vec<(Arc<Directory>, String)>,
) -> Result<Directory, Error> {
    if !is_last {
        match above.child(name) {
            Err(Errno::NOENT) => {}
            Err(errno) => return Err(not_made(above, name, errno)),
            Ok(below) => {
                inherit_cpuset(hierarchy, above, &below, false)?;
                return Ok(below);
            }
        }
    }
    let is_new = match above.make(name) {
        Ok(()) => {
            new.push((Arc::clone(above), name.to_owned()));
            true
        }
        Err(Errno::EXIST) => false,
        // Where we may make none, one that is there may serve.
        Err(errno) => match above.child(name) {
            Ok(below) => {
                inherit_cpuset(hierarchy, above, &below, false)?;
                return Ok(below);
            }
            Err(_) => return Err(not_made(above, name, errno)),
        },
    };
    let below = above.child(name).map_err(|errno| not_made(above, name, errno))?;
    inherit_cpuset(hierarchy, above, &below, is_new)?;
    Ok(below)
}

fn not_made(above: &Directory, name: &str, errno: Errno) -> Error {
    let cause = match errno {
        Errno::ROFS => Some(Cause::ReadOnly { path: above.shown().to_owned() }),
        Errno::ACCESS | Errno::PERM => not_ours(above),
        // cgroup.max.descendants or cgroup.max.depth of a group above.
        Errno::AGAIN => Some(Cause::TooMany),
        _ => None,
    };
    Error::Call { doing: "make the cgroup", path: above.shown_of(name), errno, cause }
}

/// Enables in `cgroup.subtree_control` every controller that the group has to give: those that are wanted, or it fails,
/// the others if it can be done (as runc does, so that their use is counted, and a limit can be set later).
fn hand_down(directory: &Directory, wanted: &[&str]) -> Result<(), Error> {
    let enabled = words(&directory.look("cgroup.subtree_control").unwrap_or_default());
    let available = words(&directory.look("cgroup.controllers").unwrap_or_default());
    let is_enabled = |controller: &str| enabled.iter().any(|known| known == controller);
    for controller in wanted.iter().filter(|controller| !is_enabled(controller)) {
        let value = format!("+{controller}");
        if let Err(errno) = directory.write("cgroup.subtree_control", &value) {
            return Err(not_handed_down(directory, controller, value, errno, &available));
        }
    }
    for controller in available.iter().filter(|controller| !is_enabled(controller)) {
        let enabled = directory.write("cgroup.subtree_control", &format!("+{controller}"));
        // A group that is another's, or has processes of its own, gives what it gives already.
        if matches!(enabled, Err(Errno::ACCESS | Errno::PERM | Errno::ROFS | Errno::BUSY)) {
            break;
        }
    }
    Ok(())
}

fn not_handed_down(
    directory: &Directory,
    controller: &str,
    value: String,
    errno: Errno,
    available: &[String],
) -> Error {
    let shown = directory.shown().to_owned();
    let cause = match errno {
        Errno::BUSY | Errno::OPNOTSUPP
            if directory.processes().is_ok_and(|processes| !processes.is_empty()) =>
        {
            Some(Cause::InternalProcesses { directory: shown })
        }
        Errno::ROFS => Some(Cause::ReadOnly { path: shown }),
        _ if !available.iter().any(|known| known == controller) => {
            Some(Cause::NotAvailable { controller: controller.to_owned(), directory: shown })
        }
        Errno::ACCESS | Errno::PERM => not_ours(directory),
        _ => None,
    };
    // Not here is no race with a removal above, which would be tried again.
    let errno = if errno == Errno::NOENT && cause.is_some() { Errno::INVAL } else { errno };
    Error::Write { path: directory.shown_of("cgroup.subtree_control"), value, errno, cause }
}

/// A new group of version 1's cpuset has no CPUs and no memory nodes, and takes no process: it gets those of the one
/// above, cpusets(7).
fn inherit_cpuset(
    hierarchy: &Hierarchy,
    above: &Directory,
    below: &Directory,
    is_new: bool,
) -> Result<(), Error> {
    if hierarchy.version != Version::V1 || !hierarchy.has("cpuset") {
        return Ok(());
    }
    for file in ["cpuset.cpus", "cpuset.mems"] {
        if is_new || below.look(file).is_some_and(|own| own.is_empty()) {
            let value = above.look(file).unwrap_or_default();
            below.write(file, &value).map_err(|errno| {
                let cause = if errno == Errno::ACCESS { not_ours(below) } else { None };
                Error::Write { path: below.shown_of(file), value, errno, cause }
            })?;
        }
    }
    Ok(())
}

/// Where a group was there in part, its processes join it in its new directories too.
fn adopt(made: &Made) -> Result<(), Error> {
    let is_new =
        |place: &&Place| made.new.iter().any(|(above, name)| above.shown_of(name) == place.directory.shown());
    let (new, old): (Vec<&Place>, Vec<&Place>) = made.group.places.iter().partition(|place| is_new(place));
    if new.is_empty() || old.is_empty() {
        return Ok(());
    }
    let processes = |places: &[&Place]| -> Vec<i32> {
        places.iter().flat_map(|place| place.directory.processes().unwrap_or_default()).collect()
    };
    for _ in 0..PASSES {
        let all: Vec<i32> = processes(&old).into_iter().filter(|pid| *pid > 0).collect();
        let mut moved = false;
        for place in &new {
            let there = processes(&[place]);
            for pid in all.iter().filter(|pid| !there.contains(pid)) {
                moved = true;
                match place.directory.write("cgroup.procs", &pid.to_string()) {
                    Ok(()) | Err(Errno::SRCH) => {}
                    Err(errno) => {
                        let path = place.directory.shown_of("cgroup.procs");
                        return Err(Error::Write { path, value: pid.to_string(), errno, cause: None });
                    }
                }
            }
        }
        if !moved {
            break;
        }
    }
    Ok(())
}

/// Removes what was made, the deepest first.
fn take_back(new: Vec<(Arc<Directory>, String)>) {
    for (above, name) in new.into_iter().rev() {
        // Another may have put something into it meanwhile, and then it is theirs.
        let _ = above.remove(&name);
    }
}

/// Gives the group to a user: its directories, and the files that a delegate needs (cgroups(7), "Cgroup delegation"),
/// but not its limits.
pub fn delegate(group: &Group, uid: u32, gid: u32) -> Result<(), Error> {
    const FILES: [&str; 5] = [".", "cgroup.procs", "tasks", "cgroup.threads", "cgroup.subtree_control"];
    for place in &group.places {
        for file in FILES {
            match place.directory.chown(file, uid, gid) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(errno) => {
                    let (path, cause) = (place.directory.shown_of(file), None);
                    return Err(Error::Call { doing: "give away", path, errno, cause });
                }
            }
        }
    }
    Ok(())
}
