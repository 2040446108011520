//! For programs: an object with one array, an object a row, the rows below a row in its `children`.

use super::data::{Json, Layout, Table};
use super::tree::Tree;
use insula_oci::misleads;

const INDENT: &str = "   ";

pub fn print(table: &Table, tree: &Tree, layout: Layout) -> String {
    let is_root = |at: &usize| !tree.drawn || table.rows[*at].parent.is_none();
    let roots: Vec<usize> = tree.order.iter().copied().filter(is_root).collect();
    let mut text = String::new();
    match layout {
        Layout::Pretty => {
            text.push_str(&format!("{{\n{INDENT}\"{}\": [", table.name));
            array(table, tree, &roots, 1, &mut text);
            text.push_str("\n}\n");
        }
        Layout::Compact => {
            text.push_str(&format!("{{\"{}\":[", table.name));
            for (number, at) in roots.iter().enumerate() {
                text.push_str(if number > 0 { ",\n" } else { "\n" });
                flat(table, tree, *at, &mut text);
            }
            text.push_str("\n]}\n");
        }
        Layout::Lines => {
            for at in roots {
                flat(table, tree, at, &mut text);
                text.push('\n');
            }
        }
    }
    text
}

/// The rows after the opening bracket of an array at this depth, and the closing one.
fn array(table: &Table, tree: &Tree, rows: &[usize], depth: usize, text: &mut String) {
    text.push('\n');
    // As libsmartcols has it: without rows, a line is empty.
    if !rows.is_empty() {
        indent(depth + 1, text);
    }
    for (number, at) in rows.iter().enumerate() {
        if number > 0 {
            text.push(',');
        }
        object(table, tree, *at, depth + 1, text);
    }
    text.push('\n');
    indent(depth, text);
    text.push(']');
}

/// An object without blanks.
fn flat(table: &Table, tree: &Tree, at: usize, text: &mut String) {
    text.push('{');
    for (number, column) in table.columns.iter().enumerate() {
        text.push_str(if number > 0 { "," } else { "" });
        text.push_str(&format!("\"{}\":", column.name.to_lowercase()));
        value(table, at, number, text);
    }
    if tree.drawn && !tree.children[at].is_empty() {
        text.push_str(",\"children\":[");
        for (number, child) in tree.children[at].iter().enumerate() {
            text.push_str(if number > 0 { "," } else { "" });
            flat(table, tree, *child, text);
        }
        text.push(']');
    }
    text.push('}');
}

fn object(table: &Table, tree: &Tree, at: usize, depth: usize, text: &mut String) {
    text.push('{');
    for (number, column) in table.columns.iter().enumerate() {
        text.push_str(if number > 0 { ",\n" } else { "\n" });
        indent(depth + 1, text);
        text.push_str(&format!("\"{}\": ", column.name.to_lowercase()));
        value(table, at, number, text);
    }
    if tree.drawn && !tree.children[at].is_empty() {
        text.push_str(",\n");
        indent(depth + 1, text);
        text.push_str("\"children\": [");
        array(table, tree, &tree.children[at], depth + 1, text);
    }
    text.push('\n');
    indent(depth, text);
    text.push('}');
}

fn value(table: &Table, at: usize, number: usize, text: &mut String) {
    let bytes = table.rows[at].cells.get(number).and_then(Option::as_deref).unwrap_or_default();
    match table.columns[number].json {
        _ if bytes.is_empty() => text.push_str("null"),
        Json::Text => string(&String::from_utf8_lossy(bytes), text),
        Json::Number | Json::Ready => text.push_str(&String::from_utf8_lossy(bytes)),
    }
}

fn indent(depth: usize, text: &mut String) {
    text.extend(std::iter::repeat_n(INDENT, depth));
}

/// A string, RFC 8259. What would mislead a reader of the terminal is escaped too.
fn string(value: &str, text: &mut String) {
    text.push('"');
    for char in value.chars() {
        match char {
            '"' | '\\' => text.extend(['\\', char]),
            '\u{8}' => text.push_str("\\b"),
            '\t' => text.push_str("\\t"),
            '\n' => text.push_str("\\n"),
            '\u{c}' => text.push_str("\\f"),
            '\r' => text.push_str("\\r"),
            _ if misleads(char) => {
                char.encode_utf16(&mut [0; 2])
                    .iter()
                    .for_each(|unit| text.push_str(&format!("\\u{unit:04x}")));
            }
            _ => text.push(char),
        }
    }
    text.push('"');
}
