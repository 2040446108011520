//! A container's control group: found, made, limited, and taken away with it.

use super::error::Error;
use super::id::Id;
use super::record;
use crate::compile::{CgroupMount, CgroupPlace};
use insula_cgroup::limits::{apply, controllers};
use insula_cgroup::{
    Group, Hierarchies, Hierarchy, Made, Name, Version, create, is_frozen as frozen, members,
    remove_idle as remove_idle_in,
};
use insula_launch::injected::skips;
use insula_oci::resources::{DeviceRule, DeviceRuleKind};
use insula_oci::{Linux, Resources};
use rustix::fd::OwnedFd;
use rustix::process::geteuid;

/// A group that was made for a container.
#[derive(Debug)]
pub(super) struct Ours {
    made: Made,
    name: Name,
}

/// The group that a configuration asks for: `linux.cgroupsPath`, else one named by the id, as runc has it.
pub(super) fn name(linux: &Linux, id: &Id) -> Result<Name, Error> {
    let path = linux.cgroups_path.clone().unwrap_or_else(|| format!("/{id}"));
    Name::parse(&path).map_err(Error::Cgroup)
}

/// What is written down of a group before it is made.
pub(super) fn intent(name: &Name) -> record::Cgroup {
    record::Cgroup { name: name.to_string(), freezer: None }
}

/// Makes the group and limits it. `None`: this user may make none, and nobody asked for a limit.
pub(super) fn make(name: Name, resources: &Resources) -> Result<Option<Ours>, Error> {
    let is_root = geteuid().is_root();
    let hierarchies = match Hierarchies::discover() {
        Ok(hierarchies) => hierarchies,
        Err(_) if *resources == Resources::default() => return Ok(None),
        Err(error) => return Err(Error::Cgroup(error)),
    };
    // Without the host's root no device rule can be set, and none is needed: the kernel lets nobody make a device node.
    let devices = if is_root { with_defaults(&resources.devices) } else { Vec::new() };
    let resources = &Resources { devices, ..resources.clone() };
    let needed = controllers(resources, &hierarchies).map_err(Error::Cgroup)?;
    let made = match create(&hierarchies, &name, &needed) {
        Ok(made) => made,
        Err(_) if !is_root && *resources == Resources::default() => return Ok(None),
        Err(error) => return Err(Error::Cgroup(error)),
    };
    let ours = Ours { made, name };
    let limit = || match skips("limits") {
        true => Ok(()),
        false => apply(&ours.made.group, resources).map_err(Error::Cgroup),
    };
    match ours.check().and_then(|()| limit()) {
        Ok(()) => Ok(Some(ours)),
        Err(error) => {
            ours.made.undo();
            Err(error)
        }
    }
}

/// What [`make`] would make, as far as that can be known without making it: a directory in each hierarchy where this process
/// may. `None`: there is none.
pub(super) fn would_be(name: &Name) -> Option<CgroupPlace> {
    let hierarchies = Hierarchies::discover().ok()?;
    let may = |hierarchy: &&Hierarchy| {
        let mut above = hierarchy.locate(name)?;
        loop {
            match hierarchy.root().at(&above) {
                Ok(directory) => return directory.may_be_written().then_some(()),
                Err(_) if above.is_root() => return None,
                Err(_) => above = above.parent(),
            }
        }
    };
    let places = hierarchies.iter().filter(|one| one.name.is_none() && !one.read_only && may(one).is_some());
    let mounts: Vec<CgroupMount> = places
        .filter_map(|place| {
            let group = place.locate(name)?.to_string();
            Some(mount(
                place.version,
                &place.label(),
                &place.controllers,
                place.root().shown_of(group.trim_start_matches('/')),
            ))
        })
        .collect();
    (!mounts.is_empty()).then(|| CgroupPlace { name: name.to_string(), doors: mounts.len(), mounts })
}

/// What a mount of type `cgroup` shows of one directory.
fn mount(version: Version, label: &str, controllers: &[String], group: String) -> CgroupMount {
    let is_v2 = version == Version::V2;
    let options = if is_v2 { Vec::new() } else { controllers.to_vec() };
    CgroupMount { directory: label.to_owned(), is_v2, options, group }
}

