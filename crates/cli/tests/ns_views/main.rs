//! `insula ns` as one who looks knows it: `show`, `pids`, `holders`, `ls` and `watch`, beside the tools that tell the same.
#![forbid(unsafe_code)]

mod held;
mod listed;
mod members;
mod refused;
mod room;
mod sets;
mod shown;
mod watched;
