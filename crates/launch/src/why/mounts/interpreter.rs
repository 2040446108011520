//! Which interpreter a program names: a script's first line, execve(2), or an ELF file's PT_INTERP, elf(5).

use super::view::View;
use crate::program_file::{Asks, HEAD_BYTES, asks};
use rustix::fd::{AsRawFd, OwnedFd};
use std::fs::File;
use std::io::Read;

/// The interpreter of the program at `path`, or its loader.
pub(super) fn named(path: &str, view: &View<'_>) -> Option<String> {
    let located: OwnedFd = view.open(path).ok()?;
    let stat = rustix::fs::fstat(&located).ok()?;
    // To open a device or a pipe could wait, or do something.
    if rustix::fs::FileType::from_raw_mode(stat.st_mode) != rustix::fs::FileType::RegularFile {
        return None;
    }
    let file = File::open(format!("/proc/self/fd/{}", located.as_raw_fd())).ok()?;
    let mut head = Vec::new();
    file.take(u64::try_from(HEAD_BYTES).ok()?).read_to_end(&mut head).ok()?;
    match asks(&head) {
        Asks::Interpreter(path) | Asks::Loader(path) => String::from_utf8(path.to_vec()).ok(),
        Asks::Nothing | Asks::Machine(_) | Asks::Unknown => None,
    }
}
