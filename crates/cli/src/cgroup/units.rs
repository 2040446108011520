//! Numbers for people: bytes, CPUs, seconds.

/// Bytes with the largest unit that leaves a number of at least 1: `64 MiB`, `1.5 GiB`.
pub fn bytes(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut unit = 0;
    while unit + 1 < units.len() && bytes >> (10 * (unit + 1)) > 0 {
        unit += 1;
    }
    let whole = bytes >> (10 * unit);
    let tenths = ((u128::from(bytes) * 10) >> (10 * unit)) % 10;
    if tenths == 0 { format!("{whole} {}", units[unit]) } else { format!("{whole}.{tenths} {}", units[unit]) }
}

/// Microseconds as seconds: `1.204 s`.
pub fn seconds(us: u64) -> String {
    format!("{}.{:03} s", us / 1_000_000, us % 1_000_000 / 1000)
}

/// A quota of a period as CPUs: `0.5`.
pub fn cpus(quota_us: u64, period_us: u64) -> String {
    let hundredths = u128::from(quota_us) * 100 / u128::from(period_us.max(1));
    let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        for (number, text) in
            [(0, "0 B"), (1023, "1023 B"), (64 << 20, "64 MiB"), (3 << 29, "1.5 GiB"), (u64::MAX, "15.9 EiB")]
        {
            assert_eq!(bytes(number), text);
        }
        assert_eq!(seconds(1_204_567), "1.204 s");
        for (quota, period, text) in
            [(50_000, 100_000, "0.5"), (150_000, 100_000, "1.5"), (200, 100, "2"), (1, 0, "1")]
        {
            assert_eq!(cpus(quota, period), text);
        }
    }
}
