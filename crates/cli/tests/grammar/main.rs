//! Random command lines from each tool's grammar: insula's faces give the verdict that the installed tools give.
//!
//! A verdict is the exit code, standard output, and whether there is a complaint. The lines come again with the same
//! seed; a failure tells the seed of each line, cut down to the shortest that still shows the difference.
//! `INSULA_ROUNDS=5000 INSULA_SEED=1 cargo xtask test -p insula --test grammar -- unshare` looks longer and elsewhere.

#[macro_use]
#[expect(dead_code, reason = "the other tests use the rest")]
#[path = "../caller/mod.rs"]
mod caller;

mod compare;
mod given;
mod line;
mod lsns;
mod netns;
mod nsenter;
mod place;
mod random;
mod unshare;

fn binary() -> std::path::PathBuf {
    insula_proof::binary::path()
}
