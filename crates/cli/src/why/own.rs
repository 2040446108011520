//! insula's own commands: their plan is rehearsed in a child, step by step, and each step is told.
//!
//! The child is thrown away: the namespaces that it has made end with it. What would outlast it is not tried.

use super::manner::{Manner, failed};
use super::steps;
use crate::planned::{NoPlan, Planned};
use crate::{cgroup, netns, ns, nsenter, run, tell, unshare};
use insula_launch::plan::{Kind, Plan};
use insula_launch::rehearse::{Rehearsal, rehearse};
use insula_launch::step::Step;
use insula_sys::birth::{exit_now, fork};
use insula_sys::{birth, signal};
use rustix::fd::AsFd;
use rustix::fs::stat;
use rustix::io::Errno;
use rustix::mount::{MountPropagationFlags, mount_change};
use rustix::process::{Signal, WaitId, WaitIdOptions, waitid};
use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A command that has a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    Unshare,
    Nsenter,
    Run,
    Netns,
    Ip,
    Cgroup,
    Ns,
}

/// All steps held.
const HELD: u8 = 0;
/// One was refused.
const REFUSED: u8 = 1;

impl Command {
    const WORDS: [(&'static str, Command); 7] = [
        ("unshare", Command::Unshare),
        ("nsenter", Command::Nsenter),
        ("run", Command::Run),
        ("netns", Command::Netns),
        ("ip", Command::Ip),
        ("cgroup", Command::Cgroup),
        ("ns", Command::Ns),
    ];

    /// What these words call, if it is a command of ours, and the words behind it: `insula` or the path of our own file
    /// with a command, or a link to our own file that has a command's name.
    pub fn of(words: &[OsString]) -> Option<(Command, &[OsString])> {
        let (program, rest) = words.split_first()?;
        let named =
            |word: &OsStr| Command::WORDS.iter().find(|(name, _)| word == *name).map(|(_, command)| *command);
        if program != "insula" && !is_own(program) {
            return None;
        }
        let base = Path::new(program).file_name()?;
        // A link is a command by its name; any other name of our file takes a command word.
        let (command, rest) = match named(base) {
            Some(command) => (command, rest),
            None => {
                let (word, rest) = rest.split_first()?;
                (named(word)?, rest)
            }
        };
        command.has_plan(rest).then_some((command, rest))
    }

    /// Do these words of it have a plan?
    fn has_plan(self, words: &[OsString]) -> bool {
        match self {
            Command::Unshare | Command::Nsenter | Command::Run => true,
            Command::Netns => netns::has_plan(words),
            Command::Ip => of_netns(words).is_some_and(|words| netns::has_plan(&words)),
            Command::Cgroup => cgroup::has_plan(words),
            Command::Ns => ns::has_plan(words),
        }
    }

    /// Its plan, with what this process has opened for it.
    fn planned(self, words: Vec<OsString>) -> Result<Planned, NoPlan> {
        match self {
            Command::Unshare => unshare::planned(words),
            Command::Nsenter => nsenter::planned(words),
            Command::Run => run::planned(words),
            Command::Netns => netns::planned(words),
            Command::Ip => netns::planned(of_netns(&words).ok_or(NoPlan::Words)?),
            Command::Cgroup => cgroup::planned(&words),
            Command::Ns => ns::planned(words),
        }
    }
}

/// The words of `ip netns …` without the object, which may be any beginning of its name that is no other's.
fn of_netns(words: &[OsString]) -> Option<Vec<OsString>> {
    let at = words.iter().position(|word| !word.as_bytes().starts_with(b"-"))?;
    let is_netns = words[at].to_str().is_some_and(|word| word.len() > 2 && "netns".starts_with(word));
    let mut words = words.to_vec();
    words.remove(at);
    is_netns.then_some(words)
}

/// Is it our own file, as the shell would find it?
fn is_own(program: &OsStr) -> bool {
    let identity = |path: &Path| stat(path).ok().map(|stat| (stat.st_dev, stat.st_ino));
    let Some(own) = identity(Path::new("/proc/self/exe")) else { return false };
    let found = if program.as_bytes().contains(&b'/') {
        Some(PathBuf::from(program))
    } else {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).map(|directory| directory.join(program)).find(|file| file.is_file())
    };
    found.and_then(|file| identity(&file)) == Some(own)
}

