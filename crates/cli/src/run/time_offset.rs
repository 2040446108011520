//! `--time-offset monotonic=SECS[.FRAC],boottime=…`: the clocks of the time namespace (time_namespaces(7)).

use crate::value::reason::Reason;
use insula_oci::{Clock, TimeOffset};
use std::collections::BTreeMap;

/// What can be written.
pub const FORM: &str = "monotonic=SECONDS,boottime=SECONDS or one of them, as boottime=-3600.5";

/// Reads offsets. Nanoseconds count upwards, so that -1.5 is -2 seconds and 500,000,000 ns.
pub fn parse(text: &str) -> Result<BTreeMap<Clock, TimeOffset>, Reason> {
    let mut offsets = BTreeMap::new();
    for part in text.split(',') {
        let (clock, value) = part.split_once('=').ok_or_else(|| Reason::of(part, "has no `=`"))?;
        let clock = match clock {
            "monotonic" => Clock::Monotonic,
            "boottime" => Clock::Boottime,
            _ => return Err(Reason::of(clock, "is no clock of a time namespace")),
        };
        if offsets.insert(clock, offset(value)?).is_some() {
            return Err(Reason::new("a clock stands twice"));
        }
    }
    Ok(offsets)
}

/// Reads `[+-]SECS[.FRAC]`.
fn offset(text: &str) -> Result<TimeOffset, Reason> {
    let refuse = || Reason::of(text, "is no number of seconds");
    let (negative, rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let (whole, fraction) = rest.split_once('.').unwrap_or((rest, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 9 {
        return Err(refuse());
    }
    let secs: i64 = whole.parse().map_err(|_| refuse())?;
    let nanosecs: u32 = format!("{fraction:0<9}").parse().map_err(|_| refuse())?;
    Ok(match (negative, nanosecs) {
        (false, _) => TimeOffset { secs, nanosecs },
        (true, 0) => TimeOffset { secs: -secs, nanosecs },
        (true, _) => TimeOffset { secs: -secs - 1, nanosecs: 1_000_000_000 - nanosecs },
    })
}

#[cfg(test)]
mod tests {
    use super::parse;
    use insula_oci::Clock;

    #[test]
    fn offsets() {
        let table = [
            ("boottime=7", Some((7, 0))),
            ("boottime=+7.5", Some((7, 500_000_000))),
            ("boottime=-3600", Some((-3600, 0))),
            ("boottime=-1.5", Some((-2, 500_000_000))),
            ("boottime=-0.000000001", Some((-1, 999_999_999))),
            ("monotonic=1,boottime=2", Some((2, 0))),
            ("boottime=9223372036854775807", Some((i64::MAX, 0))),
            ("boottime=9223372036854775808", None),
            ("boottime=1,boottime=2", None),
            ("boottime=", None),
            ("boottime=1.", None),
            ("boottime=1.0000000001", None),
            ("boottime=--1", None),
            ("realtime=1", None),
            ("boottime", None),
            ("boottime=1,", None),
            ("", None),
        ];
        for (text, expected) in table {
            let parsed = parse(text).ok().map(|offsets| offsets[&Clock::Boottime]);
            assert_eq!(parsed.map(|offset| (offset.secs, offset.nanosecs)), expected, "{text}");
        }
    }
}
