//! When a container was created: RFC 3339 with nanoseconds, in UTC, as runc writes it.

use rustix::time::{ClockId, clock_gettime};

const SECONDS_A_DAY: i64 = 86_400;

/// Now.
pub(super) fn now() -> String {
    let now = clock_gettime(ClockId::Realtime);
    at(now.tv_sec, now.tv_nsec)
}

/// This second, without a fraction.
pub fn seconds(seconds: i64) -> String {
    at(seconds, 0).replace(".000000000", "")
}

fn at(seconds: i64, nanoseconds: i64) -> String {
    let (year, month, day) = civil(seconds.div_euclid(SECONDS_A_DAY));
    let rest = seconds.rem_euclid(SECONDS_A_DAY);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{nanoseconds:09}Z",
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}

/// The date of a day counted from 1970-01-01, in the Gregorian calendar. A year is counted from March, so that the day
/// that a leap year has more is its last.
fn civil(days: i64) -> (i64, i64, i64) {
    const DAYS_IN_400_YEARS: i64 = 146_097;
    let from_march_of_0 = days + 719_468;
    let era = from_march_of_0.div_euclid(DAYS_IN_400_YEARS);
    let day_of_era = from_march_of_0.rem_euclid(DAYS_IN_400_YEARS);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (0, month + 3) } else { (1, month - 9) };
    (year_of_era + era * 400 + year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(at(0, 0), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(at(951_782_399, 1), "2000-02-28T23:59:59.000000001Z");
        assert_eq!(at(951_868_800, 0), "2000-03-01T00:00:00.000000000Z");
        assert_eq!(at(4_107_542_399, 999_999_999), "2100-02-28T23:59:59.999999999Z");
        assert_eq!(at(4_107_542_400, 0), "2100-03-01T00:00:00.000000000Z");
    }
}
