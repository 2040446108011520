//! What stands in `/`: the names that a view of this machine's own root is composed of.

use std::os::unix::fs::FileTypeExt;

/// An entry of `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootEntry {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A directory.
    Directory,
    /// A symbolic link, and where it leads.
    Link(String),
    /// A regular file.
    File,
}

/// Reads `/`, sorted by name; sockets, devices and names that are no UTF-8 are left out.
pub fn probe() -> Vec<RootEntry> {
    let Ok(directory) = std::fs::read_dir("/") else { return Vec::new() };
    let mut entries: Vec<RootEntry> = directory
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let kind = entry.file_type().ok()?;
            let kind = if kind.is_dir() {
                EntryKind::Directory
            } else if kind.is_symlink() {
                EntryKind::Link(std::fs::read_link(entry.path()).ok()?.into_os_string().into_string().ok()?)
            } else if kind.is_fifo() || kind.is_socket() || kind.is_block_device() || kind.is_char_device() {
                return None;
            } else {
                EntryKind::File
            };
            Some(RootEntry { name: entry.file_name().into_string().ok()?, kind })
        })
        .collect();
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    entries
}
