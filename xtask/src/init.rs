//! The freestanding init for `check`: it is no member of the workspace, so that cargo's fmt and clippy pass it by.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::build::output;
use crate::stop::Stop;

/// The root of its modules.
const MAIN: &str = "crates/init/src/main.rs";

/// The processors that it knows.
const TARGETS: [&str; 2] = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"];

/// rustfmt, which follows the modules by itself.
pub fn formatting() -> Command {
    let mut rustfmt = Command::new(env::var_os("RUSTFMT").unwrap_or_else(|| "rustfmt".into()));
    rustfmt.args(["--check", "--edition", "2024", MAIN]);
    rustfmt
}

/// clippy for each processor whose core library is installed; this machine's is.
pub fn clippy() -> Result<Vec<Command>, Stop> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let sysroot = path(&rustc, &["--print", "sysroot"])
        .ok_or_else(|| Stop::Failed("`rustc --print sysroot` says nothing".into()))?;
    let has_core = |target: &&str| {
        path(&rustc, &["--print", "target-libdir", "--target", target]).is_some_and(|path| path.is_dir())
    };
    Ok(TARGETS.into_iter().filter(has_core).map(|target| lint(&sysroot, target)).collect())
}

/// What `cargo clippy` would call, with the options of crates/launch/build.rs that the source depends on.
fn lint(sysroot: &Path, target: &str) -> Command {
    let mut driver = Command::new(sysroot.join("bin/clippy-driver"));
    driver.arg("--sysroot").arg(sysroot);
    driver.args(["--crate-name=insula_init", "--crate-type=bin", "--edition=2024", "--target", target]);
    driver.args(["-C", "panic=abort", "-D", "warnings", "-D", "clippy::allow_attributes"]);
    // Where our own binary lies is a place for what is built.
    let built = env::current_exe().ok().and_then(|exe| exe.parent().map(Path::to_path_buf));
    driver.arg("--emit=metadata").arg("--out-dir").arg(built.unwrap_or_else(env::temp_dir)).arg(MAIN);
    driver
}

fn path(rustc: &OsStr, arguments: &[&str]) -> Option<PathBuf> {
    output(rustc, arguments).map(|said| PathBuf::from(said.trim())).filter(|path| path.is_absolute())
}
