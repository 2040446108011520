//! The offsets of a time namespace, time_namespaces(7): /proc/PID/timens_offsets.

use super::ask::{Asked, text};
use super::told::{Detail, Hidden, Offsets, Told};

pub(super) fn ask(asked: &Asked<'_>) -> Told {
    // The file shows those of the process' children, which are mostly its own.
    let shows = |pid: &u32| {
        let link = std::fs::read_link(format!("/proc/{pid}/ns/time_for_children"));
        link.is_ok_and(|link| link.as_os_str() == format!("time:[{}]", asked.inode).as_str())
    };
    let own = asked.is_own().then(std::process::id);
    let read = |pid: u32| text(pid, "timens_offsets").and_then(|text| offsets(&text));
    if let Some(offsets) = own.into_iter().chain(asked.processes()).filter(shows).find_map(read) {
        return Told { detail: Detail::Time(Some(offsets)), hidden: Vec::new() };
    }
    let seen = asked.visit("its offsets", || Ok((Vec::new(), None))).and_then(|visit| {
        let why =
            || Hidden { what: "its offsets", why: "/proc does not show them: no CONFIG_TIME_NS".to_owned() };
        read(visit.pid).ok_or_else(why)
    });
    match seen {
        Ok(offsets) => Told { detail: Detail::Time(Some(offsets)), hidden: Vec::new() },
        Err(hidden) => Told { detail: Detail::Time(None), hidden: vec![hidden] },
    }
}

/// Lines of a clock's name, seconds and nanoseconds.
fn offsets(text: &str) -> Option<Offsets> {
    let of = |clock: &str| {
        let line = text.lines().find(|line| line.split_whitespace().next() == Some(clock))?;
        let mut numbers = line.split_whitespace().skip(1).map(str::parse::<i64>);
        let seconds = i128::from(numbers.next()?.ok()?);
        Some(seconds * 1_000_000_000 + i128::from(numbers.next()?.ok()?))
    };
    Some(Offsets { monotonic_ns: of("monotonic")?, boottime_ns: of("boottime")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_seconds_and_nanoseconds() {
        let text = "monotonic         -2 500000000\nboottime           7         0\n";
        let expected = Offsets { monotonic_ns: -1_500_000_000, boottime_ns: 7_000_000_000 };
        assert_eq!(offsets(text), Some(expected));
        assert_eq!(offsets("monotonic x 0\nboottime 7 0\n"), None);
        assert_eq!(offsets(""), None);
    }
}
