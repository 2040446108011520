//! A table as data, and how it can be printed.

/// What is printed.
#[derive(Debug, Default)]
pub struct Table {
    /// The name of the array, in JSON.
    pub name: &'static str,
    /// From left to right.
    pub columns: Vec<Column>,
    /// From top to bottom; a parent comes before its children.
    pub rows: Vec<Row>,
}

/// A column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its header; in JSON, in lower case.
    pub name: &'static str,
    /// How wide it is at least, in cells of the terminal, where its content is wider than the header; 0: no matter.
    pub width: usize,
    /// Its content stands at the right.
    pub right: bool,
    /// It may be cut where the terminal is too narrow.
    pub cut: bool,
    /// The branches of the tree are drawn in it.
    pub tree: bool,
    /// A newline in its content begins another line of the cell.
    pub lines: bool,
    /// What its values are in JSON.
    pub json: Json,
}

/// What the values of a column are in JSON. Empty ones are `null`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Json {
    /// Strings.
    Text,
    /// Numbers.
    Number,
    /// JSON already.
    Ready,
}

/// A row.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// One a column; the bytes may be anybody's.
    pub cells: Vec<Option<Vec<u8>>>,
    /// The row above it in the tree.
    pub parent: Option<usize>,
}

/// How it is printed.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// For whom.
    pub format: Format,
    /// With a line of headers. JSON has none.
    pub headings: bool,
    /// Branches are drawn with lines, and letters beyond ASCII are shown; else both go without.
    pub utf8: bool,
    /// The width of the terminal in cells; `None`: not to a terminal, nothing is cut.
    pub terminal: Option<usize>,
}

/// For whom a table is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Human,
    /// For scripts: one space between the words of a row, blanks and what does not print as `\x..`.
    Raw,
    /// For programs.
    Json(Layout),
}

/// How JSON is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// For people who read it.
    Pretty,
    /// A row a line.
    Compact,
    /// A row a line, each a document of its own: JSON Lines.
    Lines,
}

impl Layout {
    /// As the environment asks for it: `LIBSMARTCOLS_JSON`, as for lsns(8) and its kin.
    pub fn of_environment() -> Layout {
        match std::env::var("LIBSMARTCOLS_JSON").as_deref() {
            Ok("compact") => Layout::Compact,
            Ok("lines") => Layout::Lines,
            _ => Layout::Pretty,
        }
    }
}
