//! Network devices of the runtime's network namespace go to the child's (config-linux.md, "Network Devices").

use super::{Describe, Errand, Parent};
use crate::fault::Done;
use std::borrow::Cow;
use std::fmt;

/// The step. It is done by who launches, who knows of devices: [`Errand::Devices`].
#[derive(Debug)]
pub struct MoveDevices {
    /// Each device's name, and its name in the container.
    pub devices: Vec<(String, String)>,
}

impl MoveDevices {
    pub(super) fn run(&self, at: &mut Parent<'_>) -> Done {
        match at.commit.as_mut() {
            Some(commit) => (commit.0)(Errand::Devices(&self.devices), at.kit, at.pid),
            None => Ok(()),
        }
    }
}

impl fmt::Display for MoveDevices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("move network devices into its network namespace:")?;
        for (i, (old, new)) in self.devices.iter().enumerate() {
            write!(f, "{} {old}", if i == 0 { "" } else { "," })?;
            if old != new {
                write!(f, " as {new}")?;
            }
        }
        Ok(())
    }
}

impl Describe for MoveDevices {
    const NAME: &'static str = "move-devices";

    fn why(&self) -> Cow<'static, str> {
        "only who has rights in both namespaces may; before any hook or setting that looks for them".into()
    }
}
