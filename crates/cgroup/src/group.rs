//! A group: one directory in each hierarchy that it is in, each held by a descriptor.

use crate::directory::{Directory, put};
use crate::error::{Cause, Error};
use crate::hierarchy::{Hierarchies, Hierarchy};
use crate::mounts::Version;
use crate::path::{Name, Path};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::process::geteuid;
use std::sync::Arc;

/// The group's directory in one hierarchy.
#[derive(Debug)]
pub struct Place {
    /// Which interface.
    pub version: Version,
    /// The hierarchy, in words: `unified`, `memory`.
    pub label: String,
    /// The controllers of the hierarchy.
    pub controllers: Vec<String>,
    /// The path from the hierarchy's root.
    pub path: Path,
    /// The directory itself.
    pub directory: Directory,
    /// The one above, by which it is removed.
    pub above: Arc<Directory>,
    /// For a relative name: where insula's own directory is, which goes with the last group in it.
    pub base_above: Option<Directory>,
}

/// A group in all hierarchies where it is.
#[derive(Debug)]
pub struct Group {
    pub(crate) name: Name,
    pub(crate) places: Vec<Place>,
}

impl Place {
    /// Opens the directory `path` of a hierarchy, which is where `name` is.
    pub fn open(hierarchy: &Hierarchy, name: &Name, path: Path) -> Result<Self, Errno> {
        let above = hierarchy.shared(&path.parent())?;
        let directory = match path.names().last() {
            Some(last) => above.child(last)?,
            None => above.child(".")?,
        };
        Self::at(hierarchy, name, path, above, directory)
    }

    /// The same of directories that are open.
    pub(crate) fn at(
        hierarchy: &Hierarchy,
        name: &Name,
        path: Path,
        above: Arc<Directory>,
        directory: Directory,
    ) -> Result<Self, Errno> {
        let base = match name {
            Name::Absolute(_) => None,
            Name::Relative(_) => hierarchy.base(),
        };
        Ok(Self {
            base_above: base.map(|base| hierarchy.root().at(&base.parent())).transpose()?,
            version: hierarchy.version,
            label: hierarchy.label(),
            controllers: hierarchy.controllers.clone(),
            directory,
            above,
            path,
        })
    }

    /// Whether its hierarchy has this controller.
    pub fn has(&self, controller: &str) -> bool {
        self.controllers.iter().any(|known| known == controller)
    }

    /// The last part of its path.
    pub fn last_name(&self) -> &str {
        self.path.names().last().map_or(".", String::as_str)
    }
}

impl Group {
    /// The group of that name, wherever it is.
    pub fn open(hierarchies: &Hierarchies, name: &Name) -> Result<Self, Error> {
        let mut places = Vec::new();
        for hierarchy in hierarchies.iter() {
            let Some(path) = hierarchy.locate(name) else { continue };
            match Place::open(hierarchy, name, path.clone()) {
                Ok(place) => places.push(place),
                Err(Errno::NOENT | Errno::NOTDIR) => {}
                Err(errno) => {
                    let path = hierarchy.root().shown_of(path.to_string().trim_start_matches('/'));
                    return Err(Error::Call { doing: "open the cgroup", path, errno, cause: None });
                }
            }
        }
        if places.is_empty() {
            return Err(Error::NoGroup(name.to_string()));
        }
        Ok(Self { name: name.clone(), places })
    }

    /// Its name, as it was asked for.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Its directories.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// Its directory in the hierarchy of a controller.
    pub fn place(&self, controller: &str) -> Option<&Place> {
        self.places.iter().find(|place| place.has(controller))
    }

    /// Its directory in the hierarchy of version 2: what clone3(2) takes with CLONE_INTO_CGROUP.
    pub fn unified(&self) -> Option<&Place> {
        self.places.iter().find(|place| place.version == Version::V2)
    }

