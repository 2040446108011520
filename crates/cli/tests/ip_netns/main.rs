//! `insula netns` beside the `ip netns` of iproute2: the same scripts, by root and by an ordinary user in a user namespace,
//! have the same output, the same exit codes, and leave the same names and mounts. Then what only insula promises.
#![forbid(unsafe_code)]

#[macro_use]
mod room;
mod alike;
mod crash;
mod exec;
mod names;
mod wrong;
