//! One road from a request to a running process: a Plan of typed steps, performed without allocation, explained on failure.
//!
//! A storey above compiles its request, purely, to a [`plan::Plan`]: how the process is born and what is done after, by
//! whom. [`perform::perform`] gives birth and walks the list in two lanes, parent and child; a one-byte baton passes
//! wherever the lane changes, and a shared page, the Slate, holds where the child is. What the child does dies with its
//! namespaces; what outlives it stands in the [`journal`] before it is done.
#![forbid(unsafe_code)]

mod baton;
mod birth;
mod child_lane;
mod deputy;
pub mod error;
pub mod fault;
mod here;
mod home_line;
pub mod hook;
pub mod host;
mod id_map;
pub mod init;
#[doc(hidden)]
pub mod injected;
pub mod journal;
mod kind;
pub mod kit;
pub mod late;
pub mod own_file;
mod parent_lane;
pub mod perform;
pub mod plan;
pub mod program_file;
pub mod rehearse;
pub mod resolve;
mod running;
pub mod skipped;
mod slate;
pub mod step;
pub mod why;
