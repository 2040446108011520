//! Cuts the way by which our mounts would reach the host, mount_namespaces(7).

use super::{Child, Describe};
use crate::fault::{Call, Done};
use rustix::mount::{MountPropagationFlags, mount_change};
use std::borrow::Cow;
use std::fmt;

/// What the whole tree becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Events come in, none go out: `MS_SLAVE`.
    Slave,
    /// Nothing in, nothing out: `MS_PRIVATE`.
    Private,
}

/// The step.
#[derive(Debug)]
pub struct Propagation(pub Mode);

impl Propagation {
    pub(super) fn run(&self, _at: &mut Child<'_>) -> Done {
        let mode = match self.0 {
            Mode::Slave => MountPropagationFlags::DOWNSTREAM,
            Mode::Private => MountPropagationFlags::PRIVATE,
        };
        mount_change(c"/", mode | MountPropagationFlags::REC).map_err(Call::MountSetattr.failed())
    }
}

impl fmt::Display for Propagation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "make every mount {}",
            if self.0 == Mode::Slave { "a slave of the host's" } else { "private" }
        )
    }
}

impl Describe for Propagation {
    const NAME: &'static str = "propagation";

    fn why(&self) -> Cow<'static, str> {
        "mounts made here must not appear on the host, and pivot_root refuses a shared parent".into()
    }
}
