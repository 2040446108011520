//! The limits of a group: `linux.resources` of the OCI specification, as writes to control files.
//!
//! [`controllers`] says which controllers they need, before there is a group; [`apply`] converts for the version that each
//! controller is on and writes. A conversion is pure but for a look at the group's present values.

mod convert;
mod counts;
mod cpu;
mod device_program;
mod device_rule;
mod devices;
mod filter;
mod io;
mod memory;
mod setting;

pub use convert::{shares_of_weight, weight_of_shares};
pub use setting::Setting;

use crate::directory::put;
use crate::error::{Cause, Error, Missing};
use crate::group::{Group, Place, not_ours};
use crate::hierarchy::{Hierarchies, words};
use crate::mounts::Version;
use insula_oci::Resources;
use insula_oci::resources::Cpu;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::OFlags;
use rustix::io::Errno;
use setting::unknown;

/// The controllers that the limits need on this machine, each once. A name in `unified` that can be no limit's is refused.
pub fn controllers(resources: &Resources, hierarchies: &Hierarchies) -> Result<Vec<String>, Error> {
    let mut all: Vec<String> = Vec::new();
    let mut need = |is_needed: bool, controller: &str| {
        if is_needed && !all.iter().any(|known| known == controller) {
            all.push(controller.to_owned());
        }
    };
    need(resources.memory.is_some(), "memory");
    if let Some(limits) = &resources.cpu {
        need(has_time(limits), "cpu");
        need(limits.cpus.is_some() || limits.mems.is_some(), "cpuset");
    }
    need(resources.pids.as_ref().is_some_and(|pids| pids.limit.is_some()), "pids");
    if resources.block_io.is_some() {
        need(true, if hierarchies.of("blkio").is_some() { "blkio" } else { "io" });
    }
    need(!resources.hugepage_limits.is_empty(), "hugetlb");
    need(!resources.rdma.is_empty(), "rdma");
    if let Some(network) = &resources.network {
        need(network.class_id.is_some(), "net_cls");
        need(!network.priorities.is_empty(), "net_prio");
    }
    // Version 2 has a program in the place of a controller.
    need(!resources.devices.is_empty() && hierarchies.of("devices").is_some(), "devices");
    for file in resources.unified.keys() {
        let controller = counts::unified_controller(file)?;
        need(controller != "cgroup", controller);
    }
    Ok(all)
}

/// Writes the limits. What is absent stays as it is. A failure leaves those written before it.
pub fn apply(group: &Group, resources: &Resources) -> Result<(), Error> {
    let version = |controller: &str| version_of(group, controller);
    let in_place = |controller: &str, convert: &dyn Fn(Version, setting::Look<'_>) -> setting::Settings| {
        let place = group.place(controller);
        let Some(place) = place else {
            return Err(unknown(controller, "", controller, Missing::Controller));
        };
        let look = |file: &str| place.directory.look(file);
        write(group, &convert(place.version, &look)?)
    };
    if let Some(limits) = &resources.memory {
        in_place("memory", &|version, look| memory::settings(limits, version, look))
            .map_err(|error| named(group, error))?;
    }
    if let Some(limits) = &resources.cpu {
        write(group, &cpu::cpuset(limits))?;
        if has_time(limits) {
            in_place("cpu", &|version, look| cpu::settings(limits, version, look))?;
        }
    }
    if let Some(limits) = &resources.pids {
        write(group, &counts::pids(limits)?)?;
    }
    if let Some(limits) = &resources.block_io {
        let controller = if group.place("blkio").is_some() { "blkio" } else { "io" };
        in_place(controller, &|version, look| io::settings(limits, version, look))?;
    }
    let hugetlb = version("hugetlb").unwrap_or(Version::V2);
    write(group, &counts::hugepages(&resources.hugepage_limits, hugetlb)?)?;
    write(group, &counts::rdma(&resources.rdma)?)?;
    if let Some(limits) = &resources.network {
        write(group, &counts::network(limits, version)?)?;
    }
    if version("devices").is_some() {
        write(group, &devices::settings(&resources.devices)?)?;
    } else if !resources.devices.is_empty() {
        filter::set(group, &resources.devices)?;
    }
    write(group, &counts::unified(&resources.unified, version)?)
}

/// Whether anything is asked of the `cpu` controller, beside the sets, which are `cpuset`'s.
fn has_time(limits: &Cpu) -> bool {
    *limits != Cpu { cpus: limits.cpus.clone(), mems: limits.mems.clone(), ..Cpu::default() }
}

/// The version that a controller is on; `cgroup` is the core of version 2 itself.
fn version_of(group: &Group, controller: &str) -> Option<Version> {
    if controller == "cgroup" {
        return group.unified().map(|place| place.version);
    }
    group.place(controller).map(|place| place.version)
}

