//! Checks that the namespaces which were entered are those that were asked for.

use super::{Child, Describe};
use crate::fault::{Call, Done, Fault};
use crate::kit::Slot;
use crate::plan::Kind;
use insula_sys::nsfs::{Whose, of_process};
use rustix::fd::AsFd;
use rustix::fs::{AtFlags, Stat, fstat, statat};
use rustix::io::Errno;
use std::borrow::Cow;
use std::fmt;

/// A namespace as it was seen beforehand; the process that it was seen at, or a descriptor, has kept it since, so that
/// its inode means no other one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Its kind.
    pub kind: Kind,
    /// The device of nsfs.
    pub device: u64,
    /// Its inode there.
    pub inode: u64,
}

/// How this process looks at itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mirror {
    /// `/proc/self`, opened while it was ours for sure: before the mount namespace changes.
    Directory(Slot),
    /// Our own pidfd.
    Pidfd(Slot),
}

/// The step.
#[derive(Debug)]
pub struct SameNamespaces {
    /// How we look.
    pub mirror: Mirror,
    /// What has to be seen.
    pub expected: Vec<Seen>,
}

impl SameNamespaces {
    pub(super) fn run(&self, at: &mut Child<'_>) -> Done {
        for expected in &self.expected {
            let seen = self.look(at, expected.kind);
            match seen {
                Ok(stat) if (stat.st_dev, stat.st_ino) == (expected.device, expected.inode) => {}
                seen => {
                    at.slate.note(expected.kind.name().as_bytes());
                    return Err(Fault { call: Call::Check, errno: seen.err().unwrap_or(Errno::STALE) });
                }
            }
        }
        Ok(())
    }

    /// Our namespace of a kind; of pid and time the one for children, which is what setns(2) changes.
    fn look(&self, at: &Child<'_>, kind: Kind) -> Result<Stat, Errno> {
        match self.mirror {
            Mirror::Directory(slot) => statat(at.kit.get(slot)?, kind.file_for_children(), AtFlags::empty()),
            Mirror::Pidfd(slot) => {
                fstat(of_process(at.kit.get(slot)?, kind.flag(), Whose::Children)?.as_fd())
            }
        }
    }
}

impl fmt::Display for SameNamespaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("check that we are in")?;
        self.expected.iter().try_for_each(|seen| write!(f, " {}:[{}]", seen.kind.name(), seen.inode))
    }
}

impl Describe for SameNamespaces {
    const NAME: &'static str = "same-namespaces";

    fn why(&self) -> Cow<'static, str> {
        "a process can move while it is entered: what runs must be where it was asked to be, or not run"
            .into()
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        (fault.errno == Errno::STALE)
            .then(|| "the process went to another namespace while it was entered: try again".into())
    }
}
