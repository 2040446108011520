//! `insula ns watch`: namespaces, names and members as they come and go, a line each.

use super::asked::{self, lossy};
use crate::parse::parse;
use crate::tell;
use clap::{Arg, ArgAction, ArgMatches, Command};
use insula_namespaces::error::Error;
use insula_namespaces::scan::process;
use insula_namespaces::watch::{Asked, Change, Coverage, Event, Missed, Watch, Which};
use insula_oci::escaped;
use rustix::fd::AsFd;
use serde_json::{Value, json};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The definition.
pub fn flags() -> Command {
    let switch = |name, help| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    asked::verb("watch", "Tell of namespaces, names and members as they come and go, a line each")
        .arg(
            Arg::new("name")
                .long("name")
                .value_name("NAME")
                .action(ArgAction::Append)
                .value_parser(clap::value_parser!(OsString))
                .help("Only this name and what it stands for; may be given again"),
        )
        .arg(asked::kind())
        .arg(
            Arg::new("only")
                .long("only")
                .value_name("WHAT")
                .action(ArgAction::Append)
                .value_delimiter(',')
                .value_parser(["names", "namespaces", "members"])
                .help("Only these, of names, namespaces and members"),
        )
        .arg(switch(
            "all-members",
            "Tell of members of the namespaces too that insula is in itself: on a machine that is busy, of many",
        ))
        .arg(switch("initial", "First tell what is there"))
        .arg(seconds("interval", "How often to look at what the kernel does not tell of, in seconds (1)"))
        .arg(seconds("timeout", "End after so many seconds, with exit code 0"))
        .arg(asked::json().help("Print a JSON object a line"))
        .after_help(
            "Names are all told, however short they are there. Births and ends of processes are told by the kernel's \
             proc connector in the initial namespaces, to root and from Linux 6.6 on to all, and each new process is \
             looked at at once; elsewhere what lives shorter than an interval is missed. unshare(2) and setns(2) are told by nothing: what they did shows when \
             the process executes a program, or at the next look. What is known to be missed is told as well.\n\n\
             It ends by a signal, with the timeout, or when nobody reads it any more.",
        )
}

fn seconds(name: &'static str, help: &'static str) -> Arg {
    let read = |text: &str| match text.parse::<f64>() {
        Ok(seconds) if (0.01..=1e9).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("write a number of seconds from 0.01 on".to_owned()),
    };
    Arg::new(name).long(name).value_name("SECONDS").value_parser(read).help(help)
}

/// `insula ns watch WORDS…`.
pub fn go(rest: Vec<OsString>) -> ExitCode {
    match parse(flags(), rest) {
        Ok(matches) => watch(&matches).unwrap_or_else(|error| asked::failed(&error)),
        Err(code) => code,
    }
}

/// What is told.
struct Filter {
    names: Vec<OsString>,
    only: Vec<String>,
}

impl Filter {
    fn passes(&self, event: &Event) -> bool {
        let (what, names): (&str, &[OsString]) = match event {
            Event::Name { name, .. } => ("names", std::slice::from_ref(name)),
            Event::Namespace { names, .. } => ("namespaces", names),
            Event::Member { names, .. } => ("members", names),
            Event::Missed(_) => return true,
        };
        (self.only.is_empty() || self.only.iter().any(|only| only == what))
            && (self.names.is_empty() || names.iter().any(|name| self.names.contains(name)))
    }
}

fn watch(matches: &ArgMatches) -> Result<ExitCode, Error> {
    let only: Vec<String> = matches.get_many("only").into_iter().flatten().cloned().collect();
    let names: Vec<OsString> = matches.get_many("name").into_iter().flatten().cloned().collect();
    let json = matches.get_flag("json");
    let asked = Asked {
        kinds: asked::kinds(matches),
        namespaces: only.iter().any(|only| only != "names") || only.is_empty(),
        members: only.is_empty() || only.iter().any(|only| only == "members"),
        own_members: matches.get_flag("all-members"),
        interval: matches.get_one("interval").copied().unwrap_or(Duration::from_secs(1)),
    };
    let (interval, is_of_processes) = (asked.interval, asked.namespaces);
    let deadline = matches.get_one::<Duration>("timeout").map(|after| Instant::now() + *after);
    let (mut watch, initial) = Watch::begin(asked)?;
    let filter = Filter { names, only };
    let coverage = watch.coverage();
    if json && !tell::is_read(&format!("{}\n", began(coverage, interval, is_of_processes))) {
        return Ok(ExitCode::SUCCESS);
    }
    if !json && is_of_processes {
        tell::note(&in_words(coverage, interval));
    }
    let mut events = if matches.get_flag("initial") { initial } else { Vec::new() };
    loop {
        let told = events.iter().filter(|event| filter.passes(event));
        let text: String =
            told.map(|event| if json { format!("{}\n", as_json(event)) } else { line(event) }).collect();
        if !text.is_empty() && !tell::is_read(&text) {
            return Ok(ExitCode::SUCCESS);
        }
        match watch.next(rustix::stdio::stdout().as_fd(), deadline)? {
            Some(next) => events = next,
            None => return Ok(ExitCode::SUCCESS),
        }
    }
}

