//! The rows as a tree, and its branches.

use super::data::Table;

/// Who is above and below whom.
pub struct Tree {
    /// The rows in the order in which they are printed.
    pub order: Vec<usize>,
    /// The rows below each.
    pub children: Vec<Vec<usize>>,
    /// Has the table a column for the tree? If not, all rows stand side by side.
    pub drawn: bool,
}

impl Tree {
    pub fn new(table: &Table) -> Tree {
        let drawn = table.columns.iter().any(|column| column.tree);
        let mut children = vec![Vec::new(); table.rows.len()];
        if !drawn {
            return Tree { order: (0..table.rows.len()).collect(), children, drawn };
        }
        for (at, row) in table.rows.iter().enumerate() {
            // A parent that comes later would be no tree.
            if let Some(parent) = row.parent.filter(|parent| *parent < at) {
                children[parent].push(at);
            }
        }
        let mut order = Vec::with_capacity(table.rows.len());
        let roots = (0..table.rows.len()).filter(|at| table.rows[*at].parent.is_none());
        let mut rest: Vec<usize> = roots.rev().collect();
        while let Some(at) = rest.pop() {
            order.push(at);
            rest.extend(children[at].iter().rev());
        }
        Tree { order, children, drawn }
    }

    fn is_last_child(&self, table: &Table, at: usize) -> bool {
        table.rows[at].parent.is_some_and(|parent| self.children[parent].last() == Some(&at))
    }

    /// The branches before the content of a row, the line of its own included.
    pub fn branches(&self, table: &Table, at: usize, utf8: bool) -> String {
        let Some(parent) = table.rows[at].parent.filter(|_| self.drawn) else { return String::new() };
        let mut text = self.trunk(table, parent, utf8);
        text.push_str(match (self.is_last_child(table, at), utf8) {
            (true, true) => "└─",
            (true, false) => "`-",
            (false, true) => "├─",
            (false, false) => "|-",
        });
        text
    }

    /// What goes on through the lines below a row.
    pub fn trunk(&self, table: &Table, at: usize, utf8: bool) -> String {
        let mut parts = Vec::new();
        let mut row = at;
        while let Some(parent) = table.rows[row].parent {
            parts.push(if self.is_last_child(table, row) { "  " } else { vertical(utf8) });
            row = parent;
        }
        parts.iter().rev().copied().collect()
    }
}

/// The line from above to below.
pub fn vertical(utf8: bool) -> &'static str {
    if utf8 { "│ " } else { "| " }
}
