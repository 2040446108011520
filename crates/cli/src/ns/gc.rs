//! `insula ns gc`.

use crate::face::table::{Flag, Order, Table};
use crate::face::{self, given::Given};
use crate::ns::words;
use crate::tell;
use insula_namespaces::error::Error;
use insula_namespaces::names::{self, Finding, Held, Outcome, Reason};
use insula_namespaces::scan::By;
use insula_oci::escaped;
use serde_json::{Value, json};
use std::ffi::OsString;
use std::process::ExitCode;

/// The verb.
const TABLE: Table = Table {
    name: "ns gc",
    about: "Clear away names that are of no use any more",
    usage: "[FLAGS…]",
    groups: &[("Flags", FLAGS)],
    order: Order::Permute,
    after_help: "Cleared away is what commands that were killed have left, and a name of which a namespace is not there any more: \
                 it was unmounted, its keeper or its first process has ended, or the machine has started anew. A name with \
                 processes in its pid namespace stays. Of namespaces that live on it is told what holds them.\n\n\
                 Exit code: 0; 125 if anything resists.",
};

const FLAGS: &[Flag] = &[
    Flag::switch('n', "dry-run", "Tell what would be cleared away, and do nothing"),
    Flag::switch_long("json", "Print JSON"),
];

/// The definition for manuals and completions.
pub fn command() -> clap::Command {
    TABLE.command().name("gc")
}

/// `insula ns gc WORDS…`.
pub fn go(rest: Vec<OsString>) -> ExitCode {
    match face::parse(&TABLE, rest, tell::FAILED) {
        Ok(given) => attempt(&given).unwrap_or_else(|error| words::failed(&error)),
        Err(code) => code,
    }
}

fn attempt(given: &Given) -> Result<ExitCode, Error> {
    if let Some(word) = given.words.first() {
        return Err(words::refused(
            "gc",
            &word.to_string_lossy(),
            "it takes no name",
            "`insula ns rm NAME` removes one",
        ));
    }
    let dry = given.has("dry-run");
    let findings = names::gc(dry)?;
    if given.has("json") {
        let all: Vec<Value> = findings.iter().map(|finding| as_json(finding, dry)).collect();
        tell::out(&format!("{:#}\n", Value::from(all)));
    } else {
        tell::out(&findings.iter().map(|finding| line(finding, dry)).collect::<String>());
    }
    let mut code = ExitCode::SUCCESS;
    for finding in &findings {
        if let Outcome::Failed(errors) = &finding.outcome {
            for error in errors {
                code = words::failed(error);
            }
        }
    }
    Ok(code)
}

fn reason(reason: Reason) -> String {
    match reason {
        Reason::Left => "left by a command that was killed".to_owned(),
        Reason::Stale(kind, why) => format!("{} namespace: {why}", kind.name()),
    }
}

/// A line for the name, and one for each namespace that lives on.
fn line(finding: &Finding, dry: bool) -> String {
    let name = finding.name.to_string_lossy();
    let name = escaped(&name);
    let why = reason(finding.reason);
    let mut text = match &finding.outcome {
        Outcome::Removed if dry => format!("would remove {name} ({why})\n"),
        Outcome::Removed => format!("removed {name} ({why})\n"),
        Outcome::Populated(pids) => {
            let pids: Vec<String> = pids.iter().map(u32::to_string).collect();
            format!("kept {name} ({why}): processes in its pid namespace: {}\n", pids.join(" "))
        }
        Outcome::Failed(_) => format!("not removed {name} ({why})\n"),
    };
    for held in &finding.held {
        text.push_str(&format!(
            "  {} namespace {} lives on: {}\n",
            held.kind.name(),
            held.inode,
            holders(held)
        ));
    }
    text
}

fn holders(held: &Held) -> String {
    let mut words = Vec::new();
    if !held.processes.is_empty() {
        let pids: Vec<String> = held.processes.iter().map(u32::to_string).collect();
        words.push(format!("processes {}", pids.join(" ")));
    }
    words.extend(held.others.iter().map(|by| escaped(&holder(by)).to_string()));
    words.join(", ")
}

fn holder(by: &By) -> String {
    match by {
        By::Thread { pid, tid } => format!("thread {tid} of process {pid}"),
        By::ForChildren { pid } => format!("the next children of process {pid}"),
        By::Fd { pid, fd } => format!("descriptor {fd} of process {pid}"),
        By::Socket { pid, fd } => format!("socket {fd} of process {pid}"),
        By::Mount { point, pid: None } => format!("a mount on {}", point.display()),
        By::Mount { point, pid: Some(pid) } => {
            format!("a mount on {}, as process {pid} sees it", point.display())
        }
    }
}

fn as_json(finding: &Finding, dry: bool) -> Value {
    let (outcome, processes) = match &finding.outcome {
        Outcome::Removed if dry => ("would-remove", None),
        Outcome::Removed => ("removed", None),
        Outcome::Populated(pids) => ("kept", Some(pids)),
        Outcome::Failed(_) => ("failed", None),
    };
    let (reason, kind) = match finding.reason {
        Reason::Left => ("left", None),
        Reason::Stale(kind, why) => (why.key(), Some(kind.name())),
    };
    let held: Vec<Value> = finding
        .held
        .iter()
        .map(|held| {
            json!({
                "kind": held.kind.name(),
                "inode": held.inode,
                "processes": held.processes,
                "others": held.others.iter().map(holder).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "name": finding.name.to_string_lossy(),
        "reason": reason,
        "kind": kind,
        "outcome": outcome,
        "processes": processes,
        "held": held,
    })
}
