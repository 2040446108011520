//! What this kernel and this user can do: each thing is tried, in a process and in namespaces that are thrown away.
//!
//! A [`Check`] is a row of a table: a key that does not change, the group that it stands in, what a lack costs in
//! insula's own words, and the probe. Nothing is concluded from a version. A probe runs for a bounded time and leaves nothing
//! behind; it asks the kernel for what insula would ask for at its first use, and for nothing else.

mod answer;
mod ground;
mod ids;
mod kinds;
mod layers;
mod mounts;
mod network;
mod processes;
mod room;
mod security;

pub use answer::{Answer, Check, Group, State, Weight};
pub use room::apart;

/// The checks of this crate, in the order in which they are shown.
pub fn checks() -> impl Iterator<Item = &'static Check> {
    [
        ids::CHECKS,
        kinds::CHECKS,
        mounts::CHECKS,
        layers::CHECKS,
        processes::CHECKS,
        network::CHECKS,
        security::CHECKS,
    ]
    .into_iter()
    .flatten()
}
