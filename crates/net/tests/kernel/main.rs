//! The library against the kernel, in network namespaces of the tests' own; where ip(8) is installed, beside it.
#![forbid(unsafe_code)]

#[macro_use]
mod room;

mod ids;
mod links;
mod moves;
