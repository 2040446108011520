//! `insula cgroup ls`: the groups below insula's own directory, in every hierarchy where this caller has one.

use super::error::Error;
use super::units;
use crate::tell;
use clap::ArgMatches;
use insula_cgroup::{Group, Hierarchies, Name, Path, is_frozen, members, usage};
use insula_oci::escaped;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::ExitCode;

/// One line of the list.
struct Line {
    name: String,
    frozen: bool,
    processes: usize,
    memory_bytes: Option<u64>,
    cpu_us: Option<u64>,
    pids: Option<u64>,
}

/// `ls`.
pub fn ls(matches: &ArgMatches) -> Result<ExitCode, Error> {
    let lines = lines(&Hierarchies::discover()?)?;
    if matches.get_flag("json") {
        let all: Vec<Value> = lines.iter().map(as_json).collect();
        return Ok(tell::out(&format!("{:#}\n", Value::from(all))));
    }
    if matches.get_flag("quiet") {
        return Ok(tell::out(
            &lines.iter().map(|line| format!("{}\n", escaped(&line.name))).collect::<String>(),
        ));
    }
    Ok(tell::out(&table(&lines)))
}

/// The groups' names, each once.
pub fn names(hierarchies: &Hierarchies) -> Vec<Name> {
    let mut all = BTreeSet::new();
    for hierarchy in hierarchies.iter() {
        let base = hierarchy.base().and_then(|base| hierarchy.root().at(&base).ok());
        let tree = base.and_then(|base| base.tree().ok()).unwrap_or_default();
        all.extend(tree.iter().filter(|path| !path.is_root()).map(Path::to_string));
    }
    all.iter().filter_map(|path| Name::parse(path.trim_start_matches('/')).ok()).collect()
}

fn lines(hierarchies: &Hierarchies) -> Result<Vec<Line>, Error> {
    let mut lines = Vec::new();
    for name in names(hierarchies) {
        // One that is removed meanwhile is not there.
        let Ok(group) = Group::open(hierarchies, &name) else { continue };
        let used = usage::usage(&group);
        lines.push(Line {
            name: name.to_string(),
            frozen: is_frozen(&group) == Some(true),
            processes: members(&group)?.len(),
            memory_bytes: used.memory.map(|memory| memory.current_bytes),
            cpu_us: used.cpu.map(|cpu| cpu.usage_us),
            pids: used.pids.map(|pids| pids.current),
        });
    }
    Ok(lines)
}

fn as_json(line: &Line) -> Value {
    json!({
        "name": line.name,
        "frozen": line.frozen,
        "processes": line.processes,
        "memory_bytes": line.memory_bytes,
        "cpu_us": line.cpu_us,
        "pids": line.pids,
    })
}

/// The table for people; nothing where there is no group.
fn table(lines: &[Line]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let heads = ["NAME", "STATE", "PROCESSES", "TASKS", "MEMORY", "CPU"].map(str::to_owned);
    let rows = lines.iter().map(|line| {
        let state = match (line.frozen, line.processes) {
            (true, _) => "frozen",
            (false, 0) => "empty",
            (false, _) => "running",
        };
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        [
            escaped(&line.name).to_string(),
            state.to_owned(),
            line.processes.to_string(),
            or_dash(line.pids.map(|pids| pids.to_string())),
            or_dash(line.memory_bytes.map(units::bytes)),
            or_dash(line.cpu_us.map(units::seconds)),
        ]
    });
    let rows: Vec<[String; 6]> = std::iter::once(heads).chain(rows).collect();
    columns(&rows)
}

/// Rows as aligned columns.
pub fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let line = |row: &[String; N]| {
        let cells: String =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}  ")).collect();
        format!("{}\n", cells.trim_end())
    };
    rows.iter().map(line).collect()
}
