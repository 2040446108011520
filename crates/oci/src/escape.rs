//! The one escaper: no foreign string reaches a terminal or a log as it is.
//!
//! What a container, an image or a caller wrote may hold characters that move the cursor, forge a second line or turn
//! the reading direction. They are shown as `\u{..}`, so that a message stays one line that says what it says.

use std::fmt::{self, Display, Write};

/// Shows `text` with every character that could mislead a reader as `\u{..}`.
///
/// Escaped are C0 and DEL, C1, the line and paragraph separators (U+2028, U+2029), the directional marks, embeddings,
/// overrides and isolates (UAX #9), and the zero-width characters and the byte order mark, which hide.
pub fn escaped(text: &str) -> impl Display + '_ {
    Escaped(text)
}

struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            if misleads(character) {
                write!(f, "{}", character.escape_unicode())?;
            } else {
                f.write_char(character)?;
            }
        }
        Ok(())
    }
}

/// Whether a character is to be shown by its number. For those who have a way of their own to write it, as tables have.
pub fn misleads(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{061c}' // Arabic letter mark
            | '\u{200b}'..='\u{200f}' // zero widths, left-to-right and right-to-left marks
            | '\u{2028}'..='\u{202e}' // separators, embeddings and overrides
            | '\u{2060}'..='\u{2069}' // word joiner, invisible operators, isolates
            | '\u{feff}') // byte order mark
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn escapes_what_misleads_and_nothing_else() {
        let table = [
            ("plain /path", "plain /path"),
            ("ünïcödé 名前", "ünïcödé 名前"),
            ("a\nb", "a\\u{a}b"),
            ("\x1b[31m", "\\u{1b}[31m"),
            ("\x7f", "\\u{7f}"),
            ("\u{9b}", "\\u{9b}"),
            ("\u{2028}\u{2029}", "\\u{2028}\\u{2029}"),
            ("\u{202e}txt", "\\u{202e}txt"),
            ("\u{2066}\u{2069}\u{200f}", "\\u{2066}\\u{2069}\\u{200f}"),
        ];
        for (text, shown) in table {
            assert_eq!(escaped(text).to_string(), shown);
        }
    }
}