/// The words of a command of ours as they can be executed, also where no directory of `PATH` has us.
pub fn executable(mut words: Vec<OsString>) -> Vec<OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_found = || std::env::split_paths(&path).any(|directory| directory.join("insula").is_file());
    if let Some(first) = words.first_mut().filter(|word| *word == "insula")
        && !is_found()
        && let Ok(own) = std::env::current_exe()
    {
        *first = own.into_os_string();
    }
    words
}

/// Rehearses a command in a child.
pub fn rehearsed(command: Command, words: &[OsString], all: &[OsString], manner: &Manner) -> ExitCode {
    // Ignored by our caller, it would make the kernel reap the child before we have waited for it.
    let _ = signal::set_default(Signal::CHILD.as_raw());
    let born = fork(|| -> Infallible {
        // Here, since what a plan has open is of the process that performs it.
        let Planned { plan, kit, besides } = match command.planned(words.to_vec()) {
            Ok(planned) => planned,
            Err(NoPlan::Words) => exit_now(tell::FAILED.into()),
            Err(NoPlan::Refused) => exit_now(REFUSED.into()),
        };
        if makes_mounts(&plan) {
            contain();
        }
        let rehearsal = rehearse(&plan, kit);
        let answer = steps::Answer { words: all, plan: &plan, rehearsal: &rehearsal, besides: &besides };
        let text = if manner.json { steps::json(&answer) } else { steps::text(&answer) };
        if let Err(error) = manner.tell(&text) {
            failed(&error);
            exit_now(tell::FAILED.into());
        }
        exit_now(code(&rehearsal).into())
    });
    let born = match born {
        Ok(born) => born,
        Err(errno) => {
            let message = format!("fork: {}", insula_launch::error::Named(errno));
            return tell::error(&message, None, tell::FAILED);
        }
    };
    loop {
        match waitid(WaitId::PidFd(born.pidfd.as_fd()), WaitIdOptions::EXITED) {
            Ok(Some(status)) => {
                break match status.exit_status().and_then(|code| u8::try_from(code).ok()) {
                    Some(code) => ExitCode::from(code),
                    None => tell::error("the process that rehearsed it was killed", None, tell::FAILED),
                };
            }
            Ok(None) | Err(Errno::INTR) => {}
            Err(errno) => {
                let message = format!("wait for the rehearsal: {}", insula_launch::error::Named(errno));
                break tell::error(&message, None, tell::FAILED);
            }
        }
    }
}

fn code(rehearsal: &Rehearsal) -> u8 {
    if rehearsal.failure.is_none() { HELD } else { REFUSED }
}

/// Does the plan make a mount namespace, and so mounts in it?
fn makes_mounts(plan: &Plan) -> bool {
    let by_a_step = |step: &Step| match step {
        Step::Unshare(unshare) => unshare.kinds.contains(&Kind::Mnt),
        Step::TryUnshare(unshare) => unshare.kind == Kind::Mnt,
        Step::NewMounts(_) => true,
        _ => false,
    };
    plan.birth.makes().contains(&Kind::Mnt) || plan.steps.iter().any(by_a_step)
}

/// A mount that a step makes with a shared propagation must not come to the machine's own mount namespace: this process
/// gets one that hears of others' mounts and tells none. Where that is refused no mount of ours can leave its namespace either: whoever may not
/// make a mount namespace here makes them in a user namespace of its own.
fn contain() {
    if birth::unshare(Kind::Mnt.flag()).is_ok() {
        let _ = mount_change("/", MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC);
    }
}
