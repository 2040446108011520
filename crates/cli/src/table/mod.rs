//! Tables and trees in the look of util-linux's libsmartcols, so that what reads the output of lsns(8) reads ours: columns
//! padded for people, one line of escaped words a row (`--raw`), or JSON.
//!
//! The look is that of libsmartcols 2.38 to the byte, where nothing is truncated. 2.40 and later reckon widths a little
//! differently: without headings they leave the header's width out of account.

mod data;
mod human;
mod json;
mod layout;
mod locale;
mod raw;
mod safe;
mod tree;

pub use data::{Column, Format, Json, Layout, Row, Style, Table};
pub use locale::{is_utf8, terminal_width};

use tree::Tree;

impl Table {
    /// The text of the table; empty where it has no rows, except for JSON.
    pub fn print(&self, style: &Style) -> String {
        let tree = Tree::new(self);
        match style.format {
            Format::Human => human::print(self, &tree, style),
            Format::Raw => raw::print(self, &tree, style),
            Format::Json(layout) => json::print(self, &tree, layout),
        }
    }
}

#[cfg(test)]
mod tests;
