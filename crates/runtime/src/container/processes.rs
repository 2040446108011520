//! `ps`: the processes of a container; `pause` and `resume`: all of them at once.

use super::cgroup;
use super::directory::Directory;
use super::error::Error;
use super::kill::PATIENCE;
use super::status::{Found, status};
use insula_cgroup::{Group, freeze, members, thaw};
use insula_oci::Status;

/// Their pids, in the runtime's pid namespace, sorted.
pub fn pids(directory: &Directory) -> Result<Vec<u32>, Error> {
    let found = status(directory)?;
    let group = group(&found)?;
    let mut pids: Vec<u32> = members(&group)
        .map_err(Error::Cgroup)?
        .iter()
        .filter_map(|member| u32::try_from(member.pid).ok())
        .filter(|pid| *pid > 0)
        .collect();
    pids.sort_unstable();
    pids.dedup();
    Ok(pids)
}

/// Stops them all.
pub fn pause(directory: &Directory) -> Result<(), Error> {
    let found = status(directory)?;
    match found.status {
        Status::Running | Status::Created => freeze(&group(&found)?, PATIENCE).map_err(Error::Cgroup),
        status => Err(Error::Status { id: found.record.id, status, words: "container not running" }),
    }
}

/// Lets them go on.
pub fn resume(directory: &Directory) -> Result<(), Error> {
    let found = status(directory)?;
    match found.status {
        Status::Paused => thaw(&group(&found)?, PATIENCE).map_err(Error::Cgroup),
        status => Err(Error::Status { id: found.record.id, status, words: "container not paused" }),
    }
}

pub(super) fn group(found: &Found) -> Result<Group, Error> {
    cgroup::open(&found.record)?.ok_or_else(|| Error::NoCgroup {
        id: found.record.id.clone(),
        name: found.record.cgroup.as_ref().map(|group| group.name.clone()),
    })
}
