//! Namespaces as things of their own, namespaces(7): which one it is ([`id`]), and where named ones live ([`name`]).
#![forbid(unsafe_code)]

pub mod id;
pub mod name;
