//! `insula lsns` beside lsns(8), and what only ours sees. Each test makes the namespaces that it looks for.
#![forbid(unsafe_code)]

mod holders;
mod peer;
mod refusals;
mod room;
