//! Which group of a container a process joins: its own, or one below it, in all hierarchies or in those of some controllers.

use super::error::Error;
use insula_cgroup::{Group, Path, Place, Version, members};
use rustix::fd::OwnedFd;

/// What `exec --cgroup` asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subgroups {
    /// In every hierarchy.
    all: Option<Path>,
    /// In the hierarchy of a controller.
    of: Vec<(String, Path)>,
}

impl Subgroups {
    /// Reads `[CONTROLLER[,CONTROLLER…]:]PATH`, each value of the flag; a path alone is the only value, as in runc.
    pub fn parse<'a>(values: impl Iterator<Item = &'a str>) -> Result<Subgroups, Error> {
        let mut asked = Subgroups::default();
        let values: Vec<&str> = values.collect();
        for value in &values {
            let refused = |reason: &str| Error::Subgroup((*value).to_owned(), reason.to_owned());
            let path = |text: &str| Path::parse(text).map_err(|error| refused(&error.to_string()));
            match value.split_once(':') {
                None if values.len() == 1 => asked.all = Some(path(value)?),
                None => return Err(refused("of several each is CONTROLLER[,CONTROLLER…]:PATH")),
                Some((controllers, below)) => {
                    for controller in controllers.split(',') {
                        if controller.is_empty() {
                            return Err(refused("a controller has no name"));
                        }
                        if asked.of.iter().any(|(known, _)| known == controller) {
                            return Err(refused(&format!("`{controller}` has a group already")));
                        }
                        asked.of.push((controller.to_owned(), path(below)?));
                    }
                }
            }
        }
        Ok(asked)
    }

    /// Is it the container's own group?
    pub fn is_own(&self) -> bool {
        *self == Subgroups::default()
    }

    /// `cgroup.procs` of each group. `pid` is the container's first process.
    pub(super) fn doors(&self, group: &Group, pid: i32) -> Result<Vec<OwnedFd>, Error> {
        for (controller, path) in &self.of {
            let has = |place: &Place| place.version == Version::V1 && place.has(controller);
            if !group.places().iter().any(has) {
                let v1 = group.places().iter().any(|place| place.version == Version::V1);
                let reason = if v1 {
                    "the container has no group in a hierarchy of this controller"
                } else {
                    "cgroup version 2 has one hierarchy for all controllers: name the path alone"
                };
                return Err(Error::Subgroup(format!("{controller}:{path}"), reason.to_owned()));
            }
        }
        let firsts = if self.is_own() { own(group, pid)? } else { None };
        let below = |place: &Place| {
            let named = self.of.iter().find(|(controller, _)| place.has(controller)).map(|(_, path)| path);
            match place.version {
                Version::V1 => named.or(self.all.as_ref()),
                Version::V2 => self.all.as_ref().or(firsts.as_ref()),
            }
        };
        let joins = group.joins_below(below).map_err(Error::Cgroup)?;
        Ok(joins.into_iter().map(|(_, file)| file).collect())
    }
}

/// A group of version 2 that gives controllers to groups below it takes no process (cgroups(7), "no internal processes"): a
/// container that has made such is joined where its first process is, as runc does.
fn own(group: &Group, pid: i32) -> Result<Option<Path>, Error> {
    let gives = |place: &Place| {
        place.directory.look("cgroup.subtree_control").is_some_and(|text| !text.trim().is_empty())
    };
    if !group.unified().is_some_and(gives) {
        return Ok(None);
    }
    let members = members(group).map_err(Error::Cgroup)?;
    Ok(members.into_iter().find(|member| member.pid == pid).map(|member| member.below))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(values: &[&str]) -> Result<Subgroups, String> {
        Subgroups::parse(values.iter().copied()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_group_is_of_all_hierarchies_or_of_named_controllers() {
        let path = |text| Path::parse(text).unwrap();
        let all = Subgroups { all: Some(path("a/b")), of: Vec::new() };
        assert_eq!(parsed(&["a/b"]), Ok(all.clone()));
        assert_eq!(parsed(&["/a/b"]), Ok(all));
        let of = ["cpu", "cpuacct", "memory"].map(str::to_owned).into_iter();
        let of = of.zip([path("x"), path("x"), path("y")]).collect();
        assert_eq!(parsed(&["cpu,cpuacct:x", "memory:/y"]), Ok(Subgroups { all: None, of }));
        assert!(parsed(&[]).is_ok_and(|asked| asked.is_own()));
        for wrong in
            [&["a", "b"][..], &["cpu:a", "b"], &["cpu:a", "cpu:b"], &[":a"], &["../x"], &["cpu:a/../.."]]
        {
            assert!(parsed(wrong).is_err(), "{wrong:?}");
        }
    }
}
