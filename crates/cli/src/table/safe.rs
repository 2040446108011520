//! Foreign bytes for a terminal: what does not print, or misleads a reader, is shown as `\x..`, and each character is as
//! wide as the terminal makes it.

use insula_oci::misleads;

/// Appends `bytes`, and returns how many cells that takes. A backslash before an `x` is shown by its number as well, so
/// that the text says what it says.
pub fn encode(bytes: &[u8], utf8: bool, into: &mut String) -> usize {
    let mut width = 0;
    for (at, part) in parts(bytes, utf8) {
        width += match part {
            Part::Char('\\') if bytes.get(at + 1) == Some(&b'x') => hex(b"\\", into),
            Part::Char(char) if misleads(char) => hex(char.encode_utf8(&mut [0; 4]).as_bytes(), into),
            Part::Char(char) => {
                into.push(char);
                char_width(char)
            }
            Part::Byte(byte) => hex(&[byte], into),
        };
    }
    width
}

/// How many cells `bytes` take when encoded.
pub fn width(bytes: &[u8], utf8: bool) -> usize {
    encode(bytes, utf8, &mut String::with_capacity(bytes.len()))
}

/// The longest start of an encoded text that fits into so many cells, and the cells that it takes.
pub fn cut(text: &str, cells: usize) -> (&str, usize) {
    let mut taken = 0;
    for (at, char) in text.char_indices() {
        let next = taken + char_width(char);
        if next > cells {
            return (&text[..at], taken);
        }
        taken = next;
    }
    (text, taken)
}

fn hex(bytes: &[u8], into: &mut String) -> usize {
    for byte in bytes {
        into.push_str(&format!("\\x{byte:02x}"));
    }
    bytes.len() * 4
}

enum Part {
    Char(char),
    Byte(u8),
}

/// The characters of a text with their places, and the bytes that are none.
fn parts(bytes: &[u8], utf8: bool) -> impl Iterator<Item = (usize, Part)> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
        let place = at;
        let char = if utf8 || rest[0].is_ascii() { first_char(rest) } else { None };
        at += char.map_or(1, char::len_utf8);
        Some((place, char.map_or(Part::Byte(rest[0]), Part::Char)))
    })
}

fn first_char(bytes: &[u8]) -> Option<char> {
    let head = bytes.get(..4).unwrap_or(bytes);
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&head[..error.valid_up_to()]).ok()?,
    };
    valid.chars().next()
}

/// Characters that take no cell: they go onto the one before. First and last of each range.
const ZERO: &[(u32, u32)] = &[
    (0x300, 0x36f),
    (0x483, 0x489),
    (0x591, 0x5bd),
    (0x610, 0x61a),
    (0x64b, 0x65f),
    (0x6d6, 0x6dc),
    (0x900, 0x902),
    (0x93c, 0x93c),
    (0x941, 0x948),
    (0xe31, 0xe31),
    (0xe34, 0xe3a),
    (0xe47, 0xe4e),
    (0x1ab0, 0x1aff),
    (0x1dc0, 0x1dff),
    (0x20d0, 0x20f0),
    (0x302a, 0x302d),
    (0x3099, 0x309a),
    (0xfe00, 0xfe0f),
    (0xfe20, 0xfe2f),
    (0xe0100, 0xe01ef),
];

/// Characters that take two cells: East Asian ones and pictures (UAX #11). First and last of each range.
const TWO: &[(u32, u32)] = &[
    (0x1100, 0x115f),
    (0x231a, 0x231b),
    (0x23e9, 0x23ec),
    (0x2614, 0x2615),
    (0x26a1, 0x26a1),
    (0x2705, 0x2705),
    (0x2728, 0x2728),
    (0x274c, 0x274c),
    (0x2753, 0x2755),
    (0x2e80, 0x3029),
    (0x302e, 0x303e),
    (0x3041, 0x3096),
    (0x309b, 0xa4c6),
    (0xa960, 0xa97c),
    (0xac00, 0xd7a3),
    (0xf900, 0xfaff),
    (0xfe10, 0xfe19),
    (0xfe30, 0xfe6b),
    (0xff01, 0xff60),
    (0xffe0, 0xffe6),
    (0x1f300, 0x1f64f),
    (0x1f680, 0x1f6fc),
    (0x1f900, 0x1f9ff),
    (0x20000, 0x3fffd),
];

fn char_width(char: char) -> usize {
    let number = u32::from(char);
    let within =
        |ranges: &[(u32, u32)]| ranges.iter().any(|(first, last)| (*first..=*last).contains(&number));
    match number {
        0..0x300 => 1,
        _ if within(ZERO) => 0,
        _ if within(TWO) => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(bytes: &[u8], utf8: bool) -> (String, usize) {
        let mut text = String::new();
        let width = encode(bytes, utf8, &mut text);
        (text, width)
    }

    #[test]
    fn what_does_not_print_is_shown_by_its_bytes() {
        let table: [(&[u8], bool, &str, usize); 9] = [
            (b"plain \\ text", true, "plain \\ text", 12),
            (b"a\nb\x7f", true, "a\\x0ab\\x7f", 10),
            (b"\\x41", true, "\\x5cx41", 7),
            ("é".as_bytes(), true, "é", 1),
            ("é".as_bytes(), false, "\\xc3\\xa9", 8),
            ("名前".as_bytes(), true, "名前", 4),
            (b"\xff\xe2\x82", true, "\\xff\\xe2\\x82", 12),
            ("\u{202e}".as_bytes(), true, "\\xe2\\x80\\xae", 12),
            ("e\u{301}".as_bytes(), true, "e\u{301}", 1),
        ];
        for (bytes, utf8, text, width) in table {
            assert_eq!(shown(bytes, utf8), (text.to_owned(), width));
            assert_eq!(super::width(bytes, utf8), width);
        }
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut("abc", 2), ("ab", 2));
        assert_eq!(cut("名前", 3), ("名", 2));
        assert_eq!(cut("abc", 9), ("abc", 3));
        assert_eq!(cut("abc", 0), ("", 0));
    }
}
