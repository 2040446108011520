//! `insula ns reach A B:PORT`: does B answer A, and if not, what stands in the way? The trying and the looking are
//! [`insula_net::reach`]; here words become network namespaces, and what came of it is told.

mod flags;
mod show;
mod words;

pub use flags::command;

use super::say;
use crate::parse::parse;
use crate::run::duration;
use crate::tell;
use clap::ArgMatches;
use insula_launch::plan::Kind;
use insula_namespaces::error::Error;
use insula_namespaces::names;
use insula_namespaces::party::{HOST, Party, Whom as Kept};
use insula_net::listener::Protocol;
use insula_net::reach::{Ask, Place, Report, Whom, reach};
use rustix::fs::{Mode, OFlags, open};
use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;
use words::Target;

/// `insula ns reach WORDS…`.
pub fn go(rest: Vec<OsString>) -> ExitCode {
    let matches = match parse(command(), rest) {
        Ok(matches) => matches,
        Err(code) => return code,
    };
    let (ask, shown) = match asked(&matches) {
        Ok(asked) => asked,
        Err(error) => return say::refused(&error, tell::FAILED),
    };
    let report = match reach(ask) {
        Ok(report) => report,
        Err(error) => return say::refused(&Error::Net(error), tell::FAILED),
    };
    let text =
        if matches.get_flag("json") { show::json(&shown, &report) } else { show::text(&shown, &report) };
    if !matches.get_flag("json") {
        report.notes.iter().for_each(|note| tell::note(&insula_oci::escaped(note).to_string()));
    }
    let _ = tell::out(&text);
    ExitCode::from(code(&shown, &report))
}

fn code(words: &show::Words, report: &Report) -> u8 {
    match report {
        report if report.is_answered() || report.is_taken => 0,
        _ if show::is_untold(words, report) => tell::UNTOLD,
        _ => tell::NOT_SO,
    }
}

/// What is asked, and its words for the answer.
fn asked(matches: &ArgMatches) -> Result<(Ask, show::Words), Error> {
    let word = |name: &str| matches.get_one::<String>(name).map_or("", String::as_str);
    let (from, target) = (Party::find(word("A"))?, words::target(word("B:PORT"))?);
    let (to, port) = match target {
        Target::Address(address, port) => (Whom::Address(address), port),
        Target::Namespace(name, port) => {
            let subject = Party::find(&name)?;
            say::notes(&[&from, &subject]);
            (Whom::Network(place(&subject)?), port)
        }
    };
    if matches!(to, Whom::Address(_)) {
        say::notes(&[&from]);
    }
    let protocol = if matches.get_flag("udp") { Protocol::Udp } else { Protocol::Tcp };
    let from = place(&from)?;
    let shown = show::Words { from: from.name.clone(), to: word("B:PORT").to_owned(), protocol };
    let timeout = timeout(word("timeout"))?;
    Ok((Ask { from, to, port, protocol, timeout, others: others() }, shown))
}

fn timeout(text: &str) -> Result<Duration, Error> {
    match duration::parse(text) {
        Ok(timeout) if timeout > Duration::ZERO => Ok(timeout),
        Ok(_) => Err(words::refuse(&format!("--timeout {text}"), "no time to answer", Some(duration::FORM))),
        Err(reason) => {
            Err(words::refuse(&format!("--timeout {text}"), &reason.to_string(), Some(duration::FORM)))
        }
    }
}

/// The network namespace that a word leads to.
fn place(subject: &Party) -> Result<Place, Error> {
    let name = match &subject.whom {
        Kept::Process(process) => format!("the network of process {}", process.pid),
        Kept::Host(..) => "the host's network".to_owned(),
        Kept::Namespaces(_) => format!("`{}`", subject.word),
    };
    Ok(Place { name, file: subject.namespace(Kind::Net)? })
}

/// What the way may lead through besides: the machine's network, ours, and those with names.
fn others() -> Vec<Place> {
    let mut others: Vec<Place> =
        Party::find(HOST).ok().and_then(|host| place(&host).ok()).into_iter().collect();
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = |path: &std::path::Path| open(path, flags, Mode::empty()).ok();
    if let Some(file) = file(std::path::Path::new("/proc/thread-self/ns/net")) {
        others.push(Place { name: "the network that insula is called in".to_owned(), file });
    }
    for named in names::all().unwrap_or_default() {
        if let Ok(file) = named.open(Kind::Net) {
            others.push(Place { name: format!("`{}`", named.shown()), file });
        }
    }
    others
}
