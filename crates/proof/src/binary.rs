//! Where the `insula` under test lies.

use std::env;
use std::path::PathBuf;
use std::process::Command;

/// A command of the `insula` under test, without arguments.
#[must_use]
pub fn insula() -> Command {
    Command::new(path())
}

/// The path of the `insula` under test: `INSULA_BIN`, else what cargo built for this test, else the target directory
/// that this test lies in.
///
/// # Panics
///
/// Where there is none, with the words that make one.
#[must_use]
pub fn path() -> PathBuf {
    let named = ["INSULA_BIN", "CARGO_BIN_EXE_insula"].into_iter().find_map(env::var_os).map(PathBuf::from);
    if let Some(path) = named {
        assert!(path.is_file(), "INSULA_BIN names `{}`, which is no file", path.display());
        return path;
    }
    // A test lies at target/<profile>/deps/<name>-<hash>.
    let test = env::current_exe().expect("find the path of the test itself");
    let beside = test.ancestors().nth(2).map(|profile| profile.join("insula"));
    match beside {
        Some(path) if path.is_file() => path,
        _ => panic!("no insula to test: `cargo build -p insula` makes one, or set INSULA_BIN to its path"),
    }
}
