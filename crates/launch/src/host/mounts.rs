//! The table of mounts, proc_pid_mountinfo(5).

use std::fs::File;
use std::io::Read;

/// What a table of mounts takes, mostly.
const ROOM_BYTES: usize = 16 << 10;

/// One mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostMount {
    /// Where.
    pub point: String,
    /// The file system's type.
    pub fstype: String,
}

/// Reads our own table; empty where it cannot be read.
pub fn probe() -> Vec<HostMount> {
    // Room for a few dozen mounts at once: the kernel makes the table anew for each small read.
    let mut text = String::with_capacity(ROOM_BYTES);
    let read = File::open("/proc/self/mountinfo").and_then(|mut file| file.read_to_string(&mut text));
    if read.is_ok() { parse(&text) } else { Vec::new() }
}

/// Each line: id, parent, major:minor, root, mount point, options, optional fields, `-`, type, source, super options.
pub fn parse(text: &str) -> Vec<HostMount> {
    text.lines()
        .filter_map(|line| {
            let (before, after) = line.split_once(" - ")?;
            let point = unescape(before.split(' ').nth(4)?)?;
            Some(HostMount { point, fstype: after.split(' ').next()?.to_owned() })
        })
        .collect()
}

/// A field as text, see [`unescape_bytes`]; `None`: it is no UTF-8.
pub fn unescape(text: &str) -> Option<String> {
    String::from_utf8(unescape_bytes(text.as_bytes())).ok()
}

/// A field as it was: space, tab, newline and backslash are written as `\` and three octal digits.
pub fn unescape_bytes(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        if let (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..]) = (first, tail) {
            bytes.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
            rest = after;
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_with_its_escapes() {
        let text = "36 35 98:0 /a /mnt\\040two\\134 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\nrubbish\n";
        assert_eq!(parse(text), [HostMount { point: "/mnt two\\".to_owned(), fstype: "ext3".to_owned() }]);
    }

    #[test]
    fn an_octal_escape_beyond_a_byte_is_text() {
        assert_eq!(unescape("\\777").as_deref(), Some("\\777"));
    }
}
