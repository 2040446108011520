//! What this machine, its kernel and this user can do: facts, probed once, and only those that are asked for.
//!
//! Compiling a plan is pure: it reads facts from here and nothing else. A [`Host`] for tests is made of given facts; one
//! for real looks at the machine the first time that a fact is asked for.

pub mod boot;
pub mod ids;
pub mod labels;
pub mod mounts;
pub mod proc_file;
pub mod process;
pub mod root;
pub mod state;
pub mod table;

use ids::Ids;
use insula_sys::seccomp::{self, Flags};
use labels::Labels;
use mounts::HostMount;
use root::RootEntry;
use std::cell::OnceCell;

/// The facts. Each cell is filled at the first look, or beforehand by a test.
#[derive(Debug, Default, Clone)]
pub struct Host {
    /// Who we are, and which ids are ours to give.
    pub ids: OnceCell<Ids>,
    /// What is mounted in our mount namespace, in the order of the kernel's table.
    pub mounts: OnceCell<Vec<HostMount>>,
    /// What stands in `/`.
    pub root: OnceCell<Vec<RootEntry>>,
    /// The flags of seccomp(2) that the kernel knows.
    pub filter_flags: OnceCell<Flags>,
    /// The security modules that give processes labels.
    pub labels: OnceCell<Labels>,
}

impl Host {
    /// A host whose facts are looked up when they are asked for.
    pub fn new() -> Self {
        Host::default()
    }

    /// Who we are.
    pub fn ids(&self) -> &Ids {
        self.ids.get_or_init(Ids::probe)
    }

    /// The table of mounts; empty where /proc cannot be read.
    pub fn mounts(&self) -> &[HostMount] {
        self.mounts.get_or_init(mounts::probe)
    }

    /// The flags of seccomp(2) that the kernel knows.
    pub fn filter_flags(&self) -> Flags {
        *self.filter_flags.get_or_init(seccomp::known)
    }

    /// The security modules that give processes labels.
    pub fn labels(&self) -> Labels {
        *self.labels.get_or_init(Labels::probe)
    }

    /// The entries of `/`, sorted by name.
    pub fn root(&self) -> &[RootEntry] {
        self.root.get_or_init(root::probe)
    }
}
