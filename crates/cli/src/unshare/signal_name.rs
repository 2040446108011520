//! Signals by name, as unshare(1) takes them: signal(7), and `RTMIN+N`, `RTMAX-N`, `RTN`.

use crate::value::signal;

/// Second names of signals.
const ALIASES: [(&str, &str); 3] = [("IOT", "ABRT"), ("POLL", "IO"), ("CLD", "CHLD")];

/// The number of a name in either case, with or without `SIG`; numbers are none.
pub fn parse(name: &str) -> Option<i32> {
    let upper = name.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if let Some(number) =
        name.strip_prefix("RT").filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    {
        return signal::parse(&format!("RTMIN+{number}")).ok();
    }
    let name = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, usual)| usual);
    signal::parse(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_have_names_and_numbers_are_none() {
        let table = [
            ("TERM", Some(15)),
            ("sigterm", Some(15)),
            ("IOT", Some(6)),
            ("POLL", Some(29)),
            ("SIGCLD", Some(17)),
            ("RT5", Some(39)),
            ("rtmin+1", Some(35)),
            ("SIGRTMAX-1", Some(63)),
            ("RT31", None),
            ("9", None),
            ("SIG9", None),
            ("SIG", None),
            ("", None),
            ("FOO", None),
        ];
        for (name, expected) in table {
            assert_eq!(parse(name), expected, "{name}");
        }
    }
}
