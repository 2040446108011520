//! `insula cgroup` on the real kernel: limits are proven by hitting them, and nothing is left behind.
//!
//! As root the same tests run on this machine as it is, and on what a private mount namespace makes of a hybrid one: a
//! look at version 1 alone, and at version 2 alone.

#[macro_use]
#[expect(dead_code, reason = "the other tests use the rest")]
#[path = "../caller/mod.rs"]
mod caller;
#[macro_use]
mod room;

mod hierarchies;
mod life;
mod limits;
mod refusals;
mod users;

fn binary() -> std::path::PathBuf {
    insula_proof::binary::path()
}
