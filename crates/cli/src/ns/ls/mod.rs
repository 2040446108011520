//! `insula ns ls`: the names, a line each, and on demand the namespaces that have none.

mod columns;
mod known;
mod line;
mod order;

use super::asked;
use crate::filter::{Filter, Mismatch};
use crate::parse::parse;
use crate::table::{self, Row, Table};
use crate::tell;
use clap::{Arg, ArgAction, ArgMatches, Command};
use columns::Column;
use insula_namespaces::error::Error;
use insula_namespaces::scan::{self, Look, Mounts};
use insula_oci::escaped;
pub use known::state;
use line::Line;
use order::Tree;
use std::ffi::OsString;
use std::process::ExitCode;

/// The definition.
pub fn flags() -> Command {
    let value =
        |name, letter, value, help| Arg::new(name).long(name).short(letter).value_name(value).help(help);
    asked::verb("ls", "List the names, with what they stand for, what holds them, and who is in them")
        .arg(
            Arg::new("all")
                .long("all")
                .short('a')
                .action(ArgAction::SetTrue)
                .help("Also the namespaces that have no name"),
        )
        .arg(asked::kind().help("Only what has a namespace of this kind; may be given again, or several with commas"))
        .arg(value(
            "filter",
            'Q',
            "EXPR",
            "Only lines for which the expression is true, scols-filter(5): `KINDS =~ \"net\" and PROCESSES == 0`",
        ))
        .arg(
            value("tree", 'T', "BY", "Show a tree: by owner (what --tree alone means) or parent")
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("owner")
                .value_parser(["owner", "parent"]),
        )
        .arg(value(
            "output",
            'o',
            "COLUMNS",
            "Show these columns, separated by commas; +COLUMNS: more than the usual ones",
        ))
        .arg(
            Arg::new("noheadings")
                .long("noheadings")
                .short('n')
                .action(ArgAction::SetTrue)
                .help("Print no headings"),
        )
        .arg(asked::json())
        .after_help(format!("Columns:\n{}", Column::list()))
}

/// `insula ns ls WORDS…`.
pub fn go(rest: Vec<OsString>) -> ExitCode {
    match parse(flags(), rest) {
        Ok(matches) => ls(&matches).unwrap_or_else(|error| asked::failed(&error)),
        Err(code) => code,
    }
}

fn ls(matches: &ArgMatches) -> Result<ExitCode, Error> {
    let all = matches.get_flag("all");
    let columns = output(matches.get_one::<String>("output").map(String::as_str), all)?;
    let filter = matches.get_one::<String>("filter").map(|text| expression(text)).transpose()?;
    let kinds = asked::kinds(matches);
    let tree = matches.get_one::<String>("tree").map(|by| match by.as_str() {
        "parent" => Tree::Parent,
        _ => Tree::Owner,
    });
    let needed = || columns.iter().chain(filter.iter().flat_map(|(_, columns)| columns));
    let (mut lines, kept) = known::lines(tree.is_some() || needed().any(|column| column.wants_relatives()))?;
    let snapshot = if all {
        let look = Look { ids: needed().any(|column| *column == Column::Id), ..Look::HOLDERS };
        Some(scan::take(&Look { kinds, mounts: Mounts::All, ..look })?)
    } else if needed().any(|column| column.wants_processes()) && !lines.is_empty() {
        Some(scan::take(&Look { kinds: kinds_of(&lines), ..Look::PROCESSES })?)
    } else {
        None
    };
    if let Some(snapshot) = snapshot.as_ref().filter(|_| all) {
        let unnamed = known::unnamed(snapshot, &lines);
        lines.extend(unnamed);
    }
    if let Some(snapshot) = &snapshot {
        line::count(&mut lines, snapshot);
    }
    lines.retain(|line| line.parts.is_empty() || line.parts.iter().any(|part| kinds[part.kind as usize]));
    let lines = wanted(lines, filter.as_ref())?;
    let lines = match tree {
        Some(tree) => order::arrange(lines, tree),
        None => lines,
    };
    let json = matches.get_flag("json");
    let table = as_table(&lines, &columns, tree.is_some(), json);
    let code = tell::out(&table.print(&asked::style(json, !matches.get_flag("noheadings"))));
    note(&lines, kept);
    // A script that lists names every minute need not hear it each time.
    if let Some(snapshot) = snapshot.filter(|_| all || rustix::termios::isatty(rustix::stdio::stderr())) {
        asked::note_unseen(&snapshot);
    }
    Ok(code)
}

