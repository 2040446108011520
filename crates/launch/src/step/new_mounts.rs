//! A new mount namespace that can be mounted in the caller's.
//!
//! A mount namespace may be mounted only in one that is older, so that no two hold each other (`mnt_ns_loop` in
//! fs/namespace.c). Linux 6.18 compares ids that each CPU takes from a range of its own: what was made last may have the
//! lower one. On one CPU they only rise, and on the one that made the caller's they are higher already.

use super::unshare::refused_kinds;
use super::{Child, Describe};
use crate::fault::{Call, Done, Fault};
use crate::kind::Kind;
use crate::why::{Act, Around};
use insula_sys::birth::unshare;
use insula_sys::nsfs;
use rustix::fd::AsFd;
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::borrow::Cow;
use std::fmt;

/// `CLONE_NEWNS`.
const MOUNTS: u64 = Kind::Mnt.flag();

/// The step.
#[derive(Debug)]
pub struct NewMounts {
    /// The id of the mount namespace that it has to be above; `None`: the kernel has no such ids.
    pub above: Option<u64>,
}

impl NewMounts {
    pub(super) fn run(&self, _at: &mut Child<'_>) -> Done {
        unshare(MOUNTS).map_err(Call::Unshare.failed())?;
        let Some(above) = self.above.filter(|above| !is_above(*above)) else { return Ok(()) };
        let allowed = sched_getaffinity(None).map_err(Call::Check.failed())?;
        for cpu in (0..CpuSet::MAX_CPU).filter(|cpu| allowed.is_set(*cpu)) {
            let mut one = CpuSet::new();
            one.set(cpu);
            sched_setaffinity(None, &one).map_err(Call::Check.failed())?;
            unshare(MOUNTS).map_err(Call::Unshare.failed())?;
            if is_above(above) {
                break;
            }
        }
        // Where none would do, who mounts it is told why it cannot be.
        sched_setaffinity(None, &allowed).map_err(Call::Check.failed())
    }
}

/// Has our own a higher id?
fn is_above(other: u64) -> bool {
    let own = open(c"/proc/self/ns/mnt", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
    own.and_then(|own| nsfs::id(own.as_fd())).is_ok_and(|own| own > other)
}

impl fmt::Display for NewMounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("make a mount namespace")?;
        f.write_str(if self.above.is_some() { " with an id above the caller's" } else { "" })
    }
}

impl Describe for NewMounts {
    const NAME: &'static str = "new-mounts";

    fn why(&self) -> Cow<'static, str> {
        "one that is older than the caller's, or has the lower id, could not be mounted there".into()
    }

    fn act(&self, fault: &Fault, _around: &Around<'_>) -> Option<Act> {
        (fault.call == Call::Unshare).then(|| Act::Make(vec![Kind::Mnt]))
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        (fault.call == Call::Unshare)
            .then(|| refused_kinds(fault.errno, false).map(Cow::from))
            .flatten()
            .or_else(|| {
                (fault.call == Call::Check && fault.errno == Errno::INVAL)
                    .then(|| "the CPUs that we may run on have changed".into())
            })
    }
}