/// The rules of a configuration, and behind them what the devices that every container has need (config-linux.md, "Default
/// Devices"), terminals, and the making of any node, which is a matter of CAP_MKNOD. So does runc.
fn with_defaults(rules: &[DeviceRule]) -> Vec<DeviceRule> {
    const CHARACTER: [(Option<i64>, Option<i64>); 9] = [
        (Some(1), Some(3)),
        (Some(1), Some(5)),
        (Some(1), Some(7)),
        (Some(1), Some(8)),
        (Some(1), Some(9)),
        (Some(5), Some(0)),
        (Some(5), Some(1)),
        (Some(5), Some(2)),
        (Some(136), None),
    ];
    if rules.is_empty() {
        return Vec::new();
    }
    let rule = |kind, major, minor, access: &str| DeviceRule {
        allow: true,
        kind: Some(kind),
        major,
        minor,
        access: Some(access.to_owned()),
    };
    let nodes = [DeviceRuleKind::Char, DeviceRuleKind::Block].map(|kind| rule(kind, None, None, "m"));
    let devices = CHARACTER.map(|(major, minor)| rule(DeviceRuleKind::Char, major, minor, "rwm"));
    rules.iter().cloned().chain(nodes).chain(devices).collect()
}

impl Ours {
    /// A group that was there must be empty and awake: else it is another's.
    fn check(&self) -> Result<(), Error> {
        let group = &self.made.group;
        if self.made.is_new() {
            return Ok(());
        }
        let in_use = |words| Err(Error::CgroupInUse { name: self.name.to_string(), words });
        if !members(group).map_err(Error::Cgroup)?.is_empty() {
            return in_use("is not empty");
        }
        if frozen(group) == Some(true) {
            return in_use("unexpectedly frozen");
        }
        Ok(())
    }

    /// What is written down of it.
    pub(super) fn record(&self) -> record::Cgroup {
        record::Cgroup { name: self.name.to_string(), freezer: freezer(&self.made.group) }
    }

    /// Its name.
    pub(super) fn shown(&self) -> String {
        self.name.to_string()
    }

    /// `cgroup.procs` of each of its directories, for a process to be moved.
    pub(super) fn doors(&self) -> Result<Vec<OwnedFd>, Error> {
        let joins = self.made.group.joins().map_err(Error::Cgroup)?;
        Ok(joins.into_iter().map(|(_, file)| file).collect())
    }

    /// What a mount of type `cgroup` shows of it.
    pub(super) fn mounts(&self) -> Vec<CgroupMount> {
        let places = self.made.group.places();
        let of = |place: &insula_cgroup::Place| {
            mount(place.version, &place.label, &place.controllers, place.directory.shown().to_owned())
        };
        places.iter().map(of).collect()
    }

    /// Takes back what was made.
    pub(super) fn undo(self) {
        self.made.undo();
    }
}

/// The file that says whether a group is frozen: one to read, where a search for all hierarchies would be dear.
fn freezer(group: &Group) -> Option<String> {
    let unified = group.places().iter().find(|place| place.version == Version::V2);
    let place = unified.or_else(|| group.place("freezer"))?;
    let file = if place.version == Version::V2 { "cgroup.freeze" } else { "freezer.state" };
    Some(place.directory.shown_of(file))
}

/// Does that file say so?
pub(super) fn is_frozen(file: &str) -> bool {
    std::fs::read_to_string(file).is_ok_and(|text| matches!(text.trim(), "1" | "FROZEN" | "FREEZING"))
}

/// Opens the group of a record; `None`: it has none, or none is left.
pub(super) fn open(of: &record::Record) -> Result<Option<Group>, Error> {
    let Some(cgroup) = &of.cgroup else { return Ok(None) };
    open_named(&Name::parse(&cgroup.name).map_err(Error::Cgroup)?)
}

/// Removes the group of a record if nothing is in it; `Some`: something may be, and here it is.
pub(super) fn remove_idle(of: &record::Record) -> Result<Option<Group>, Error> {
    let Some(cgroup) = &of.cgroup else { return Ok(None) };
    let name = Name::parse(&cgroup.name).map_err(Error::Cgroup)?;
    let hierarchies = Hierarchies::discover().map_err(Error::Cgroup)?;
    if remove_idle_in(&hierarchies, &name) { Ok(None) } else { open_in(&hierarchies, &name) }
}

/// Opens the group of a name; `None`: there is none.
pub(super) fn open_named(name: &Name) -> Result<Option<Group>, Error> {
    open_in(&Hierarchies::discover().map_err(Error::Cgroup)?, name)
}

fn open_in(hierarchies: &Hierarchies, name: &Name) -> Result<Option<Group>, Error> {
    match Group::open(hierarchies, name) {
        Ok(group) => Ok(Some(group)),
        Err(insula_cgroup::Error::NoGroup(_)) => Ok(None),
        Err(error) => Err(Error::Cgroup(error)),
    }
}