/// The kinds that the names have.
fn kinds_of(lines: &[Line]) -> [bool; 8] {
    let mut kinds = [false; 8];
    lines.iter().flat_map(|line| &line.parts).for_each(|part| kinds[part.kind as usize] = true);
    kinds
}

/// The columns that are asked for. What has no name is known by its inode.
fn output(list: Option<&str>, all: bool) -> Result<Vec<Column>, Error> {
    let usual = || Column::USUAL.into_iter().chain(all.then_some(Column::Ns));
    let mut columns = Vec::new();
    let names = match list.map(|list| list.strip_prefix('+').ok_or(list)) {
        None => return Ok(usual().collect()),
        Some(Ok(more)) => {
            columns.extend(usual());
            more
        }
        Some(Err(names)) => names,
    };
    for name in names.split(',') {
        columns.push(column(name, "--output")?);
    }
    Ok(columns)
}

fn column(name: &str, flag: &str) -> Result<Column, Error> {
    Column::find(name.trim()).ok_or_else(|| Error::Asked {
        what: format!("{flag} {name}"),
        reason: "there is no such column".to_owned(),
        hint: Some("`insula ns ls --help` lists them".to_owned()),
    })
}

/// An expression, and the columns that it names.
fn expression(text: &str) -> Result<(Filter, Vec<Column>), Error> {
    let filter = Filter::parse(text).map_err(|error| Error::Asked {
        what: format!("--filter {text}"),
        reason: error.to_string(),
        hint: Some("it looks like `KINDS =~ \"net\" and PROCESSES == 0`".to_owned()),
    })?;
    let columns = filter.names().iter().map(|name| column(name, "--filter")).collect::<Result<_, _>>()?;
    Ok((filter, columns))
}

fn wanted(lines: Vec<Line>, filter: Option<&(Filter, Vec<Column>)>) -> Result<Vec<Line>, Error> {
    let Some((filter, columns)) = filter else { return Ok(lines) };
    let mut wanted = Vec::with_capacity(lines.len());
    for line in lines {
        let value = |number: usize| {
            let value = line.value(columns[number]);
            (columns[number].kind(), value.map(|bytes| asked::lossy(&bytes)))
        };
        match filter.holds(&value) {
            Ok(true) => wanted.push(line),
            Ok(false) => {}
            Err(Mismatch) => {
                return Err(Error::Asked {
                    what: "--filter".to_owned(),
                    reason: "it compares a text that is no number with a number".to_owned(),
                    hint: None,
                });
            }
        }
    }
    Ok(wanted)
}

fn as_table(lines: &[Line], columns: &[Column], is_tree: bool, json: bool) -> Table {
    let rows = lines.iter().map(|line| {
        // An empty cell would move what is behind it to the eyes of whoever splits at blanks.
        let dash = |value: Option<Vec<u8>>| value.or_else(|| (!json).then(|| b"-".to_vec()));
        Row { cells: columns.iter().map(|column| dash(line.value(*column))).collect(), parent: line.above }
    });
    let column = |(at, column): (usize, &Column)| table::Column {
        cut: matches!(column, Column::Command | Column::Why),
        tree: is_tree && at == 0,
        json: column.json(),
        ..asked::column(column.name(), column.json() == table::Json::Number)
    };
    let rows = rows.collect();
    Table { name: "names", columns: columns.iter().enumerate().map(column).collect(), rows }
}

/// What is to be known about the list.
fn note(lines: &[Line], kept: usize) {
    if kept > 0 && lines.iter().any(|line| line.hold.starts_with("kept")) {
        tell::note(
            "a name that is kept ends with its keeper, and so do its namespaces, unless something else holds them",
        );
    }
    for line in lines.iter().filter(|line| !matches!(line.state, "ok" | "busy")) {
        if let (Some(name), Some(why)) = (&line.name, &line.why) {
            tell::warn(&format!("`{}`: {}", escaped(name), escaped(why)));
        }
    }
}
