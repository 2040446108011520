//! Causes of refused mounts, paths and calls: each is provoked for real, in namespaces of the test's own, and asked for
//! by the process that was refused; and where the cause is absent it is not found.

mod attempt;
mod bounds;
mod features;
mod overlays;
mod paths;
mod pivots;
mod room;
mod trees;
