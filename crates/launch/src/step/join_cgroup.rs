//! Moves this process into a control group, cgroups(7).

use super::{Child, Describe};
use crate::fault::{Call, Done, Fault};
use crate::kit::Slot;
use crate::why::{Act, Around};
use rustix::io::Errno;
use std::borrow::Cow;
use std::fmt;

/// The step.
#[derive(Debug)]
pub struct JoinCgroup {
    /// `cgroup.procs` of the group in each hierarchy, open for writing.
    pub procs: Vec<Slot>,
    /// The group's name, for people.
    pub name: String,
}

impl JoinCgroup {
    pub(super) fn run(&self, at: &mut Child<'_>) -> Done {
        for slot in &self.procs {
            let file = at.kit.get(*slot).map_err(Call::Check.failed())?;
            // cgroups(7): 0 is the process that writes.
            rustix::io::write(file, b"0").map_err(Call::Write.failed())?;
        }
        Ok(())
    }
}

impl fmt::Display for JoinCgroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "move into the control group `{}`", self.name)
    }
}

impl Describe for JoinCgroup {
    const NAME: &'static str = "join-cgroup";

    fn why(&self) -> Cow<'static, str> {
        "before the program runs, so that all of it is counted and limited".into()
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        refused(fault.errno).map(Into::into)
    }

    fn act(&self, fault: &Fault, _around: &Around<'_>) -> Option<Act> {
        (fault.call == Call::Write).then_some(Act::JoinGroup)
    }
}

/// What to do where a group does not take a process.
pub(super) fn refused(errno: Errno) -> Option<&'static str> {
    Some(match errno {
        Errno::ACCESS | Errno::PERM => {
            "moving a process wants the right to write `cgroup.procs` of the group and of the nearest group above \
             both it and the present one (cgroups(7), delegation)"
        }
        Errno::BUSY => {
            "the group hands controllers on to groups below it, and so may hold no process itself (cgroups(7), \
             \"no internal processes\")"
        }
        Errno::NODEV => "the group is being removed",
        Errno::NOSPC => "the group's cpuset has no cpus or no memory nodes yet: set both first (cpuset(7))",
        _ => return None,
    })
}
