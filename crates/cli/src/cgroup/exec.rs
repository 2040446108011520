//! `insula cgroup exec`: joins the group, then the program takes insula's place. A plan of two steps, without a birth.

use super::act::name;
use super::error::Error;
use super::flags::{COMMAND, EXPLAIN};
use crate::planned::Planned;
use crate::tell;
use clap::ArgMatches;
use insula_cgroup::{Group, Hierarchies};
use insula_launch::error::{Failure, Place};
use insula_launch::kit::{Kit, Slots};
use insula_launch::perform::perform;
use insula_launch::plan::{Birth, Plan};
use insula_launch::step::{Execvp, JoinCgroup};
use insula_runtime::explain;
use rustix::io::Errno;
use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::process::ExitCode;

/// `exec`: no process is made, so that exit code, signals, terminal and descriptors are the program's own.
pub fn exec(matches: &ArgMatches) -> Result<ExitCode, Error> {
    let explained = matches.get_one::<String>(EXPLAIN).map(String::as_str);
    // Whoever asks what would be done need not be allowed to do it.
    let (group, Planned { plan, kit, .. }) = prepared(matches, explained.is_none())?;
    match explained {
        Some("json") => Ok(tell::out(&explain::json(&plan))),
        Some(_) => Ok(tell::out(&explain::text(&plan))),
        None => match perform(&plan, kit) {
            // The plan has no fork: whoever comes back has failed.
            Ok(_) => Ok(ExitCode::SUCCESS),
            Err(failure) => failed(&group, &failure),
        },
    }
}

/// The plan of `exec`, not performed.
pub fn planned(matches: &ArgMatches) -> Result<Planned, Error> {
    prepared(matches, true).map(|(_, planned)| planned)
}

/// The group and the plan, with the files that it needs if it shall be performed.
fn prepared(matches: &ArgMatches, opened: bool) -> Result<(Group, Planned), Error> {
    let group = Group::open(&Hierarchies::discover()?, &name(matches)?)?;
    let words: Vec<CString> =
        matches.get_many::<OsString>(COMMAND).into_iter().flatten().map(|word| c_string(word)).collect();
    let mut slots = Slots::default();
    let files = if opened { group.joins()? } else { Vec::new() };
    let procs: Vec<_> = files.iter().map(|_| slots.another()).collect();
    let mut kit = Kit::with(&slots);
    for (slot, (_, file)) in procs.iter().zip(files) {
        kit.put(*slot, file).map_err(Error::Descriptor)?;
    }
    let Some(program) = Execvp::new(words, environment(), path().as_deref()) else {
        return Err(Error::NoProgram);
    };
    let join = JoinCgroup { procs, name: group.name().to_string() };
    let plan = Plan { birth: Birth::Here, steps: vec![join.into(), program.into()], slots };
    Ok((group, Planned { plan, kit, besides: Vec::new() }))
}

/// The step says that it was refused. Which hierarchy it was, and why, the group finds out by asking once more.
fn failed(group: &Group, failure: &Failure) -> Result<ExitCode, Error> {
    if matches!(failure.place, Place::Step { name: "join-cgroup", .. }) {
        group.join_self()?;
    }
    let code = match failure.of_program() {
        Some(Errno::NOENT) => tell::NOT_FOUND,
        Some(_) => tell::NOT_EXECUTABLE,
        None => tell::FAILED,
    };
    let message = insula_oci::escaped(&failure.to_string()).to_string();
    Ok(tell::refusal(&message, failure.found.as_deref(), failure.hint.as_deref(), code))
}

/// Words of a command line and of the environment have no NUL inside: the kernel has ended them there.
fn c_string(word: &OsStr) -> CString {
    CString::new(word.as_bytes()).unwrap_or_default()
}

fn environment() -> Vec<CString> {
    let variable = |(name, value): (OsString, OsString)| {
        CString::new([name.into_vec(), value.into_vec()].join(&b'=')).unwrap_or_default()
    };
    std::env::vars_os().map(variable).collect()
}

fn path() -> Option<CString> {
    std::env::var_os("PATH").map(|path| c_string(&path))
}
