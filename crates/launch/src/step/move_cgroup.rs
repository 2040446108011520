//! Moves the newborn into a control group, cgroups(7): from outside, by whoever may.

use super::{Describe, Parent};
use crate::fault::{Call, Done, Fault};
use crate::kit::Slot;
use std::borrow::Cow;
use std::fmt;

/// The step.
#[derive(Debug)]
pub struct MoveToCgroup {
    /// `cgroup.procs` of the group in each hierarchy, open for writing.
    pub procs: Vec<Slot>,
    /// The group's name, for people.
    pub name: String,
}

impl MoveToCgroup {
    pub(super) fn run(&self, at: &mut Parent<'_>) -> Done {
        let pid = at.pid.to_string();
        for slot in &self.procs {
            let file = at.kit.get(*slot).map_err(Call::Check.failed())?;
            rustix::io::write(file, pid.as_bytes()).map_err(Call::Write.failed())?;
        }
        Ok(())
    }
}

impl fmt::Display for MoveToCgroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "move it into the control group `{}`", self.name)
    }
}

impl Describe for MoveToCgroup {
    const NAME: &'static str = "move-to-cgroup";

    fn why(&self) -> Cow<'static, str> {
        "before it does anything, so that all of it is counted and limited; and before its cgroup namespace is made, whose \
         root this group shall be"
            .into()
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        super::join_cgroup::refused(fault.errno).map(Into::into)
    }
}
