//! How wide each column is.

use super::data::{Style, Table};
use super::safe;
use super::tree::Tree;

/// The width of each column in cells. Columns stand one cell apart.
pub fn widths(table: &Table, tree: &Tree, style: &Style) -> Vec<usize> {
    let mut widths: Vec<usize> = Vec::with_capacity(table.columns.len());
    let mut branches = 0;
    for (number, column) in table.columns.iter().enumerate() {
        let widest = tree.order.iter().map(|at| {
            let drawn = if column.tree { cells_of_branches(table, *at) } else { 0 };
            branches = drawn.max(branches);
            drawn + content(table, *at, number, style.utf8)
        });
        let widest = widest.max().unwrap_or(0);
        let least = column.name.len().max(1);
        widths.push(if widest < least {
            least
        } else if widest < column.width && least < column.width {
            column.width
        } else {
            widest
        });
    }
    if let Some(terminal) = style.terminal {
        cut(table, &mut widths, terminal, branches);
    }
    widths
}

/// Takes away from the columns that may be cut, one cell from each in turn, down to the width of their headers.
fn cut(table: &Table, widths: &mut [usize], terminal: usize, branches: usize) {
    let mut all = widths.iter().sum::<usize>() + widths.len().saturating_sub(1);
    loop {
        let before = all;
        for (column, width) in table.columns.iter().zip(widths.iter_mut()) {
            let branches_stay = column.tree && all <= branches;
            if all > terminal && column.cut && !branches_stay && *width > column.name.len().max(1) {
                *width -= 1;
                all -= 1;
            }
        }
        if all == before {
            return;
        }
    }
}

/// Two cells for each step down.
fn cells_of_branches(table: &Table, at: usize) -> usize {
    2 * std::iter::successors(table.rows[at].parent, |parent| table.rows[*parent].parent).count()
}

/// The widest line of a cell.
fn content(table: &Table, at: usize, number: usize, utf8: bool) -> usize {
    let Some(Some(bytes)) = table.rows[at].cells.get(number) else { return 0 };
    if table.columns[number].lines {
        bytes.split(|byte| *byte == b'\n').map(|line| safe::width(line, utf8)).max().unwrap_or(0)
    } else {
        safe::width(bytes, utf8)
    }
}
