//! `insula unshare` beside unshare(1): the same words to both, by root and by ordinary users; and what only ours has.
#![forbid(unsafe_code)]

#[macro_use]
#[expect(dead_code, reason = "the other tests use the rest")]
#[path = "../caller/mod.rs"]
mod caller;
#[expect(dead_code, reason = "the other tests use the rest")]
#[path = "../both/mod.rs"]
mod both;

mod faults;
mod kept;
mod ours;
mod process;
mod refusals;
mod state;

const TOOL: &str = "unshare";

/// The debug build: it takes faults from `INSULA_FAULT`, and aborts on any allocation between birth and exec.
fn binary() -> std::path::PathBuf {
    env!("CARGO_BIN_EXE_insula").into()
}
