//! `insula link` as its callers know it, in network namespaces of the tests' own; where ip(8) is installed, beside it.
#![forbid(unsafe_code)]

#[macro_use]
#[expect(dead_code, reason = "the other tests use the rest")]
#[path = "../caller/mod.rs"]
mod caller;

mod killed;
mod moved;
mod pairs;
mod refused;
mod room;
mod shown;

fn binary() -> std::path::PathBuf {
    insula_proof::binary::path()
}
