//! What is carried into the machine: the tests, built here and static, the insula that they test, the tree that they
//! read, and the job. All on one disk, which the machine only reads.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::geteuid;

use super::ask::{Ask, Who};
use super::job::{Job, Test};
use crate::build::{Profile, binary, cargo, messages, static_for_host};
use crate::stop::Stop;
use crate::{built, old_kernel, tree};

/// Integration tests of the kernel that say nothing of the machine's.
const LEFT_OUT: &[&str] = &[
    "enter_order",   // plans, none performed
    "enter_plans",   // snapshots
    "floor",         // builds its floor with a C compiler
    "grammar",       // asks parsers, thousands of times, and the peers' of Debian 12
    "netns_plans",   // snapshots
    "old_kernel",    // the filter that plays an old kernel
    "unshare_order", // plans, none performed
    "unshare_plans", // snapshots
];

/// Parts of the tree that no test reads.
const NOT_CARRIED: &[&str] = &["target", ".git"];

/// The variable by which tests know where the init lies that is embedded into insula.
const INIT: &str = "INSULA_INIT_PATH";

/// Builds everything and makes the disk at `disk`, with its files gathered in `stage` meanwhile.
pub fn make(ask: &Ask, stage: &Path, disk: &Path) -> Result<(), Stop> {
    let insula = binary(Profile::Release)?;
    let xtask = xtask()?;
    let said = if ask.script.is_some() { String::new() } else { tests(ask)? };
    let failed = |error: io::Error| Stop::Failed(format!("gather `{}`: {error}", stage.display()));
    for directory in ["tree", "files", "tests"] {
        fs::create_dir_all(stage.join(directory)).map_err(failed)?;
    }
    fs::copy(&insula, stage.join("insula")).map_err(failed)?;
    fs::copy(&xtask, stage.join("xtask")).map_err(failed)?;
    copy_tree(&stage.join("tree"))?;
    let mut job = Job {
        binds: vec![("tree".into(), tree::root())],
        who: ask.who.iter().map(|who: &Who| who.word().to_owned()).collect(),
        words: ask.words.clone(),
        script: ask.script.clone(),
        tests: Vec::new(),
    };
    // Tests know these by the paths that they were built with.
    let by_path = built::programs(&said).into_iter().filter(|one| one.kind == "bin").map(|one| one.file);
    for file in by_path.chain(built::variable(&said, INIT).map(PathBuf::from)) {
        carry(&file, stage, &mut job).map_err(failed)?;
    }
    for program in built::programs(&said).into_iter().filter(|one| one.kind == "test") {
        let package = program.package.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let name = format!("{package}-{}", program.name);
        fs::copy(&program.file, stage.join("tests").join(&name)).map_err(failed)?;
        job.tests.push(Test { name, directory: program.package });
    }
    job.tests.sort();
    fs::write(stage.join("job"), job.text()).map_err(failed)?;
    let readable = Command::new("chmod").args(["-R", "a+rX"]).arg(stage).status().map_err(failed)?;
    if !readable.success() {
        return Err(Stop::Failed(format!("`{}` cannot be made readable", stage.display())));
    }
    make_disk(stage, disk)
}

/// One file that has to be where it is here: in the tree, or bound there.
fn carry(file: &Path, stage: &Path, job: &mut Job) -> io::Result<()> {
    let place = if let Ok(inside) = file.strip_prefix(tree::root()) {
        Path::new("tree").join(inside)
    } else {
        let place = Path::new("files").join(job.binds.len().to_string());
        job.binds.push((place.clone(), file.to_path_buf()));
        place
    };
    let place = stage.join(place);
    place.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::copy(file, place).map(drop)
}

/// xtask itself, for the machine: static, whatever libc is there.
fn xtask() -> Result<PathBuf, Stop> {
    let mut build = cargo();
    build.args(["build", "--quiet", "--package", "xtask", "--bin", "xtask"]);
    build.args(["--message-format", "json-render-diagnostics"]);
    static_for_host(&mut build)?;
    built::program(&messages(&mut build)?, "bin", "xtask")
        .ok_or_else(|| Stop::Failed("cargo named no binary `xtask`".into()))
}

/// Builds the integration tests; what cargo says of them.
fn tests(ask: &Ask) -> Result<String, Stop> {
    let mut build = cargo();
    build.args(["test", "--quiet", "--no-run", "--message-format", "json-render-diagnostics"]);
    // Without the tables of a debugger, which are nine tenths of such a binary.
    build.args(["--config", "profile.dev.debug=false", "--config", "profile.dev.strip='debuginfo'"]);
    static_for_host(&mut build)?;
    let named = |words: &[&str]| ask.build.iter().any(|word| words.contains(&word.as_str()));
    if !named(&["-p", "--package"]) {
        build.arg("--workspace");
    }
    if named(&["-p", "--package"]) && !named(&["--test"]) {
        build.args(["--test", "*"]);
    } else if !named(&["--test"]) {
        let taken = old_kernel::targets()?;
        build.args(taken.chunks(2).filter(|pair| !LEFT_OUT.contains(&pair[1].as_str())).flatten());
    }
    messages(build.args(&ask.build))
}

fn copy_tree(to: &Path) -> Result<(), Stop> {
    let root = tree::root();
    let failed = |error: io::Error| Stop::Failed(format!("copy the tree `{}`: {error}", root.display()));
    let mut copy = Command::new("cp");
    copy.args(["-r", "--reflink=auto", "--target-directory"]).arg(to);
    for entry in fs::read_dir(&root).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if !NOT_CARRIED.iter().any(|name| entry.file_name() == *name) {
            copy.arg(entry.path());
        }
    }
    match copy.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(Stop::Failed(format!("the tree `{}` was not copied", root.display()))),
        Err(error) => Err(failed(error)),
    }
}

/// The files belong to root there: as an ordinary user they are gathered into the disk by root of a user namespace.
fn make_disk(stage: &Path, disk: &Path) -> Result<(), Stop> {
    let mut make = if geteuid().is_root() {
        Command::new("mke2fs")
    } else {
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "mke2fs"]);
        command
    };
    make.args(["-q", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-d"]).arg(stage).arg(disk).arg("1G");
    let path = std::env::var("PATH").unwrap_or_default();
    make.env("PATH", format!("{path}:/usr/sbin:/sbin")).stdin(Stdio::null()).stdout(Stdio::null());
    match make.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(Stop::Failed(format!("mke2fs made no disk of `{}`", stage.display()))),
        Err(error) => Err(Stop::Failed(format!("start mke2fs: {error}"))),
    }
}
