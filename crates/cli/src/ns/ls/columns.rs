//! The columns, as data.

use crate::filter::Type;
use crate::table::Json;

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    Name,
    Kinds,
    Hold,
    Processes,
    State,
    Age,
    Why,
    Created,
    Pid,
    Command,
    Ns,
    Id,
    Owner,
    Parent,
}

/// `INFO[column as usize]`: name, the type in JSON, and what it is.
const INFO: [(&str, Json, &str); 14] = [
    ("NAME", Json::Text, "the name; none: a namespace without one (--all)"),
    ("KINDS", Json::Text, "the kinds of its namespaces, separated by commas"),
    (
        "HOLD",
        Json::Text,
        "what keeps it: pinned, kept by PID, netns; without a name: processes, mount, others",
    ),
    ("PROCESSES", Json::Number, "processes in it, in namespaces that insula is not in itself"),
    ("STATE", Json::Text, "ok, stale, half made or busy"),
    ("AGE", Json::Text, "how long it has had the name"),
    ("WHY", Json::Text, "why it is not ok, and what to do"),
    ("CREATED", Json::Number, "when it got the name, in seconds since 1970"),
    ("PID", Json::Number, "the lowest pid of its processes"),
    ("COMMAND", Json::Text, "command line of the PID"),
    ("NS", Json::Text, "its namespaces, as KIND:[INODE]"),
    ("ID", Json::Text, "their 64-bit identifiers, as KIND:ID (Linux 6.18)"),
    ("OWNER", Json::Number, "inode of the user namespace that owns it"),
    ("PARENT", Json::Number, "inode of the parent of its pid or user namespace"),
];

impl Column {
    /// All of them.
    pub const ALL: [Column; 14] = [
        Column::Name,
        Column::Kinds,
        Column::Hold,
        Column::Processes,
        Column::State,
        Column::Age,
        Column::Why,
        Column::Created,
        Column::Pid,
        Column::Command,
        Column::Ns,
        Column::Id,
        Column::Owner,
        Column::Parent,
    ];

    /// Those that are shown where none is named.
    pub const USUAL: [Column; 6] =
        [Column::Name, Column::Kinds, Column::Hold, Column::Processes, Column::State, Column::Age];

    pub fn name(self) -> &'static str {
        INFO[self as usize].0
    }

    pub fn json(self) -> Json {
        INFO[self as usize].1
    }

    /// What its values are for a filter.
    pub fn kind(self) -> Type {
        if self.json() == Json::Number { Type::Number } else { Type::Text }
    }

    /// By its name, in whatever case.
    pub fn find(name: &str) -> Option<Column> {
        Column::ALL.into_iter().find(|column| column.name().eq_ignore_ascii_case(name))
    }

    /// Must every process be looked at for it?
    pub fn wants_processes(self) -> bool {
        matches!(self, Column::Processes | Column::Pid | Column::Command)
    }

    /// Must the namespaces be opened for it?
    pub fn wants_relatives(self) -> bool {
        matches!(self, Column::Owner | Column::Parent)
    }

    /// The list for the help.
    pub fn list() -> String {
        let line = |column: Column| format!("  {:<10} {}\n", column.name(), INFO[column as usize].2);
        Column::ALL.into_iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Column;

    #[test]
    fn each_column_has_its_own_line() {
        for (at, column) in Column::ALL.into_iter().enumerate() {
            assert_eq!(column as usize, at);
            assert_eq!(Column::find(&column.name().to_lowercase()), Some(column));
        }
    }
}
