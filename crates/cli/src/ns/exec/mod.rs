//! `insula ns exec NAME`: what nsenter(1) does, with a name in place of files. It is the verb that is called most, so that
//! nothing is built for it but its plan.

pub mod flags;

use crate::face::environment::Environment;
use crate::face::{self, given::Given};
use crate::ns::{kinds, words};
use crate::nsenter::request::{Asked, account_shell, c_string, descriptor, directory, explained, id, text};
use crate::nsenter::{FAILED, compiled, perform};
use crate::planned::{NoPlan, Planned};
use insula_namespaces::enter::Request;
use insula_namespaces::error::Error;
use std::ffi::{CString, OsStr, OsString};
use std::process::ExitCode;

/// `insula ns exec WORDS…`.
pub fn go(rest: Vec<OsString>) -> ExitCode {
    match parse(rest) {
        Ok((name, given)) => perform(name.and_then(|name| read(&name, &given))),
        Err(code) => code,
    }
}

/// The plan of these words, not performed.
pub fn planned(rest: Vec<OsString>) -> Result<Planned, NoPlan> {
    let (name, given) = parse(rest).map_err(|_| NoPlan::Words)?;
    compiled(name.and_then(|name| read(&name, &given)))
}

/// The flags in front of the name, the name, and those behind it.
fn parse(rest: Vec<OsString>) -> Result<(Result<OsString, Error>, Given), ExitCode> {
    let mut before = face::parse(&flags::TABLE, rest, FAILED)?;
    if before.words.is_empty() {
        let error = words::refused("exec", "", "a name is missing", "`insula ns exec NAME [--] PROGRAM`");
        return Ok((Err(error), before));
    }
    let name = before.words.remove(0);
    let behind = face::parse(&flags::TABLE, std::mem::take(&mut before.words), FAILED)?;
    before.flags.extend(behind.flags);
    Ok((Ok(name), Given { words: behind.words, ..before }))
}

fn read(name: &OsStr, given: &Given) -> Result<Asked, Error> {
    let kinds = if given.has("all") { Vec::new() } else { kinds::given(given) };
    let mut request =
        Request { set: Some((name.to_owned(), kinds)), own_may_stay: true, ..Request::default() };
    let (mut explain, mut status, mut variables) = (None, None, Vec::new());
    for (flag, value) in &given.flags {
        let value = value.as_deref();
        match *flag {
            "setuid" => request.uid = Some(id(flag, number(flag, text(flag, value)?)?)?),
            "setgid" => request.gid = Some(id(flag, number(flag, text(flag, value)?)?)?),
            "preserve-credentials" => request.preserve_credentials = true,
            "keep-caps" => request.keep_caps = true,
            "root" => request.root = Some(directory(value)),
            "wd" => request.working_directory = Some(directory(value)),
            "wdns" => request.working_directory_inside = value.map(c_string).transpose()?,
            "no-fork" => request.no_fork = true,
            "env" => variables.push(variable(value.unwrap_or_default())?),
            "json" => {
                status = Some(
                    value.map_or(Ok(2), |_| text(flag, value).and_then(|word| descriptor("--json", word)))?,
                );
                request.fork = true;
            }
            "explain" => explain = Some(explained(value)?),
            _ => {}
        }
    }
    contradictions(given)?;
    request.environment =
        if given.has("clear-env") { Environment::empty() } else { Environment::own() }.lines();
    for variable in variables {
        set(&mut request.environment, variable);
    }
    request.program = given.words.iter().map(|word| c_string(word)).collect::<Result<_, _>>()?;
    if request.program.is_empty() {
        request.account_shell = account_shell(&request);
    }
    Ok(Asked { request, explain, status })
}

fn contradictions(given: &Given) -> Result<(), Error> {
    for (one, other) in [("json", "no-fork"), ("wdns", "wd")] {
        if given.has(one) && given.has(other) {
            let reason = format!("it contradicts `--{other}`");
            return Err(words::refused(&format!("--{one}"), "", &reason, "give one of them"));
        }
    }
    Ok(())
}

/// There is no target to follow.
fn number<'a>(flag: &str, word: &'a str) -> Result<&'a str, Error> {
    if word == "follow" {
        return Err(words::refused(
            &format!("--{flag}"),
            word,
            "this is no id",
            "write a number below 4294967295",
        ));
    }
    Ok(word)
}

fn variable(word: &OsStr) -> Result<CString, Error> {
    let shown = word.to_string_lossy();
    if shown.split_once('=').is_none_or(|(name, _)| name.is_empty()) {
        return Err(words::refused("--env", &shown, "this is no variable", "write NAME=VALUE"));
    }
    c_string(word)
}

/// In the place of one of the same name, or at the end.
fn set(environment: &mut Vec<CString>, variable: CString) {
    let name = |line: &CString| line.as_bytes().split(|byte| *byte == b'=').next().map(<[u8]>::to_vec);
    let of = name(&variable);
    environment.retain(|line| name(line) != of);
    environment.push(variable);
}
