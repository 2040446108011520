//! Sizes as Docker writes them: `64m`, `1g`, `65536`.

use super::reason::Reason;

/// What can be written.
pub const FORM: &str = "a size in bytes, or with k, m, g or t behind it (powers of 1024), as 64m";

/// Reads a size in bytes; the unit is a power of 1024, in either case, and may end in `b` or `ib`.
pub fn parse(text: &str) -> Result<u64, Reason> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    if number.is_empty() {
        return Err(Reason::of(text, "is no number"));
    }
    let shift = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return Err(Reason::of(unit, "is no unit")),
    };
    let number: Option<u64> = number.parse().ok();
    number
        .and_then(|number| number.checked_mul(1 << shift))
        .filter(|bytes| i64::try_from(*bytes).is_ok())
        .ok_or_else(|| Reason::of(text, "is too large"))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn sizes() {
        let table = [
            ("0", Some(0)),
            ("65536", Some(65536)),
            ("64m", Some(64 << 20)),
            ("64M", Some(64 << 20)),
            ("64MiB", Some(64 << 20)),
            ("2kb", Some(2048)),
            ("1g", Some(1 << 30)),
            ("1t", Some(1 << 40)),
            ("", None),
            ("m", None),
            ("-1", None),
            ("1.5g", None),
            ("1x", None),
            ("64 m", None),
            ("8388608t", None),
            ("18446744073709551616", None),
        ];
        for (text, bytes) in table {
            assert_eq!(parse(text).ok(), bytes, "{text}");
        }
    }
}
