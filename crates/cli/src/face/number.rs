//! Numbers as util-linux reads them: strtoimax(3) to the end of the word.

/// A decimal number: blanks before it, a sign, digits, and nothing else.
pub fn number(text: &str) -> Option<i128> {
    let text = text.trim_start_matches([' ', '\t', '\n', '\x0b', '\x0c', '\r']);
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // What is longer is out of every range all the same.
    let value = digits.parse::<i128>().unwrap_or(i128::MAX);
    Some(if negative { -value } else { value })
}

/// An id: below 2^32-1, which means "none" to setuid(2).
pub fn id(text: &str) -> Option<u32> {
    number(text).and_then(|number| u32::try_from(number).ok()).filter(|id| *id != u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let table = [
            ("0", Some(0)),
            (" +7", Some(7)),
            ("-3", Some(-3)),
            ("007", Some(7)),
            ("", None),
            ("-", None),
            ("7 ", None),
            ("0x7", None),
            ("1e3", None),
            ("--1", None),
        ];
        for (text, expected) in table {
            assert_eq!(number(text), expected, "{text:?}");
        }
        assert!(number("99999999999999999999999999999999999999999999").is_some_and(|huge| huge > 1 << 64));
    }

    #[test]
    fn ids_end_before_the_one_that_means_none() {
        assert_eq!(id("4294967294"), Some(u32::MAX - 1));
        assert_eq!(id("4294967295"), None);
        assert_eq!(id("-1"), None);
    }
}
