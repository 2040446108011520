//! `list`: all containers. `ps`: the processes of one.

use crate::error::Error;
use crate::flags::{Flag, Given, Order};
use crate::global::Global;
use crate::state::Printed;
use crate::tell;
use crate::verb::Verb;
use insula_runtime::container::{list as all, processes};
use std::process::{Command, ExitCode};

/// `list`.
pub const LIST: Verb = Verb {
    name: "list",
    about: "List the containers",
    usage: "",
    flags: &[
        Flag::value("format", "table|json", "How it is printed").short('f'),
        Flag::switch("quiet", "Print the ids only").short('q'),
    ],
    order: Order::Anywhere,
    go: list,
    failed: tell::FAILED,
};

/// `ps`.
pub const PS: Verb = Verb {
    name: "ps",
    about: "List the processes of a container; words behind the id are ps(1)'s",
    usage: "ID [PS-OPTIONS…]",
    flags: &[Flag::value("format", "table|json", "How it is printed").short('f')],
    order: Order::StopAfter(1),
    go: ps,
    failed: tell::FAILED,
};

fn list(global: &Global, given: &Given) -> Result<ExitCode, Error> {
    let (found, errors) = match global.root()? {
        Some(root) => all::list(&root)?,
        None => (Vec::new(), Vec::new()),
    };
    for error in errors {
        tell::warn(&error.to_string());
    }
    if given.has("quiet") {
        let ids: String = found.iter().map(|found| format!("{}\n", found.record.id)).collect();
        return Ok(tell::out(&ids));
    }
    let printed: Vec<Printed> = found.iter().map(Printed::of).collect();
    match given.value("format") {
        Some("json") => Ok(tell::out(&format!("{}\n", serde_json::json!(printed)))),
        None | Some("table" | "") => {
            let mut rows = vec![["ID", "PID", "STATUS", "BUNDLE", "CREATED"].map(str::to_owned)];
            rows.extend(found.iter().zip(&printed).map(|(found, printed)| {
                let record = &found.record;
                let (id, bundle) = (record.id.clone(), record.bundle.clone());
                [id, printed.pid.to_string(), printed.status.to_owned(), bundle, record.created.clone()]
            }));
            Ok(tell::out(&table(&rows)))
        }
        Some(other) => Err(no_format(other)),
    }
}

fn no_format(other: &str) -> Error {
    Error::Flag { flag: "--format".to_owned(), reason: format!("`{other}` is neither table nor json") }
}

/// Columns as wide as what stands in them, three blanks apart, as runc's.
fn table(rows: &[[String; 5]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..5).map(|column| width(column).max(9)).collect();
    let line = |row: &[String; 5]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}   "));
        format!("{}\n", cells.collect::<String>().trim_end())
    };
    rows.iter().map(line).collect()
}

fn ps(global: &Global, given: &Given) -> Result<ExitCode, Error> {
    let Some((id, options)) = given.words.split_first() else {
        return Err(Error::Words { verb: "ps".to_owned(), wanted: "a minimum of 1 argument", got: 0 });
    };
    let pids = processes::pids(&global.find(id)?)?;
    match given.value("format") {
        Some("json") => return Ok(tell::out(&format!("{}\n", serde_json::json!(pids)))),
        None | Some("table" | "") => {}
        Some(other) => return Err(no_format(other)),
    }
    let standard = ["-ef".to_owned()];
    let options = if options.is_empty() { &standard } else { options };
    let failed = |why: String| Error::File("run", "ps".to_owned(), why);
    let output = Command::new("ps").args(options).output().map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let mut lines = text.lines();
    let head = lines.next().unwrap_or_default();
    let column = head.split_whitespace().position(|word| word == "PID");
    let column = column.ok_or_else(|| failed("its output has no column PID".to_owned()))?;
    let ours = |line: &&str| {
        let pid = line.split_whitespace().nth(column).and_then(|word| word.parse::<u32>().ok());
        pid.is_some_and(|pid| pids.contains(&pid))
    };
    let mut printed = format!("{head}\n");
    for line in lines.filter(ours) {
        printed.push_str(&format!("{line}\n"));
    }
    Ok(tell::out(&printed))
}
