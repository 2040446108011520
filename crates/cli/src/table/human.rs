//! For people: padded columns, headers, the tree drawn in its column.

use super::data::{Column, Style, Table};
use super::tree::{Tree, vertical};
use super::{layout, safe};

pub fn print(table: &Table, tree: &Tree, style: &Style) -> String {
    if table.rows.is_empty() {
        return String::new();
    }
    let widths = layout::widths(table, tree, style);
    let mut text = String::new();
    if style.headings {
        let names = table
            .columns
            .iter()
            .map(|column| Cell { text: column.name.to_owned(), cells: column.name.len() });
        line(table, &widths, names, true, &mut text);
    }
    for at in &tree.order {
        row(table, tree, style, &widths, *at, &mut text);
    }
    text
}

/// What stands in one line of a cell, and how many cells of the terminal it takes.
struct Cell {
    text: String,
    cells: usize,
}

/// A row: a line, and more of them where a cell has more.
fn row(table: &Table, tree: &Tree, style: &Style, widths: &[usize], at: usize, text: &mut String) {
    let mut rest: Vec<Vec<&[u8]>> = Vec::with_capacity(table.columns.len());
    for (number, column) in table.columns.iter().enumerate() {
        let bytes = table.rows[at].cells.get(number).and_then(Option::as_deref).unwrap_or_default();
        rest.push(if column.lines {
            bytes.split(|byte| *byte == b'\n').rev().collect()
        } else {
            vec![bytes]
        });
    }
    let first = table.columns.iter().zip(&mut rest).map(|(column, lines)| {
        let branches = if column.tree { tree.branches(table, at, style.utf8) } else { String::new() };
        cell(branches, lines.pop().unwrap_or_default(), style.utf8)
    });
    line(table, widths, first.collect::<Vec<_>>().into_iter(), true, text);
    while rest.iter().any(|lines| !lines.is_empty()) {
        let next = table.columns.iter().zip(&mut rest).map(|(column, lines)| {
            let mut branches = String::new();
            if column.tree {
                branches = match table.rows[at].parent {
                    Some(_) => tree.trunk(table, at, style.utf8),
                    None => String::new(),
                };
                if !tree.children[at].is_empty() {
                    branches.push_str(vertical(style.utf8));
                }
            }
            cell(branches, lines.pop().unwrap_or_default(), style.utf8)
        });
        line(table, widths, next.collect::<Vec<_>>().into_iter(), false, text);
    }
}

fn cell(branches: String, bytes: &[u8], utf8: bool) -> Cell {
    let mut cells = branches.chars().count();
    let mut text = branches;
    cells += safe::encode(bytes, utf8, &mut text);
    Cell { text, cells }
}

/// One line. `first`: of the row, where content may stand at the right.
fn line(table: &Table, widths: &[usize], cells: impl Iterator<Item = Cell>, first: bool, text: &mut String) {
    let last = table.columns.len().saturating_sub(1);
    for (number, ((column, width), cell)) in table.columns.iter().zip(widths).zip(cells).enumerate() {
        one(column, *width, &cell, first, number == last, text);
    }
    text.push('\n');
}

fn one(column: &Column, width: usize, cell: &Cell, first: bool, last: bool, text: &mut String) {
    let (shown, mut cells) = if cell.cells > width && column.cut {
        safe::cut(&cell.text, width)
    } else {
        (cell.text.as_str(), cell.cells)
    };
    if column.right && first && !shown.is_empty() {
        pad(width.saturating_sub(cells), text);
        cells = width.max(cells);
    }
    text.push_str(shown);
    if !last {
        pad(width.saturating_sub(cells) + 1, text);
    }
}

fn pad(cells: usize, text: &mut String) {
    text.extend(std::iter::repeat_n(' ', cells));
}
