//! `insula why`: which calls of a program the kernel refused, and why.

mod answer;
pub mod flags;
mod json;
mod manner;
mod own;
mod steps;
mod text;

use crate::parse::parse;
use crate::tell;
use answer::Answer;
use insula_namespaces::trace::{End, Request, run};
use insula_namespaces::wait::{Ended, end_like};
use manner::{Manner, failed};
use rustix::io::Errno;
use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;
use std::process::ExitCode;

/// `insula why WORDS…`.
pub fn go(rest: Vec<OsString>) -> ExitCode {
    let matches = match parse(flags::command(), rest) {
        Ok(matches) => matches,
        Err(code) => return code,
    };
    let to = matches.get_one::<PathBuf>(flags::OUTPUT);
    let manner = match Manner::new(matches.get_flag(flags::JSON), to) {
        Ok(manner) => manner,
        Err(error) => return failed(&error),
    };
    let words: Vec<OsString> =
        matches.get_many::<OsString>(flags::COMMAND).into_iter().flatten().cloned().collect();
    // What of our own has a plan is rehearsed; the rest of it is a program as any other.
    match own::Command::of(&words) {
        Some((command, rest)) => own::rehearsed(command, rest, &words, &manner),
        None => traced(&own::executable(words), matches.get_flag(flags::ALL), &manner),
    }
}

/// Any program: it runs, and is traced.
fn traced(words: &[OsString], all: bool, manner: &Manner) -> ExitCode {
    let request = Request {
        words: words.iter().map(|word| c_string(word)).collect(),
        environment: environment(),
        path: std::env::var_os("PATH").map(|path| c_string(&path)),
        all,
    };
    let record = match run(request) {
        Ok(record) => record,
        Err(error) => return failed(&error),
    };
    let answer = Answer::of(words, &record);
    let told = manner.tell(&if manner.json { json::answer(&answer) } else { text::answer(&answer) });
    if let Err(error) = told {
        return failed(&error);
    }
    match (record.not_executed, record.end) {
        (Some(Errno::NOENT | Errno::NOTDIR), _) => ExitCode::from(tell::NOT_FOUND),
        (Some(_), _) => ExitCode::from(tell::NOT_EXECUTABLE),
        (None, Some(End::Exited(code))) => {
            end_like(Ended::Exited(u8::try_from(code & 0xff).unwrap_or(tell::FAILED)), tell::FAILED)
        }
        (None, Some(End::Killed(signal))) => end_like(Ended::Signaled(signal), tell::FAILED),
        (None, None) => ExitCode::from(tell::FAILED),
    }
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
