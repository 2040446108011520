//! `old-kernel`, and the pass of the tests as on the oldest kernel that insula serves: Linux 5.15.
//!
//! The filter that refuses the newer calls is crates/sys/examples/old-kernel; what it can and cannot tell stands there.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::build::{cargo, example};
use crate::stop::Stop;
use crate::tree;

/// Tells the tests that they are in the pass.
pub const PASS: &str = "INSULA_OLD_KERNEL";

/// Integration tests that the pass leaves out: they ask the kernel nothing, or take a minute to ask what the others ask.
const LEFT_OUT: &[&str] = &[
    "clients",    // engines, whose own calls are not ours to give up
    "faults",     // a fault at each step, the same steps as everywhere
    "init_elf",   // reads a file
    "join",       // snapshots
    "order",      // random plans, none performed
    "plans",      // snapshots
    "reference",  // a snapshot
    "round_trip", // parses
    "system",     // boots whole systems
];

/// `old-kernel [--] COMMAND [ARGUMENT…]`
pub fn command(arguments: &[OsString]) -> Result<(), Stop> {
    let words = arguments.strip_prefix(&["--".into()]).unwrap_or(arguments);
    let filter = filter()?;
    let error = Command::new(&filter).args(words).exec();
    Err(Stop::Failed(format!("execute `{}`: {error}", filter.display())))
}

/// Cargo under the filter, and all that it starts.
pub fn cargo_under_it() -> Result<Command, Stop> {
    let mut command = Command::new(filter()?);
    command.arg(cargo().get_program()).env(PASS, "1");
    Ok(command)
}

fn filter() -> Result<PathBuf, Stop> {
    example("insula-sys", "old-kernel")
}

/// The integration tests of the pass, as words for `cargo test`.
pub fn targets() -> Result<Vec<String>, Stop> {
    let names = names(&tree::root().join("crates"));
    let names = names.map_err(|error| Stop::Failed(format!("list the integration tests: {error}")))?;
    if let Some(gone) = LEFT_OUT.iter().find(|name| !names.contains(**name)) {
        let words = format!("there is no test `{gone}` to leave out: see xtask/src/old_kernel.rs");
        return Err(Stop::Failed(words));
    }
    let taken = names.into_iter().filter(|name| !LEFT_OUT.contains(&name.as_str()));
    Ok(taken.flat_map(|name| ["--test".into(), name]).collect())
}

/// As cargo finds them: `tests/NAME.rs` and `tests/NAME/main.rs` of each crate.
fn names(crates: &Path) -> io::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for one in fs::read_dir(crates)? {
        let tests = one?.path().join("tests");
        if !tests.is_dir() {
            continue;
        }
        for entry in fs::read_dir(tests)? {
            let path = entry?.path();
            let is_test = path.extension().is_some_and(|end| end == "rs") || path.join("main.rs").is_file();
            let name = path.file_stem().and_then(|name| name.to_str());
            names.extend(name.filter(|_| is_test).map(str::to_owned));
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pass_has_the_tests_of_the_kernel_and_not_the_others() {
        let targets = targets().ok().expect("the tests of this tree");
        let has = |name: &str| targets.iter().any(|word| word == name);
        assert!(has("run") && has("refusals") && has("old_kernel"), "{targets:?}");
        assert!(!has("system") && !has("caller"), "{targets:?}");
    }
}
