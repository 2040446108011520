//! The columns, as data: lsns(8)'s thirteen, and three of ours.

use crate::filter::Type;
use crate::table::Json;

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    Ns,
    Type,
    Path,
    Nprocs,
    Pid,
    Ppid,
    Command,
    Uid,
    User,
    Netnsid,
    Nsfs,
    Pns,
    Ons,
    Name,
    Holders,
    Id,
}

/// What is to know of a column.
#[derive(Debug)]
pub struct Info {
    pub name: &'static str,
    pub about: &'static str,
    /// How wide it is at least, see [`crate::table::Column::width`].
    pub width: usize,
    pub right: bool,
    pub json: Json,
}

/// `INFO[column as usize]`.
const INFO: [Info; 16] = [
    info("NS", 10, true, Json::Number, "namespace identifier (inode number)"),
    info("TYPE", 5, false, Json::Text, "kind of namespace"),
    info("PATH", 0, false, Json::Text, "path to the namespace"),
    info("NPROCS", 5, true, Json::Number, "number of processes in the namespace"),
    info("PID", 5, true, Json::Number, "lowest PID in the namespace"),
    info("PPID", 5, true, Json::Number, "PPID of the PID"),
    info("COMMAND", 0, false, Json::Text, "command line of the PID"),
    info("UID", 0, true, Json::Number, "UID of the PID"),
    info("USER", 0, false, Json::Text, "username of the PID"),
    info("NETNSID", 0, true, Json::Text, "namespace ID as used by network subsystem"),
    info("NSFS", 0, false, Json::Text, "nsfs mountpoint (usually used network subsystem)"),
    info("PNS", 10, true, Json::Number, "parent namespace identifier (inode number)"),
    info("ONS", 10, true, Json::Number, "owner namespace identifier (inode number)"),
    info(
        "NAME",
        0,
        false,
        Json::Text,
        "its names, alone or in a set, as insula ns and ip-netns(8) have them",
    ),
    info(
        "HOLDERS",
        0,
        false,
        Json::Ready,
        "what keeps it: processes, threads, open files, sockets, mounts, children",
    ),
    info("ID", 0, true, Json::Number, "64-bit identifier, never used again (Linux 6.18)"),
];

const fn info(name: &'static str, width: usize, right: bool, json: Json, about: &'static str) -> Info {
    Info { name, about, width, right, json }
}

impl Column {
    /// All of them; first those of lsns(8).
    pub const ALL: [Column; 16] = [
        Column::Ns,
        Column::Type,
        Column::Path,
        Column::Nprocs,
        Column::Pid,
        Column::Ppid,
        Column::Command,
        Column::Uid,
        Column::User,
        Column::Netnsid,
        Column::Nsfs,
        Column::Pns,
        Column::Ons,
        Column::Name,
        Column::Holders,
        Column::Id,
    ];

    /// How many of them lsns(8) has.
    pub const OF_LSNS: usize = 13;

    pub fn info(self) -> &'static Info {
        &INFO[self as usize]
    }

    /// By its name, in whatever case.
    pub fn find(name: &str) -> Option<Column> {
        Column::ALL.into_iter().find(|column| column.info().name.eq_ignore_ascii_case(name))
    }

    /// What its values are for a filter.
    pub fn kind(self) -> Type {
        if self.info().json == Json::Number { Type::Number } else { Type::Text }
    }
}

#[cfg(test)]
mod tests {
    use super::Column;

    #[test]
    fn each_column_has_its_own_line() {
        for (at, column) in Column::ALL.into_iter().enumerate() {
            assert_eq!(column as usize, at);
            assert_eq!(Column::find(&column.info().name.to_lowercase()), Some(column));
        }
        assert_eq!(Column::ALL[Column::OF_LSNS], Column::Name);
    }
}
