//! `insula ns new`, `attach`, `exec`, `rm` and `gc`: names that mounts keep, by root and by a root of a user namespace, and
//! names that a process keeps, by an ordinary user. What is killed, forged or gone is never entered, and cleared away.
#![forbid(unsafe_code)]

#[macro_use]
mod room;
mod attach;
mod crash;
mod crowd;
mod enter;
mod ip;
mod keeper;
mod made;
mod refusals;
mod stale;
