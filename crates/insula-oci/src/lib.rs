//! The command line of the OCI runtime: runc's, flag for flag, so that podman, dockerd and containerd drive it without
//! noticing. `insula-oci` is this and nothing more; `insula oci` is the same.
//!
//! The flags of all of it come before the verb ([`global`]), those of a verb behind it ([`words`]); each verb is a file.
//! [`tell`] alone prints, and writes the log.
#![forbid(unsafe_code)]

mod check;
mod checkpoint;
mod create;
mod delete;
mod error;
mod events;
mod exec;
mod explain;
mod features;
mod flags;
mod global;
mod kill;
mod list;
mod spec;
mod start;
mod state;
mod tell;
mod update;
mod verb;
mod words;

pub use words::go;
