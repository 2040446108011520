//! A container's life: made by `create`, set going by `start`, looked at by `state`, signalled by `kill`, taken away by
//! `delete` (runtime.md, "Lifecycle"). Each is a command of its own; nothing of ours stays between them.
//!
//! What they know of each other lies in a directory of the [`StateRoot`], one a container:
//!
//! ```text
//! ROOT/ID/            0700
//!         lock        locked (fcntl) while a command changes it
//!         record      JSON: which process, which cgroup; replaced whole, by rename
//!         config.json the configuration as it was at `create`
//!         go, answer  the FIFOs between create and start (insula_launch::late)
//! ```
//!
//! The record is written before anything that would outlive its writer is made, and removed last. So whatever was killed
//! when, [`delete`] finds what there is.

mod bundle;
mod cgroup;
pub mod check;
pub mod clock;
pub mod create;
pub mod delete;
mod devices;
mod directory;
pub mod error;
pub mod exec;
mod id;
pub mod kill;
pub mod list;
pub mod processes;
mod record;
mod regular;
mod root;
pub mod shield;
pub mod start;
mod status;
mod subgroups;
pub mod update;

pub use bundle::Bundle;
pub use directory::Directory;
pub use error::Error;
pub use id::Id;
pub use record::Record;
pub use root::StateRoot;
pub use status::{Found, status};
pub use subgroups::Subgroups;
