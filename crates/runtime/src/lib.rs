//! The runtime: an OCI spec becomes a process.
//!
//! [`compile`] turns a spec into a Plan, [`enter`] opens what the plan needs and performs it, [`foreground`] watches over
//! what runs. [`ids`] decides which ids a container gets where nobody said, [`defaults`] what else it gets.
#![forbid(unsafe_code)]

pub mod compile;
pub mod defaults;
pub mod enter;
pub mod error;
pub mod foreground;
pub mod ids;
pub mod named;
