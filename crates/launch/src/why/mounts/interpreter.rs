//! Which interpreter a program names: a script's first line, execve(2), or an ELF file's PT_INTERP, elf(5).

use super::view::View;
use rustix::fd::{AsRawFd, OwnedFd};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

/// How much of the file is looked at: the longest first line that the kernel takes, and all usual program headers.
const HEAD_BYTES: u64 = 4096;
/// `PT_INTERP`, elf(5).
const PT_INTERP: u32 = 3;
/// The longest path.
const PATH_BYTES: u64 = 4096;

/// The interpreter of the program at `path`.
pub(super) fn named(path: &str, view: &View<'_>) -> Option<String> {
    let located: OwnedFd = view.open(path).ok()?;
    let stat = rustix::fs::fstat(&located).ok()?;
    // To open a device or a pipe could wait, or do something.
    if rustix::fs::FileType::from_raw_mode(stat.st_mode) != rustix::fs::FileType::RegularFile {
        return None;
    }
    let mut file = File::open(format!("/proc/self/fd/{}", located.as_raw_fd())).ok()?;
    let mut head = Vec::new();
    (&mut file).take(HEAD_BYTES).read_to_end(&mut head).ok()?;
    match head.strip_prefix(b"#!") {
        Some(line) => script(line),
        None => elf(&head, &mut file),
    }
}

fn script(line: &[u8]) -> Option<String> {
    let line = line.split(|byte| *byte == b'\n').next()?;
    let word = line.split(|byte| matches!(byte, b' ' | b'\t')).find(|word| !word.is_empty())?;
    String::from_utf8(word.to_vec()).ok()
}

/// Of a 64-bit file in this machine's byte order; others are for others to explain.
fn elf(head: &[u8], file: &mut File) -> Option<String> {
    if !head.starts_with(b"\x7fELF\x02") {
        return None;
    }
    let word = |at: usize| Some(u64::from_ne_bytes(head.get(at..at + 8)?.try_into().ok()?));
    let half = |at: usize| Some(u16::from_ne_bytes(head.get(at..at + 2)?.try_into().ok()?));
    let (table, size, count) =
        (usize::try_from(word(32)?).ok()?, usize::from(half(54)?), usize::from(half(56)?));
    for number in 0..count {
        let at = table + number * size;
        let kind = u32::from_ne_bytes(head.get(at..at + 4)?.try_into().ok()?);
        if kind == PT_INTERP {
            let (offset, length) = (word(at + 8)?, word(at + 32)?.min(PATH_BYTES));
            file.seek(SeekFrom::Start(offset)).ok()?;
            let mut bytes = Vec::new();
            file.take(length).read_to_end(&mut bytes).ok()?;
            let text = bytes.split(|byte| *byte == 0).next()?;
            return String::from_utf8(text.to_vec()).ok();
        }
    }
    None
}
