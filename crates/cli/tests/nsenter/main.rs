//! `insula nsenter` beside nsenter(1): the same words to both, by root and by ordinary users; and what only ours has.

#[expect(dead_code, unused_macros, reason = "the other tests use the rest")]
#[path = "../caller/mod.rs"]
mod caller;
#[path = "../netns/mod.rs"]
mod netns;

mod both;
mod faults;
mod order;
mod ours;
mod process;
mod refusals;
mod state;
mod target;

fn binary() -> std::path::PathBuf {
    insula_proof::binary::path()
}