/// What it can see, for people.
fn in_words(coverage: Coverage, interval: Duration) -> String {
    let every = format!("{} s", interval.as_secs_f64());
    let mut text = match coverage.told_of_processes {
        true => format!(
            "each name and each process is told by the kernel; what unshare(2) and setns(2) did is looked at every {every}"
        ),
        false => format!(
            "each name is told by the kernel; processes are looked at every {every}, and what lives shorter may be missed: \
             the proc connector speaks in the initial namespaces only, and before Linux 6.6 to root alone"
        ),
    };
    if coverage.unseen > 0 {
        text.push_str(&format!("; processes that cannot be looked at (ptrace(2)): {}", coverage.unseen));
    }
    text
}

/// The same for programs: the first line.
fn began(coverage: Coverage, interval: Duration, is_of_processes: bool) -> Value {
    let processes = match coverage.told_of_processes {
        _ if !is_of_processes => "not watched",
        true => "told",
        false => "polled",
    };
    json!({
        "time": now(),
        "event": "watching",
        "names": "told",
        "processes": processes,
        "interval_s": interval.as_secs_f64(),
        "unseen_processes": coverage.unseen,
    })
}

/// Seconds since 1970, to the millisecond.
fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    (since.as_secs_f64() * 1000.0).round() / 1000.0
}

/// The time of day, UTC, as `10:41:02.123`.
fn clock() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (seconds, thousandths) = (since.as_secs() % 86_400, since.subsec_millis());
    format!("{:02}:{:02}:{:02}.{thousandths:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn verb(event: &Event) -> &'static str {
    let (change, words) = match event {
        Event::Name { change, .. } => (*change, ["there", "added", "removed"]),
        Event::Namespace { change, .. } => (*change, ["there", "new", "gone"]),
        Event::Member { change, .. } => (*change, ["there", "joined", "left"]),
        Event::Missed(_) => return "missed",
    };
    match change {
        Change::There => words[0],
        Change::Came => words[1],
        Change::Went => words[2],
    }
}

/// For people.
fn line(event: &Event) -> String {
    let (clock, verb) = (clock(), verb(event));
    let all = |namespaces: &[Which]| {
        let words: Vec<String> =
            namespaces.iter().map(|which| format!("{}:[{}]", which.kind.name(), which.inode)).collect();
        words.join(" ")
    };
    let text = match event {
        Event::Name { name, namespaces, .. } => {
            format!("name {verb} {} {}", lossy(name.as_bytes()), all(namespaces))
        }
        Event::Namespace { which, names, .. } => {
            format!("namespace {verb} {} {}", all(&[*which]), words(names).join(" "))
        }
        Event::Member { pid, namespaces, names, .. } => {
            let command = process::command(*pid).map(|command| format!(" ({})", short(&command)));
            let names = words(names).join(" ");
            format!("process {verb} {pid}{} {} {names}", command.unwrap_or_default(), all(namespaces))
        }
        Event::Missed(missed) => format!("missed: {}", what(*missed)),
    };
    format!("{clock} {}\n", escaped(text.trim_end()))
}

fn words(names: &[OsString]) -> Vec<String> {
    names.iter().map(|name| lossy(name.as_bytes())).collect()
}

/// The beginning of a command.
fn short(command: &[u8]) -> String {
    lossy(command).chars().take(60).collect()
}

fn what(missed: Missed) -> String {
    match missed {
        Missed::Processes(1) => "a process that had ended before it could be looked at".to_owned(),
        Missed::Processes(count) => {
            format!("{count} processes that had ended before they could be looked at")
        }
        Missed::NameEvents => "the kernel dropped events of names; the directories were read anew".to_owned(),
        Missed::ProcessEvents => "the kernel dropped events of processes; all were looked at anew".to_owned(),
    }
}

/// For programs.
fn as_json(event: &Event) -> Value {
    let which = |which: &Which| json!({ "kind": which.kind.name(), "inode": which.inode, "id": which.id });
    let all = |namespaces: &[Which]| namespaces.iter().map(which).collect::<Vec<_>>();
    let mut value = match event {
        Event::Name { name, namespaces, .. } => {
            json!({ "event": "name", "name": lossy(name.as_bytes()), "namespaces": all(namespaces) })
        }
        Event::Namespace { which: one, names, .. } => {
            let mut value = which(one);
            value["event"] = "namespace".into();
            value["names"] = words(names).into();
            value
        }
        Event::Member { pid, namespaces, names, .. } => json!({
            "event": "member",
            "pid": pid,
            "command": process::command(*pid).map(|command| lossy(&command)),
            "namespaces": all(namespaces),
            "names": words(names),
        }),
        Event::Missed(missed) => {
            let (key, count) = match missed {
                Missed::Processes(count) => ("processes", Some(*count)),
                Missed::NameEvents => ("name events", None),
                Missed::ProcessEvents => ("process events", None),
            };
            json!({ "event": "missed", "what": key, "count": count, "why": what(*missed) })
        }
    };
    value["time"] = now().into();
    value["change"] = verb(event).into();
    value
}
