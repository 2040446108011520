//! The OCI runtime specification 1.3 for Linux as Rust types.
//!
//! Data that says what the specs say, and no I/O: a `config.json` is read by [`parse`] into a [`Spec`], the answer to
//! `state` is a [`State`]. Fields keep the names of the specification in snake case, except `type`, a Rust keyword,
//! which is `kind`. Unknown *values* are refused, unknown *properties* are ignored, as the specification demands
//! (config.md, "Extensibility" and "Valid values").
#![forbid(unsafe_code)]

pub mod annotation;
mod bounds;
pub mod capability;
mod config;
pub mod device;
pub mod error;
pub mod escape;
pub mod faults;
pub mod hooks;
pub mod linux;
pub mod mount;
pub mod namespace;
mod parse;
pub mod process;
pub mod resources;
pub mod rlimit;
pub mod scheduling;
pub mod seccomp;
pub mod state;
mod text;

pub use bounds::{MAX_BYTES, MAX_DEPTH};
pub use capability::{Capabilities, Capability, CapabilitySet};
pub use config::{Root, Spec, VERSION};
pub use device::{Device, DeviceKind};
pub use error::Error;
pub use escape::{escaped, misleads};
pub use faults::faults;
pub use hooks::{Hook, Hooks};
pub use linux::{Linux, Propagation};
pub use mount::Mount;
pub use namespace::{Clock, IdMapping, Namespace, NamespaceKind, TimeOffset};
pub use parse::parse;
pub use process::Process;
pub use resources::Resources;
pub use rlimit::{Rlimit, RlimitKind};
pub use seccomp::Seccomp;
pub use state::{State, Status};
