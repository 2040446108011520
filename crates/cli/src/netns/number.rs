//! Whole numbers as ip(8) reads them: strtol(3) with base 0, to the end of the word.

/// Reads `10`, `0xa`, `012`, `+10`, `-10`.
pub fn integer(word: &str) -> Option<i32> {
    let word = word.trim_start_matches([' ', '\t', '\n', '\u{b}', '\u{c}', '\r']);
    let (is_negative, digits) = match word.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, word.strip_prefix('+').unwrap_or(word)),
    };
    let (base, digits) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(digits) => (16, digits),
        None if digits.len() > 1 && digits.starts_with('0') => (8, &digits[1..]),
        None => (10, digits),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let value = i64::from_str_radix(digits, base).ok()?;
    i32::try_from(if is_negative { -value } else { value }).ok()
}

#[cfg(test)]
mod tests {
    use super::integer;

    #[test]
    fn numbers_are_read_as_strtol_reads_them() {
        let table = [
            ("0", Some(0)),
            ("12", Some(12)),
            ("+12", Some(12)),
            (" 12", Some(12)),
            ("-1", Some(-1)),
            ("0x1f", Some(31)),
            ("0X1F", Some(31)),
            ("017", Some(15)),
            ("2147483647", Some(i32::MAX)),
            ("-2147483648", Some(i32::MIN)),
            ("2147483648", None),
            ("99999999999999999999", None),
            ("08", None),
            ("0x", None),
            ("1 ", None),
            ("--1", None),
            ("+-1", None),
            ("1a", None),
            ("a", None),
            ("", None),
            ("-", None),
        ];
        for (word, value) in table {
            assert_eq!(integer(word), value, "{word:?}");
        }
    }
}
