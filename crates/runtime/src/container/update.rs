//! `update`: other limits for a container that is there; `events`: what it uses.

use super::directory::Directory;
use super::error::Error;
use super::processes::group;
use super::status::{Found, status};
use insula_cgroup::limits::apply;
use insula_cgroup::usage::{Limits, Usage, limits, usage};
use insula_oci::{Resources, Status};

/// Sets what `resources` has; what is absent stays as it is.
pub fn update(directory: &Directory, resources: &Resources) -> Result<(), Error> {
    apply(&group(&living(directory)?)?, resources).map_err(Error::Cgroup)
}

/// What the container uses, and may use.
pub fn used(directory: &Directory) -> Result<(Usage, Limits), Error> {
    let group = group(&living(directory)?)?;
    Ok((usage(&group), limits(&group)))
}

/// The pids of its processes count; those that have ended use nothing.
fn living(directory: &Directory) -> Result<Found, Error> {
    let found = status(directory)?;
    match found.status {
        Status::Stopped | Status::Creating => {
            let words = "container not running";
            Err(Error::Status { id: found.record.id, status: found.status, words })
        }
        _ => Ok(found),
    }
}
