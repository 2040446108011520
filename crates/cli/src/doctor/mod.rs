//! `insula doctor`: what this kernel and this user can do, what each lack costs, and what to do about it.

mod cgroups;
mod found;
mod show;
mod whole;

use crate::parse::parse;
use crate::tell;
use clap::{Arg, ArgAction, Command};
use found::{Found, verdict};
use insula_namespaces::doctor::{self, Check};
use insula_oci::escaped;
use std::ffi::OsString;
use std::process::ExitCode;

const AFTER: &str = "\
Each thing is tried, in processes and namespaces that are thrown away; nothing is concluded from
a version, nothing is left behind, and no setting is changed. (The kernel may load a module that
it is asked for, as at the first use.)

States: works; limited, and how; missing; unknown, and why it could not be found out.

Exit code: 0 all that insula needs works; 1 something that costs a feature is missing or limited;
2 insula cannot run anything here; 125 the command line is wrong.";

/// The flags.
pub fn command() -> Command {
    Command::new("doctor")
        .bin_name("insula doctor")
        .arg(Arg::new("KEY").num_args(0..).help("Only these checks; `insula doctor --list` names them all"))
        .arg(flag("json", "Print JSON"))
        .arg(flag("lacks", "Print only what does not work"))
        .arg(flag("list", "Print the keys of all checks and what they are, and try nothing"))
        .after_help(AFTER)
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

/// All checks, in the order in which they are shown.
fn checks() -> Vec<&'static Check> {
    let mut all: Vec<&Check> = doctor::checks().chain(cgroups::CHECKS).chain(whole::CHECKS).collect();
    // By their groups; within one they stay as they stand.
    all.sort_by_key(|check| show::GROUPS.iter().position(|group| *group == check.group));
    all
}

/// The command.
pub fn go(rest: Vec<OsString>) -> ExitCode {
    let matches = match parse(command(), rest) {
        Ok(matches) => matches,
        Err(code) => return code,
    };
    let all = checks();
    if matches.get_flag("list") {
        return tell::out(&show::list(&all, matches.get_flag("json")));
    }
    let keys: Vec<&String> = matches.get_many("KEY").into_iter().flatten().collect();
    if let Some(unknown) = keys.iter().find(|key| all.iter().all(|check| check.key != key.as_str())) {
        let message = format!("no check `{}`", escaped(unknown));
        return tell::error(&message, Some("`insula doctor --list` names them"), tell::FAILED);
    }
    let wanted =
        all.into_iter().filter(|check| keys.is_empty() || keys.iter().any(|key| check.key == key.as_str()));
    let found: Vec<Found> = wanted.map(|check| Found { check, answer: (check.probe)() }).collect();
    let code = verdict(&found);
    let text = if matches.get_flag("json") {
        show::json(&found, code)
    } else {
        show::text(&found, code, matches.get_flag("lacks"), tell::paints())
    };
    tell::out(&text);
    ExitCode::from(code)
}
