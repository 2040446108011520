//! The runtime: an OCI spec becomes a process.
//!
//! [`compile`] turns a spec into a Plan, [`enter`] opens what the plan needs and performs it, [`foreground`] watches over
//! what runs, [`explain`] prints what would be done, [`container`] leads a life of several commands. [`ids`] decides which ids a container gets where nobody said, [`defaults`] what else it gets.
#![forbid(unsafe_code)]

pub mod compile;
pub mod container;
pub mod defaults;
pub mod enter;
pub mod error;
pub mod example;
pub mod explain;
pub mod foreground;
pub mod hooks;
pub mod ids;
pub mod named;
pub mod signal_name;
mod socket;
