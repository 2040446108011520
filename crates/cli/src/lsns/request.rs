//! What is asked for: the flags, checked, and what they make of each other.

use super::columns::Column;
use crate::filter::Filter;
use insula_launch::plan::Kind;
use insula_namespaces::scan::{Look, Mounts};

/// What the rows hang together by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tree {
    /// By nothing.
    None,
    /// Parent and child processes.
    Process,
    /// Namespaces and the user namespaces that own them.
    Owner,
    /// Namespaces and their parents.
    Parent,
}

/// What is asked for.
#[derive(Debug)]
pub struct Request {
    pub json: bool,
    pub raw: bool,
    pub headings: bool,
    /// COMMAND may be cut where the terminal is too narrow.
    pub cut: bool,
    /// NSFS may go over several lines.
    pub wrap: bool,
    /// Only namespaces without processes.
    pub persistent: bool,
    /// Look for everything that can hold a namespace.
    pub all_holders: bool,
    pub tree: Tree,
    /// Only the namespaces of this process.
    pub task: Option<u32>,
    /// The processes of this namespace instead.
    pub namespace: Option<u64>,
    /// By `Kind as usize`.
    pub kinds: [bool; 8],
    pub columns: Vec<Column>,
    /// The expression, and the column of each of its names.
    pub filter: Option<(Filter, Vec<Column>)>,
}

impl Request {
    fn needs(&self, column: Column) -> bool {
        let filtered = self.filter.iter().flat_map(|(_, columns)| columns);
        self.columns.iter().chain(filtered).any(|needed| *needed == column)
    }

    /// Did the caller ask for more than lsns(8) has?
    pub fn is_ours(&self) -> bool {
        self.all_holders || Column::ALL[Column::OF_LSNS..].iter().any(|column| self.needs(*column))
    }

    /// What must be looked at for that, and no more.
    ///
    /// Without flags of ours it is what lsns(8) from 2.41 on sees: processes, open files, sockets, and mounts of our own
    /// mount namespace. Until 2.40 it saw processes alone.
    pub fn look(&self) -> Look {
        let view = if self.all_holders || self.needs(Column::Holders) { Look::HOLDERS } else { Look::LSNS };
        let related = matches!(self.tree, Tree::Owner | Tree::Parent);
        Look {
            kinds: self.kinds,
            relatives: view.relatives || related || self.needs(Column::Pns) || self.needs(Column::Ons),
            ghosts: view.ghosts || related,
            ids: self.needs(Column::Id),
            netnsids: self.needs(Column::Netnsid),
            mounts: if view.mounts == Mounts::All { Mounts::All } else { Mounts::Own },
            ..view
        }
    }
}

/// A kind by its name.
pub fn kind(name: &str) -> Option<Kind> {
    Kind::ALL.into_iter().find(|kind| kind.name() == name)
}
