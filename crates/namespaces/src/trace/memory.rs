//! What a tracee's memory says: untrusted bytes, read in bounds through `/proc/PID/mem`.
//!
//! An address may point nowhere, a string may have no end, and both may change while they are read. Nothing of it is
//! more than text for a person.

use super::place::is_ours;
use std::fs::File;
use std::os::unix::fs::FileExt;

/// The longest string that is read, `PATH_MAX`.
const LONGEST: usize = 4096;
/// Reads end at such a boundary: behind it there may be no memory.
const PAGE: u64 = 4096;

/// The memory of a stopped tracee.
#[derive(Debug)]
pub(super) struct Memory(Option<File>);

/// A string, as far as it could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Text {
    /// The pointer is null.
    Null,
    /// All of it, or its first bytes if there was no end in sight.
    Bytes {
        /// Without the NUL.
        bytes: Vec<u8>,
        /// Its end was found.
        whole: bool,
    },
    /// Nothing can be read there.
    Unreadable(u64),
}

impl Memory {
    /// Of the thread `tid`, whose tracer we are. Where /proc is not ours, or the kernel refuses, everything is unreadable.
    pub(super) fn of(tid: i32) -> Memory {
        Memory(is_ours().then(|| File::open(format!("/proc/{tid}/mem")).ok()).flatten())
    }

    /// The bytes from `address` on, as many as can be read, up to `most`.
    pub(super) fn bytes(&self, address: u64, most: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        let Some(file) = &self.0 else { return bytes };
        while bytes.len() < most {
            let Some(at) = address.checked_add(bytes.len() as u64) else { break };
            let to_boundary = usize::try_from(PAGE - at % PAGE).unwrap_or(1);
            let mut part = vec![0; to_boundary.min(most - bytes.len())];
            match file.read_at(&mut part, at) {
                Ok(read @ 1..) => bytes.extend_from_slice(&part[..read]),
                _ => break,
            }
        }
        bytes
    }

    /// The string at `address`.
    pub(super) fn text(&self, address: u64) -> Text {
        if address == 0 {
            return Text::Null;
        }
        let mut bytes = Vec::new();
        loop {
            let at = address.saturating_add(bytes.len() as u64);
            // Most strings are short: the first read is, too.
            let part = self.bytes(at, if bytes.is_empty() { 256 } else { LONGEST - bytes.len() });
            if let Some(end) = part.iter().position(|byte| *byte == 0) {
                bytes.extend_from_slice(&part[..end]);
                return Text::Bytes { bytes, whole: true };
            }
            let none = part.is_empty();
            bytes.extend_from_slice(&part);
            if bytes.is_empty() {
                return Text::Unreadable(address);
            }
            if none || bytes.len() >= LONGEST {
                return Text::Bytes { bytes, whole: false };
            }
        }
    }

    /// The words of 64 bits from `address` on; what cannot be read is missing.
    pub(super) fn words(&self, address: u64, most: usize) -> Vec<u64> {
        let bytes = self.bytes(address, most * 8);
        bytes.chunks_exact(8).map(|eight| u64::from_ne_bytes(eight.try_into().unwrap_or_default())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Our own memory is as good as another's.
    fn own() -> Memory {
        Memory::of(i32::try_from(std::process::id()).unwrap())
    }

    #[test]
    fn a_string_is_read_to_its_end() {
        let text = c"/proc/self/ns";
        let read = own().text(text.as_ptr() as u64);
        assert_eq!(read, Text::Bytes { bytes: b"/proc/self/ns".to_vec(), whole: true });
        assert_eq!(own().text(0), Text::Null);
    }

    #[test]
    fn a_string_without_an_end_is_cut_and_a_pointer_to_nowhere_is_told() {
        let endless = vec![b'a'; 3 * LONGEST];
        let read = own().text(endless.as_ptr() as u64);
        assert_eq!(read, Text::Bytes { bytes: vec![b'a'; LONGEST], whole: false });
        for nowhere in [1, 4095, u64::MAX, u64::MAX - 4095, 1 << 63] {
            assert_eq!(own().text(nowhere), Text::Unreadable(nowhere));
            assert!(own().bytes(nowhere, 1 << 20).is_empty());
        }
    }

    #[test]
    fn words_that_end_too_soon_are_fewer() {
        let words = [1_u64, 2, 3];
        assert_eq!(own().words(words.as_ptr() as u64, 3), words);
        assert!(own().words(8, 3).is_empty());
    }
}
