//! `insula lsns`, the face of lsns(8): which namespaces there are, and what holds them.
//!
//! Without a flag or column of ours it prints what lsns(8) prints: the look of 2.38 to the byte, the flags and the view of
//! 2.42. Ours are `--all-holders` and the columns NAME, HOLDERS and ID.

mod cells;
mod columns;
pub mod flags;
mod request;
mod rows;

use crate::face;
use crate::filter::Mismatch;
use crate::table::{self, Format, Json, Layout, Row, Style, Table};
use crate::tell;
use cells::Cells;
use columns::Column;
use insula_namespaces::scan::{self, Snapshot};
use request::{Request, Tree};
use rows::Line;
use std::ffi::OsString;
use std::process::ExitCode;

/// The exit code where something failed, as lsns(8).
const FAILED: u8 = 1;

/// The command.
pub fn go(arguments: Vec<OsString>) -> ExitCode {
    let given = match face::parse(&flags::TABLE, arguments, FAILED) {
        Ok(given) => given,
        Err(code) => return code,
    };
    let request = match flags::request(&given) {
        Ok(request) => request,
        Err(refusal) => return tell::error(&refusal.message, refusal.hint, FAILED),
    };
    if given.has("list-columns") {
        return tell::out(&column_list().print(&style(&request, false)));
    }
    let snapshot = match scan::take(&request.look()) {
        Ok(snapshot) => snapshot,
        Err(error) => return tell::error(&error.to_string(), error.hint().as_deref(), FAILED),
    };
    match listed(&snapshot, &request) {
        Ok(table) => {
            let code = tell::out(&table.print(&style(&request, request.headings)));
            note(&snapshot, &request);
            code
        }
        Err(message) => tell::error(&message, None, FAILED),
    }
}

fn style(request: &Request, headings: bool) -> Style {
    let format = match (request.json, request.raw) {
        (true, _) => Format::Json(Layout::of_environment()),
        (_, true) => Format::Raw,
        _ => Format::Human,
    };
    Style { format, headings, utf8: table::is_utf8(), terminal: table::terminal_width() }
}

/// The table of what is asked for.
fn listed(snapshot: &Snapshot, request: &Request) -> Result<Table, String> {
    let cells = Cells::new(snapshot, request.wrap);
    let mut wanted = |line: &Line<'_>| match &request.filter {
        None => Ok(true),
        Some((filter, columns)) => filter.holds(&|number| {
            let column = columns[number];
            let value = cells.value(column, line);
            (column.kind(), value.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
        }),
    };
    let lines = match request.namespace {
        None => rows::namespaces(snapshot, request, &mut wanted),
        Some(inode) => match snapshot.find(inode) {
            Some(namespace) => rows::processes(snapshot, namespace, request, &mut wanted),
            None => return Err(format!("not found namespace: {inode}")),
        },
    };
    let lines = lines.map_err(|Mismatch| {
        "failed to apply filter: it compares a text that is no number with a number".to_owned()
    })?;
    let cell = |column, line| if request.json { cells.json(column, line) } else { cells.value(column, line) };
    let rows = lines.iter().map(|line| Row {
        cells: request.columns.iter().map(|column| cell(*column, line)).collect(),
        parent: line.parent,
    });
    let columns = request.columns.iter().map(|column| look(*column, request));
    Ok(Table { name: "namespaces", columns: columns.collect(), rows: rows.collect() })
}

/// How a column looks.
fn look(column: Column, request: &Request) -> table::Column {
    let info = column.info();
    let of_namespaces = matches!(request.tree, Tree::Owner | Tree::Parent);
    let tree = match column {
        Column::Command => request.tree == Tree::Process,
        Column::Ns => of_namespaces,
        _ => false,
    };
    table::Column {
        name: info.name,
        width: info.width,
        right: info.right && !tree,
        cut: column == Column::Command && request.cut,
        tree,
        lines: column == Column::Nsfs && request.wrap && !request.json,
        json: info.json,
    }
}

/// What `--list-columns` prints: names, types as a filter has them, and what they are.
fn column_list() -> Table {
    let column = |name, right| table::Column {
        name,
        width: 0,
        right,
        cut: false,
        tree: false,
        lines: false,
        json: Json::Text,
    };
    let rows = Column::ALL.map(|column| {
        let info = column.info();
        let kind = if info.json == Json::Number { "<integer>" } else { "<string>" };
        let cells = [info.name, kind, info.about].map(|text| Some(text.as_bytes().to_vec()));
        Row { cells: cells.to_vec(), parent: None }
    });
    let columns = vec![column("HOLDER", true), column("TYPE", false), column("DESCRIPTION", false)];
    Table { name: "lsns-columns", columns, rows: rows.to_vec() }
}

/// Says how much could not be seen: to a person, or where more was asked for than lsns(8) has. Scripts that know lsns(8)
/// see nothing that they do not know.
fn note(snapshot: &Snapshot, request: &Request) {
    let is_watched = rustix::termios::isatty(rustix::stdio::stderr());
    if snapshot.unseen == 0 || !(is_watched || request.is_ours()) {
        return;
    }
    let why = if rustix::process::geteuid().is_root() {
        "they have rights that this process lacks, ptrace(2)"
    } else {
        "they are other users', and root may"
    };
    let (unseen, seen) = (snapshot.unseen, snapshot.seen);
    tell::note(&format!(
        "{unseen} of {seen} processes could not be looked at, nor what only they hold: {why}"
    ));
}
