//! `insula ns pid PID [NS]`: what a process is called in other pid namespaces, and back.

mod flags;

pub use flags::command;

use super::say;
use crate::link::table::table;
use crate::parse::parse;
use crate::tell;
use insula_launch::plan::Kind;
use insula_namespaces::error::{Error, MAY_NOT_LOOK};
use insula_namespaces::party::Party;
use insula_namespaces::pids::{self, Level, There};
use rustix::fd::AsFd;
use serde_json::json;
use std::ffi::OsString;
use std::process::ExitCode;

/// `insula ns pid WORDS…`.
pub fn go(rest: Vec<OsString>) -> ExitCode {
    let matches = match parse(command(), rest) {
        Ok(matches) => matches,
        Err(code) => return code,
    };
    let word = |name: &str| matches.get_one::<String>(name).map(String::as_str);
    let pid = matches.get_one::<i32>("PID").copied().unwrap_or_default();
    let is_json = matches.get_flag("json");
    let answer = match (word("from"), word("NS")) {
        (Some(from), _) => back(from, pid, is_json),
        (None, Some(to)) => there(pid, to, is_json),
        (None, None) => pids::levels(pid).map(|levels| {
            if levels.iter().any(|level| level.inode.is_none()) {
                tell::note(&format!("which namespaces they are may not be told: {MAY_NOT_LOOK}"));
            }
            shown(pid, &levels, is_json)
        }),
    };
    match answer {
        Ok(text) => tell::out(&text),
        Err(error) => say::refused(&error, code(&error)),
    }
}

/// That there is no such pid is an answer.
fn code(error: &Error) -> u8 {
    match error {
        Error::NoProcess(_) | Error::NotVisible { .. } | Error::NoPid { .. } => tell::NOT_SO,
        _ => tell::FAILED,
    }
}

/// Our pid → that in `word`.
fn there(pid: i32, word: &str, is_json: bool) -> Result<String, Error> {
    let subject = Party::find(word)?;
    let (file, name) = (subject.namespace(Kind::Pid)?, subject.describe(Kind::Pid));
    let found = pids::there(pid, There { file: file.as_fd(), name: &name })?;
    Ok(if is_json { translation(pid, word, found) } else { format!("{found}\n") })
}

/// The pid in `word` → ours.
fn back(word: &str, pid: i32, is_json: bool) -> Result<String, Error> {
    let subject = Party::find(word)?;
    let (file, name) = (subject.namespace(Kind::Pid)?, subject.describe(Kind::Pid));
    let found = pids::here(There { file: file.as_fd(), name: &name }, pid)?;
    Ok(if is_json { translation(found, word, pid) } else { format!("{found}\n") })
}

fn translation(here: i32, word: &str, there: i32) -> String {
    format!("{:#}\n", json!({ "pid": here, "namespace": word, "there": there }))
}

/// Each level, ours first.
fn shown(pid: i32, levels: &[Level], is_json: bool) -> String {
    if is_json {
        let levels: Vec<_> = levels
            .iter()
            .enumerate()
            .map(|(at, level)| json!({ "level": at, "pid": level.pid, "inode": level.inode, "id": level.id }))
            .collect();
        return format!("{:#}\n", json!({ "pid": pid, "levels": levels }));
    }
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    let rows: Vec<[String; 4]> = levels
        .iter()
        .enumerate()
        .map(|(at, level)| [at.to_string(), level.pid.to_string(), number(level.inode), number(level.id)])
        .collect();
    table(["LEVEL", "PID", "NAMESPACE", "ID"], &rows)
}