/// A refusal by the present use, with the file's whole path.
fn named(group: &Group, error: Error) -> Error {
    match (error, group.place("memory")) {
        (Error::BelowUse { path, limit_bytes, used_bytes }, Some(place)) => {
            Error::BelowUse { path: place.directory.shown_of(&path), limit_bytes, used_bytes }
        }
        (error, _) => error,
    }
}

/// Writes one after another.
fn write(group: &Group, settings: &[Setting]) -> Result<(), Error> {
    // Rules for devices are many writes to one file.
    let mut open: Option<(&Setting, OwnedFd)> = None;
    for setting in settings {
        let place = match setting.controller.as_str() {
            "cgroup" => group.unified(),
            controller => group.place(controller),
        };
        let Some(place) = place else {
            return Err(unknown(&setting.controller, &setting.file, &setting.value, Missing::Controller));
        };
        let is_open = |(of, _): &(&Setting, OwnedFd)| {
            (&of.controller, &of.file) == (&setting.controller, &setting.file)
        };
        let file = match open.take().filter(is_open) {
            Some((_, file)) => Ok(file),
            None => place.directory.open(&setting.file, OFlags::WRONLY),
        };
        let written = file.and_then(|file| {
            let written = put(file.as_fd(), &setting.value);
            open = Some((setting, file));
            written
        });
        match written {
            Ok(()) => checked(place, setting)?,
            Err(Errno::NOENT) if setting.absent.is_none() => {}
            Err(errno) => return Err(refused(place, setting, errno)),
        }
    }
    Ok(())
}

/// The kernel rounds shares into their range without a word: what holds is not what was asked for, so it is said.
fn checked(place: &Place, setting: &Setting) -> Result<(), Error> {
    if setting.file != "cpu.shares" {
        return Ok(());
    }
    match place.directory.look(&setting.file) {
        Some(now) if now != setting.value => {
            let reason = format!("is not within 2 and 262144; the kernel has made it {now}");
            Err(Error::invalid("cpu.shares", &setting.value, reason))
        }
        _ => Ok(()),
    }
}

/// Why a control file has refused.
fn refused(place: &Place, setting: &Setting, errno: Errno) -> Error {
    let directory = &place.directory;
    let (path, value) = (directory.shown_of(&setting.file), setting.value.clone());
    if errno == Errno::NOENT {
        let enabled = || words(&directory.look("cgroup.controllers").unwrap_or_default());
        if place.version == Version::V2
            && setting.controller != "cgroup"
            && !enabled().contains(&setting.controller)
        {
            let (controller, above) = (setting.controller.clone(), place.above.shown().to_owned());
            return Error::Write {
                path,
                value,
                errno,
                cause: Some(Cause::NotAvailable { controller, directory: above }),
            };
        }
        let (controller, file) = (setting.controller.clone(), setting.file.clone());
        return Error::Missing { controller, file, value, why: setting.absent.unwrap_or(Missing::File) };
    }
    let cause = match errno {
        Errno::ROFS => Some(Cause::ReadOnly { path: directory.shown().to_owned() }),
        Errno::ACCESS | Errno::PERM => not_ours(directory),
        Errno::BUSY if setting.controller == "memory" => Some(Cause::InUse),
        Errno::INVAL | Errno::RANGE | Errno::NODEV | Errno::NOSPC | Errno::BUSY => {
            range(&setting.file).map(Cause::Range)
        }
        _ => None,
    };
    Error::Write { path, value, errno, cause }
}

/// What a file takes.
fn range(file: &str) -> Option<&'static str> {
    Some(match file {
        "cpu.cfs_quota_us" | "cpu.max" => {
            "a quota of 1000 microseconds or more, a period from 1000 to 1000000, and together no more than the groups above allow"
        }
        "cpu.cfs_period_us" => {
            "1000 to 1000000 microseconds, and with the quota no more than the groups above allow"
        }
        "cpu.cfs_burst_us" | "cpu.max.burst" => "0 to the quota, in microseconds",
        "cpu.weight" => "1 to 10000",
        "cpuset.cpus" => "CPUs, as 0-2,4, that the group above has, and none only while no process is in it",
        "cpuset.mems" => {
            "memory nodes, as 0-1, that the group above has, and none only while no process is in it"
        }
        "cpu.rt_runtime_us" | "cpu.rt_period_us" => {
            "a runtime within the period, and within what the group above has"
        }
        "memory.memsw.limit_in_bytes" => "memory and swap together, so at least the limit of memory",
        "memory.limit_in_bytes" => "at most the limit of memory and swap together",
        "io.max" | "io.weight" | "io.bfq.weight" => "numbers of a whole disk, as 8:0, not of a partition",
        _ if file.starts_with("blkio.") => "numbers of a whole disk, as 8:0, not of a partition",
        _ => return None,
    })
}
