//! `insula ns diff`, `reach` and `pid` as their callers know them, on processes and in namespaces of the tests' own.
#![forbid(unsafe_code)]

#[macro_use]
#[expect(dead_code, reason = "the other tests use the rest")]
#[path = "../caller/mod.rs"]
mod caller;

/// As `by_everyone!`, without the user with subordinate ids, whose every process is in a mount namespace of its own.
macro_rules! by_both {
    ($($test:ident),+ $(,)?) => {
        mod by_root {
            $(#[test] fn $test() { super::$test(&insula_proof::or_skip!(crate::caller::Caller::root())); })+
        }
        mod by_a_user {
            $(#[test] fn $test() { super::$test(&insula_proof::or_skip!(crate::caller::Caller::user())); })+
        }
    };
}

mod acts;
mod diff;
mod holder;
mod mounted;
mod nft;
mod pid;
mod reach;
#[expect(dead_code, reason = "the tests of devices use the rest")]
#[path = "../link/room.rs"]
mod room;

fn binary() -> std::path::PathBuf {
    insula_proof::binary::path()
}