    /// That directory's descriptor.
    pub fn unified_fd(&self) -> Option<BorrowedFd<'_>> {
        self.unified().map(|place| place.directory.as_fd())
    }

    /// `cgroup.procs` of each directory, open for writing: a process joins by writing `0` to each. The kernel goes by the
    /// rights of who has opened them (Linux 5.16 and later), so that a process that has given up its own can still join.
    pub fn joins(&self) -> Result<Vec<(String, OwnedFd)>, Error> {
        self.joins_below(|_| None)
    }

    /// The same of groups below it: `below` says for each directory which one, by its path from there.
    pub fn joins_below<'a>(
        &self,
        below: impl Fn(&Place) -> Option<&'a Path>,
    ) -> Result<Vec<(String, OwnedFd)>, Error> {
        let open = |place: &Place| {
            let Some(path) = below(place).filter(|path| !path.is_root()) else {
                let shown = place.directory.shown_of("cgroup.procs");
                let file = place.directory.open("cgroup.procs", OFlags::WRONLY);
                return file.map(|fd| (shown, fd)).map_err(|errno| refused(place, "0", errno));
            };
            let shown = place.directory.shown_of(path.to_string().trim_start_matches('/'));
            let group = place.directory.at(path).and_then(|group| group.open("cgroup.procs", OFlags::WRONLY));
            group.map(|fd| (format!("{shown}/cgroup.procs"), fd)).map_err(|errno| Error::Call {
                doing: "open the cgroup",
                path: shown,
                errno,
                cause: None,
            })
        };
        self.places.iter().map(open).collect()
    }

    /// Moves this process into the group: into all of its directories.
    pub fn join_self(&self) -> Result<(), Error> {
        for (place, (_, fd)) in self.places.iter().zip(self.joins()?) {
            put(fd.as_fd(), "0").map_err(|errno| refused(place, "0", errno))?;
        }
        Ok(())
    }

    /// Moves a process, with all its threads, into the group. One that ends meanwhile is ESRCH.
    pub fn join(&self, pid: i32) -> Result<(), Error> {
        let value = pid.to_string();
        for place in &self.places {
            place.directory.write("cgroup.procs", &value).map_err(|errno| refused(place, &value, errno))?;
        }
        Ok(())
    }
}

/// Why a process was not let in.
fn refused(place: &Place, value: &str, errno: Errno) -> Error {
    let directory = &place.directory;
    let is_empty = |file: &str| directory.look(file).is_some_and(|text| text.trim().is_empty());
    let cause = match (errno, place.version) {
        (Errno::ACCESS | Errno::PERM, Version::V2) if directory.may_be_written() => {
            Some(Cause::CommonAncestor { directory: directory.shown().to_owned() })
        }
        (Errno::ACCESS | Errno::PERM, _) if !directory.may_be_written() => not_ours(directory),
        (Errno::ROFS, _) => Some(Cause::ReadOnly { path: directory.shown().to_owned() }),
        (Errno::BUSY | Errno::OPNOTSUPP, Version::V2) if !is_empty("cgroup.subtree_control") => {
            Some(Cause::InternalProcesses { directory: directory.shown().to_owned() })
        }
        (Errno::NOSPC, Version::V1) if is_empty("cpuset.cpus") || is_empty("cpuset.mems") => {
            Some(Cause::EmptyCpuset)
        }
        (Errno::INVAL, Version::V1) if place.has("cpu") && is_real_time(value) => Some(Cause::RealTime),
        (Errno::NODEV, _) => Some(Cause::Gone),
        _ => None,
    };
    Error::Write { path: directory.shown_of("cgroup.procs"), value: value.to_owned(), errno, cause }
}

/// Whether a process, by its pid or 0 for this one, is scheduled with SCHED_FIFO or SCHED_RR: the 41st field of
/// proc_pid_stat(5), counted from behind the name, which is the second and may have anything in it.
fn is_real_time(pid: &str) -> bool {
    let pid = if pid == "0" { "self" } else { pid };
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let behind = text.rsplit(") ").next().unwrap_or_default();
    matches!(behind.split(' ').nth(38), Some("1" | "2"))
}

/// The cause of a refusal on a directory that is another's.
pub fn not_ours(directory: &Directory) -> Option<Cause> {
    match directory.owner() {
        Some(owner) if owner != geteuid().as_raw() => {
            Some(Cause::NotOurs { directory: directory.shown().to_owned(), owner, uid: geteuid().as_raw() })
        }
        _ => None,
    }
}
