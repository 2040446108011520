//! The program on devices of a version 2 group: loaded, and attached in the place of the one before.

use super::device_program::compile;
use super::device_rule::shown;
use super::setting::unknown;
use crate::error::{Cause, Error, Missing};
use crate::group::{Group, Place};
use insula_oci::resources::DeviceRule;
use insula_sys::bpf::{attach_device_program, detach_device_program, device_programs, load_device_program};
use rustix::fd::AsFd;
use rustix::io::Errno;

/// Sets the rules. At no moment is the group without a program: the new one takes the old one's place, or is there before
/// the others go.
pub fn set(group: &Group, rules: &[DeviceRule]) -> Result<(), Error> {
    let Some(place) = group.unified() else {
        let first = rules.first().map(shown).unwrap_or_default();
        return Err(unknown("devices", "", first, Missing::Controller));
    };
    let program = load_device_program(&compile(rules)?)
        .map_err(|errno| refused("load the program on devices of", place, errno))?;
    let directory = open(place).map_err(|errno| refused("open the cgroup", place, errno))?;
    let there = device_programs(directory.as_fd())
        .map_err(|errno| refused("list the programs on devices of", place, errno))?;
    let (replaced, others) = match there.as_slice() {
        [one] => (Some(one.as_fd()), &[][..]),
        others => (None, others),
    };
    attach_device_program(directory.as_fd(), program.as_fd(), replaced)
        .map_err(|errno| refused("attach the program on devices to", place, errno))?;
    for other in others {
        detach_device_program(directory.as_fd(), other.as_fd())
            .map_err(|errno| refused("detach an old program on devices from", place, errno))?;
    }
    Ok(())
}

/// bpf(2) wants a directory that is open for reading; an `O_PATH` descriptor is EBADF.
fn open(place: &Place) -> Result<rustix::fd::OwnedFd, Errno> {
    place.directory.open(".", rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::DIRECTORY)
}

fn refused(doing: &'static str, place: &Place, errno: Errno) -> Error {
    let cause = if errno == Errno::PERM { Some(Cause::NoPrograms) } else { None };
    Error::Call { doing, path: place.directory.shown().to_owned(), errno, cause }
}
