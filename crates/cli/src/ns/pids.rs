//! `insula ns pids`: the processes that are in a namespace, or in those of a name or of another process.

use super::asked::{self, column, lossy};
use crate::parse::parse;
use crate::tell;
use clap::{Arg, ArgAction, ArgMatches, Command};
use insula_launch::plan::Kind;
use insula_namespaces::error::Error;
use insula_namespaces::scan::members::{self, Member};
use insula_namespaces::scan::{self, Look, process};
use insula_namespaces::subject::Subject;
use serde_json::{Value, json};
use std::ffi::OsString;
use std::process::ExitCode;

/// The definition.
pub fn flags() -> Command {
    asked::verb("pids", "List the processes that are in a namespace, a pid a line, as ip netns pids does")
        .arg(asked::subject())
        .arg(asked::kind())
        .arg(
            Arg::new("threads")
                .long("threads")
                .action(ArgAction::SetTrue)
                .help("List threads, each where it is: setns(2) moves one thread only"),
        )
        .arg(
            Arg::new("long")
                .long("long")
                .short('l')
                .action(ArgAction::SetTrue)
                .help("Say of each in which of the namespaces it is, and its command"),
        )
        .arg(asked::json())
        .after_help(format!(
            "Where several namespaces are meant, a process counts that is in one of them; those that insula is in \
             itself do not count then, or every process of the machine would. `--kind` says which count.\n\n{}",
            asked::WORDS
        ))
}

/// `insula ns pids WORDS…`.
pub fn go(rest: Vec<OsString>) -> ExitCode {
    match parse(flags(), rest) {
        Ok(matches) => pids(&matches).unwrap_or_else(|error| asked::failed(&error)),
        Err(code) => code,
    }
}

fn pids(matches: &ArgMatches) -> Result<ExitCode, Error> {
    let subject = asked::find(matches)?;
    let of = counting(&subject, matches.contains_id("kind"));
    if let Some(fault) = subject.parts.iter().find_map(|part| part.fault.as_ref()).filter(|_| of.is_empty()) {
        return Ok(asked::failed(fault));
    }
    let threads = matches.get_flag("threads");
    let mut look = Look { threads, ..Look::PROCESSES };
    look.kinds = [false; 8];
    of.iter().for_each(|(kind, _)| look.kinds[*kind as usize] = true);
    let snapshot = scan::take(&look)?;
    let members = if threads { members::threads(&snapshot, &of) } else { members::processes(&snapshot, &of) };
    let code = if matches.get_flag("json") {
        tell::out(&format!("{:#}\n", as_json(&of, &members, threads)))
    } else if matches.get_flag("long") {
        tell::out(&table(&members, threads))
    } else {
        tell::out(&members.iter().map(|member| format!("{}\n", member.tid)).collect::<String>())
    };
    asked::note_unseen(&snapshot);
    Ok(code)
}

/// The namespaces that count.
fn counting(subject: &Subject, is_named: bool) -> Vec<(Kind, u64)> {
    let all = subject.wanted();
    let foreign: Vec<_> = all.iter().copied().filter(|(kind, inode)| !asked::is_own(*kind, *inode)).collect();
    if is_named || foreign.is_empty() { all } else { foreign }
}

fn kinds(member: &Member) -> Vec<&'static str> {
    Kind::ALL.into_iter().filter(|kind| member.kinds[*kind as usize]).map(Kind::name).collect()
}

fn table(members: &[Member], threads: bool) -> String {
    let mut columns = vec![column("PID", true), column("KINDS", false), column("COMMAND", false)];
    if threads {
        columns.insert(1, column("TID", true));
    }
    let rows = members.iter().map(|member| {
        let mut cells = vec![
            Some(member.pid.to_string().into_bytes()),
            Some(kinds(member).join(",").into_bytes()),
            process::command(member.pid),
        ];
        if threads {
            cells.insert(1, Some(member.tid.to_string().into_bytes()));
        }
        cells
    });
    asked::human(columns, rows.collect())
}

/// The members of each namespace, and each member with its command.
fn as_json(of: &[(Kind, u64)], members: &[Member], threads: bool) -> Value {
    let namespaces = of.iter().map(|(kind, inode)| {
        let of_kind = members.iter().filter(|member| member.kinds[*kind as usize]);
        let list: Vec<u32> = of_kind.map(|member| member.tid).collect();
        let key = if threads { "tids" } else { "pids" };
        json!({ "kind": kind.name(), "inode": inode, key: list })
    });
    let all = members.iter().map(|member| {
        let mut one = json!({
            "pid": member.pid,
            "kinds": kinds(member),
            "command": process::command(member.pid).map(|command| lossy(&command)),
        });
        if threads {
            one["tid"] = member.tid.into();
        }
        one
    });
    let key = if threads { "threads" } else { "processes" };
    json!({ "namespaces": namespaces.collect::<Vec<_>>(), key: all.collect::<Vec<_>>() })
}
