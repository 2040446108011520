//! The hierarchies of this machine: version 2 alone, version 1 alone, or both (*hybrid*), each found by its own mount.

use crate::directory::Directory;
use crate::error::Error;
use crate::mounts::{self, CgroupMount, Position, Version};
use crate::path::{Name, Path};
use insula_launch::host::proc_file;
use rustix::io::Errno;
use std::sync::Arc;

/// The directory that groups with a relative name live below.
pub const BASE: &str = "insula";

/// One hierarchy, by the mount that shows most of it.
#[derive(Debug)]
pub struct Hierarchy {
    /// Which interface.
    pub version: Version,
    /// The controllers: in version 1 those mounted together, in version 2 those that the root has to give.
    pub controllers: Vec<String>,
    /// The name of a version 1 hierarchy without controllers, as `systemd`.
    pub name: Option<String>,
    /// Where it is mounted.
    pub point: String,
    /// Where in it this process is, seen from the mount's root; `None` if that is not below it.
    pub own: Option<Path>,
    /// Whether it is mounted read-only.
    pub read_only: bool,
    root: Arc<Directory>,
}

impl Hierarchy {
    /// The mount's root.
    pub fn root(&self) -> &Directory {
        &self.root
    }

    /// The group at `path`, as one that others are found by: for the root that is the descriptor that is open already.
    pub(crate) fn shared(&self, path: &Path) -> Result<Arc<Directory>, Errno> {
        if path.is_root() { Ok(Arc::clone(&self.root)) } else { self.root.at(path).map(Arc::new) }
    }

    /// What it is called: `unified`, `cpu,cpuacct`, `name=systemd`.
    pub fn label(&self) -> String {
        match (self.version, &self.name) {
            (Version::V2, _) => "unified".to_owned(),
            (Version::V1, Some(name)) => format!("name={name}"),
            (Version::V1, None) => self.controllers.join(","),
        }
    }

    /// Whether it has this controller.
    pub fn has(&self, controller: &str) -> bool {
        self.controllers.iter().any(|known| known == controller)
    }

    /// The highest group from where we are upwards that this process may write to, so that a name is the same place for
    /// every process of one delegated tree. For root that is the hierarchy's root, unless a namespace hides it.
    pub fn top(&self) -> Option<Path> {
        let mut path = self.own.clone().unwrap_or_default();
        let mut top = None;
        loop {
            match self.root.at(&path) {
                Ok(directory) if directory.may_be_written() => top = Some(path.clone()),
                // Our own group may be gone, or another's: what is above it may still be ours.
                _ if top.is_none() && self.own.as_ref() == Some(&path) => {}
                _ => return top,
            }
            if path.is_root() {
                return top;
            }
            path = path.parent();
        }
    }

    /// Where a group of that name is, or would be; `None` if this process has no place for it here.
    pub fn locate(&self, name: &Name) -> Option<Path> {
        match name {
            Name::Absolute(path) => Some(path.clone()),
            Name::Relative(path) => Some(self.base()?.join(path)),
        }
    }

    /// Where relative names begin.
    pub fn base(&self) -> Option<Path> {
        Some(self.top()?.join(&Path::parse(BASE).ok()?))
    }
}

/// All hierarchies that are mounted.
#[derive(Debug)]
pub struct Hierarchies(Vec<Hierarchy>);

impl Hierarchies {
    /// Looks at /proc/self/mountinfo and /proc/self/cgroup, and opens the root of each hierarchy.
    pub fn discover() -> Result<Self, Error> {
        let mounts = mounts::mounts(&read("/proc/self/mountinfo")?);
        let positions = mounts::positions(&read("/proc/self/cgroup")?);
        let mut all: Vec<Hierarchy> =
            positions.iter().filter_map(|position| best(position, &mounts)).collect();
        if all.is_empty() {
            return Err(Error::NotMounted);
        }
        // /proc has the newest first, and version 2 last; it is the first here: hierarchy 0 is asked before the others.
        all.reverse();
        Ok(Self(all))
    }

    /// Each, that of version 2 first.
    pub fn iter(&self) -> impl Iterator<Item = &Hierarchy> {
        self.0.iter()
    }

    /// The one with this controller. A controller is in one hierarchy at a time (cgroups(7)).
    pub fn of(&self, controller: &str) -> Option<&Hierarchy> {
        self.iter().find(|hierarchy| hierarchy.has(controller))
    }

    /// That of version 2.
    pub fn unified(&self) -> Option<&Hierarchy> {
        self.iter().find(|hierarchy| hierarchy.version == Version::V2)
    }

    /// What kind of machine it is: `v2`, `v1` or `hybrid`.
    pub fn kind(&self) -> &'static str {
        let v1 = self.iter().any(|hierarchy| hierarchy.version == Version::V1);
        match (self.unified().is_some(), v1) {
            (true, true) => "hybrid",
            (true, false) => "v2",
            (false, _) => "v1",
        }
    }
}

/// A file of /proc.
fn read(path: &'static str) -> Result<String, Error> {
    let text = proc_file::read(path).and_then(|bytes| String::from_utf8(bytes).map_err(|_| Errno::ILSEQ));
    text.map_err(|errno| Error::Proc { path, errno })
}

/// The mount of a hierarchy that shows us most: ourselves, for writing, from its root.
fn best(position: &Position, mounts: &[CgroupMount]) -> Option<Hierarchy> {
    let mut candidates: Vec<&CgroupMount> = mounts.iter().filter(|mount| position.is_of(mount)).collect();
    candidates.sort_by_key(|mount| {
        (position.seen_from(mount).is_none(), mount.read_only, mount.root.len(), mount.point.len())
    });
    candidates.into_iter().find_map(|mount| opened(position, mount))
}

/// The hierarchy by this mount; `None` if another one hides it.
fn opened(position: &Position, mount: &CgroupMount) -> Option<Hierarchy> {
    let root = Directory::root(mount).ok()?;
    let name = position.controllers.iter().find_map(|part| part.strip_prefix("name=")).map(str::to_owned);
    let controllers = match mount.version {
        Version::V1 => {
            position.controllers.iter().filter(|part| !part.starts_with("name=")).cloned().collect()
        }
        Version::V2 => words(&root.look("cgroup.controllers").unwrap_or_default()),
    };
    Some(Hierarchy {
        version: mount.version,
        controllers,
        name,
        point: mount.point.clone(),
        own: position.seen_from(mount),
        read_only: mount.read_only,
        root: Arc::new(root),
    })
}

/// The words of a line.
pub fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}
