//! Compiles `linux.seccomp` of config.json to the classic BPF program that the kernel asks at each system call,
//! seccomp(2).
//!
//! ```text
//! profile ──rules──▶ for each architecture: number ▶ decision ──ranges──▶ merged ranges ──assemble──▶ one program
//! ```
//!
//! A program finds the architecture, then the range of numbers that the call is in, by halving: seven or eight
//! comparisons for any call. [`compile`] is a pure function of the profile and the machine's architecture. What it decides is
//! what libseccomp, by which runc and crun compile, decides; `docs/design/016-seccomp.md` says where not, and why.
#![forbid(unsafe_code)]

mod architecture;
mod assemble;
pub mod builtin;
mod compile;
mod condition;
mod decide;
mod error;
mod multiplex;
mod names;
pub mod profile;
mod ranges;
mod returns;
mod rules;
mod table;

pub use architecture::native;
pub use compile::{Filter, compile};
pub use error::Error;
pub use names::known;
pub use table::KERNEL;
