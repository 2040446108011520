//! Why: each cause is provoked for real, found, and told with its cure; and where it is absent it is not told.
#![forbid(unsafe_code)]

#[macro_use]
#[expect(dead_code, reason = "the other tests use the rest")]
#[path = "../caller/mod.rs"]
mod caller;

mod entering;
mod filter;
mod ids;
mod looking;
mod mounts;
mod namespaces;
mod newuidmap;
mod processes;
mod told;

/// The debug build: it takes faults from `INSULA_FAULT`, and aborts on any allocation between birth and exec.
fn binary() -> std::path::PathBuf {
    env!("CARGO_BIN_EXE_insula").into()
}
