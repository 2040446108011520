//! `insula nsenter` beside nsenter(1): the same words to both, by root and by ordinary users; and what only ours has.

#[path = "../both/mod.rs"]
mod both;
#[expect(dead_code, unused_macros, reason = "the other tests use the rest")]
#[path = "../caller/mod.rs"]
mod caller;
#[path = "../netns/mod.rs"]
mod netns;

mod faults;
mod order;
mod ours;
mod process;
mod refusals;
mod state;
mod target;

const TOOL: &str = "nsenter";

/// The debug build: it takes faults from `INSULA_FAULT`, and aborts on any allocation between birth and exec.
fn binary() -> std::path::PathBuf {
    env!("CARGO_BIN_EXE_insula").into()
}
