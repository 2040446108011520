//! Durations: seconds, or Go's units as Docker writes them: `10`, `1.5`, `1m30s`, `500ms`.

use crate::value::reason::Reason;
use std::time::Duration;

/// What can be written.
pub const FORM: &str = "seconds, or with units, as 10, 1.5, 90s, 1m30s, 500ms";

/// The longest duration: a year's worth of seconds keeps every clock's arithmetic far from its end.
const MAX: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// Reads a duration. A number alone is seconds; with units each number has one: `h`, `m`, `s`, `ms`.
pub fn parse(text: &str) -> Result<Duration, Reason> {
    if text.bytes().next_back().is_some_and(|byte| byte.is_ascii_digit()) {
        return bounded(text, number(text)?);
    }
    let mut rest = text;
    let mut total_ns: u128 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (count, behind) = rest.split_at(digits);
        let letters = behind.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(behind.len());
        let (unit, next) = behind.split_at(letters);
        let thousandths = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return Err(Reason::of(unit, "is no unit of time")),
        };
        total_ns = total_ns.saturating_add(number(count)?.saturating_mul(thousandths) / 1_000);
        rest = next;
    }
    if text.is_empty() { Err(Reason::new("the duration is empty")) } else { bounded(text, total_ns) }
}

/// Reads `12` or `12.5` seconds as nanoseconds.
fn number(text: &str) -> Result<u128, Reason> {
    let refuse = || Reason::of(text, "is no duration");
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 9 {
        return Err(refuse());
    }
    let seconds: u64 = whole.parse().map_err(|_| refuse())?;
    let ns: u32 = format!("{fraction:0<9}").parse().map_err(|_| refuse())?;
    Ok(u128::from(seconds) * 1_000_000_000 + u128::from(ns))
}

/// Nanoseconds as a duration, if they are not too many.
fn bounded(text: &str, ns: u128) -> Result<Duration, Reason> {
    let duration = u64::try_from(ns).map(Duration::from_nanos).ok().filter(|duration| *duration <= MAX);
    duration.ok_or_else(|| Reason::of(text, "is more than a year"))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn durations() {
        let table = [
            ("0", Some(0)),
            ("10", Some(10_000)),
            ("1.5", Some(1_500)),
            ("90s", Some(90_000)),
            ("1m30s", Some(90_000)),
            ("1h0.5m", Some(3_630_000)),
            ("500ms", Some(500)),
            ("", None),
            ("s", None),
            ("-1", None),
            ("1.", None),
            (".5", None),
            ("1d", None),
            ("1m30", None),
            ("1..5s", None),
            ("9h9", None),
            ("99999999999", None),
            ("99999999999999999999999", None),
        ];
        for (text, milliseconds) in table {
            assert_eq!(parse(text).ok().map(|duration| duration.as_millis()), milliseconds, "{text}");
        }
    }
}
