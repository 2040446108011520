//! The control groups of a process, and the files by which they are joined: cgroups(7), proc_pid_cgroup(5).
//!
//! In every hierarchy, of version 1 and 2, in which the target is in another group than we are.

use super::target::Target;
use crate::error::Error;
use insula_launch::host::mounts::unescape;
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use std::fs::File;
use std::io::Read;

/// `cgroup.procs` of each group that is to be joined, and the groups' names for people.
pub(super) fn procs(target: &Target) -> Result<(Vec<OwnedFd>, String), Error> {
    let mut theirs = String::new();
    let file = target.open_file("cgroup", OFlags::RDONLY)?;
    File::from(file).read_to_string(&mut theirs).map_err(|error| {
        target.refused("read `cgroup`".to_owned(), Errno::from_io_error(&error).unwrap_or(Errno::IO))
    })?;
    let ours = read("/proc/self/cgroup")?;
    let mounts = read("/proc/self/mountinfo")?;
    let groups = differing(&theirs, &ours);
    let mut files = Vec::new();
    for group in &groups {
        let path = directory(group, &mounts).ok_or_else(|| out_of_sight(group))? + "/cgroup.procs";
        let file = open(path.as_str(), OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty());
        files.push(file.map_err(|errno| Error::File("open", path, errno))?);
    }
    let names: Vec<String> = groups.iter().map(Group::shown).collect();
    Ok((files, names.join(" ")))
}

fn read(path: &str) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|error| {
        Error::File("read", path.to_owned(), Errno::from_io_error(&error).unwrap_or(Errno::IO))
    })
}

fn out_of_sight(group: &Group<'_>) -> Error {
    Error::Asked {
        what: "--join-cgroup".to_owned(),
        reason: format!("the target's group `{}` is nowhere in our view", group.shown()),
        hint: Some(
            "its hierarchy is not mounted in our mount namespace, or the group is outside of our cgroup namespace".to_owned(),
        ),
    }
}

/// A line of proc_pid_cgroup(5).
#[derive(Debug, PartialEq, Eq)]
struct Group<'a> {
    /// In version 1 the controllers, or `name=…`; empty in version 2.
    controllers: &'a str,
    path: &'a str,
}

impl Group<'_> {
    fn shown(&self) -> String {
        if self.controllers.is_empty() {
            self.path.to_owned()
        } else {
            format!("{}:{}", self.controllers, self.path)
        }
    }
}

fn groups(text: &str) -> impl Iterator<Item = Group<'_>> {
    text.lines().filter_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        Some(Group { controllers, path })
    })
}

/// Their groups without those that are ours as well.
fn differing<'a>(theirs: &'a str, ours: &str) -> Vec<Group<'a>> {
    groups(theirs).filter(|group| !groups(ours).any(|own| own == *group)).collect()
}

/// The directory of a group, by a mount of its hierarchy that shows it.
fn directory(group: &Group<'_>, mounts: &str) -> Option<String> {
    // A path with `..` is outside of our cgroup namespace, cgroup_namespaces(7).
    if group.path.split('/').any(|part| part == "..") {
        return None;
    }
    mounts.lines().find_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        let mut after = after.split(' ');
        let of_this_hierarchy = match (after.next()?, group.controllers) {
            ("cgroup2", "") => true,
            ("cgroup", controllers) if !controllers.is_empty() => {
                let options: Vec<&str> = after.nth(1)?.split(',').collect();
                controllers.split(',').all(|controller| options.contains(&controller))
            }
            _ => false,
        };
        let mut before = before.split(' ').skip(3);
        let (root, point) = (unescape(before.next()?)?, unescape(before.next()?)?);
        let below = match group.path.strip_prefix(root.trim_end_matches('/')) {
            Some(below) if below.is_empty() || below.starts_with('/') => below,
            _ => return None,
        };
        of_this_hierarchy.then(|| format!("{}{}", point.trim_end_matches('/'), below.trim_end_matches('/')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
30 1 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n\
31 1 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
32 1 0:28 /box /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n";

    fn at(controllers: &str, path: &str) -> Option<String> {
        directory(&Group { controllers, path }, MOUNTS)
    }

    #[test]
    fn a_group_is_found_by_a_mount_of_its_hierarchy() {
        assert_eq!(at("", "/a/b").as_deref(), Some("/sys/fs/cgroup/unified/a/b"));
        assert_eq!(at("", "/").as_deref(), Some("/sys/fs/cgroup/unified"));
        assert_eq!(at("cpu,cpuacct", "/x").as_deref(), Some("/sys/fs/cgroup/cpu,cpuacct/x"));
        assert_eq!(at("name=systemd", "/box/in").as_deref(), Some("/sys/fs/cgroup/systemd/in"));
        assert_eq!(at("name=systemd", "/boxes"), None, "beside what is mounted");
        assert_eq!(at("memory", "/x"), None, "not mounted");
        assert_eq!(at("", "/../x"), None, "outside of our cgroup namespace");
    }

    #[test]
    fn a_group_that_is_ours_already_is_left_out() {
        let differ = differing("2:cpu:/x\n1:name=systemd:/\n0::/a:b\n", "2:cpu:/y\n1:name=systemd:/\n0::/\n");
        let shown: Vec<String> = differ.iter().map(Group::shown).collect();
        assert_eq!(shown, ["cpu:/x", "/a:b"]);
    }
}
