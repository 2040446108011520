//! For scripts: a row is a line, one space between its words. A blank, a backslash and whatever does not print in ASCII is
//! `\x..`, so that a word never has a space in it. An empty cell is no word: name the columns that you split.

use super::data::{Style, Table};
use super::tree::Tree;

pub fn print(table: &Table, tree: &Tree, style: &Style) -> String {
    let mut text = String::new();
    if style.headings && !table.rows.is_empty() {
        let names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
        text.push_str(&names.join(" "));
        text.push('\n');
    }
    for at in &tree.order {
        for (number, column) in table.columns.iter().enumerate() {
            if number > 0 {
                text.push(' ');
            }
            if column.tree {
                word(tree.branches(table, *at, style.utf8).as_bytes(), &mut text);
            }
            if let Some(Some(bytes)) = table.rows[*at].cells.get(number) {
                word(bytes, &mut text);
            }
        }
        text.push('\n');
    }
    text
}

fn word(bytes: &[u8], text: &mut String) {
    for byte in bytes {
        if byte.is_ascii_graphic() && *byte != b'\\' {
            text.push(char::from(*byte));
        } else {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
}
