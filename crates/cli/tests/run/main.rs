//! `insula run` as its callers know it: what the program gets, sees and may do, by root and by ordinary users alike.

#[macro_use]
#[path = "../caller/mod.rs"]
mod caller;
#[path = "../netns/mod.rs"]
mod netns;

mod files;
mod life;
mod namespaces;
mod program;
mod rights;
mod seccomp;
mod terminal;

fn binary() -> std::path::PathBuf {
    insula_proof::binary::path()
}
