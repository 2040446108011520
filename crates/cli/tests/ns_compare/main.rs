//! `insula ns diff`, `reach` and `pid` as their callers know them, on processes and in namespaces of the tests' own.
#![forbid(unsafe_code)]

#[macro_use]
#[expect(dead_code, reason = "the other tests use the rest")]
#[path = "../caller/mod.rs"]
mod caller;

mod holder;
mod pid;

fn binary() -> std::path::PathBuf {
    insula_proof::binary::path()
}
