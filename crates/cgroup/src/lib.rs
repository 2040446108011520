//! Control groups, cgroups(7): made, limited, joined and removed, on version 2, version 1 and both at once.
//!
//! [`Hierarchies`] are found by their mounts. A [`Group`] is a directory in each of those that it needs, made by
//! [`create()`], limited by [`limits::apply`] with the words of the OCI specification, then joined, frozen, killed and
//! removed as one. On a hybrid machine the hierarchy of version 2 comes first: it freezes, kills and tells of pressure;
//! version 1 has the limits of the controllers that live there.
#![forbid(unsafe_code)]

mod create;
mod directory;
mod error;
mod freeze;
mod group;
mod hierarchy;
mod kill;
pub mod limits;
mod members;
mod mounts;
mod path;
mod remove;
pub mod usage;

pub use create::{Made, create, delegate};
pub use directory::Directory;
pub use error::{Cause, Error, Missing};
pub use freeze::{freeze, is_frozen, thaw};
pub use group::{Group, Place};
pub use hierarchy::{BASE, Hierarchies, Hierarchy};
pub use kill::{kill_all, signal};
pub use members::{Member, below, members};
pub use mounts::Version;
pub use path::{Name, Path};
pub use remove::{remove, remove_idle};
