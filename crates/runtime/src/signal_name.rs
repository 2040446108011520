//! A signal by name or number (signal(7)).

/// The signals 1 to 31 in the order of x86 and ARM (signal(7)).
const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
    "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ",
    "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

/// The first real-time signal that the C library leaves to programs, and the last.
const RT: (i32, i32) = (34, 64);

/// Reads a signal: 1 to 64, or a name in either case, with or without `SIG`.
pub fn parse(text: &str) -> Option<i32> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().filter(|number| (1..=RT.1).contains(number));
    }
    let name = text.to_ascii_uppercase();
    let name = name.strip_prefix("SIG").unwrap_or(&name);
    let usual = (1..).zip(NAMES).find(|&(_, known)| known == name).map(|(number, _)| number);
    usual.or_else(|| real_time(name))
}

/// Reads `RTMIN`, `RTMIN+N`, `RTMAX` or `RTMAX-N`.
fn real_time(name: &str) -> Option<i32> {
    let steps = |text: &str, sign: char| match text.strip_prefix(sign) {
        Some(digits) if !digits.starts_with(['+', '-']) => digits.parse::<u8>().ok().map(i32::from),
        _ => text.is_empty().then_some(0),
    };
    let number = match (name.strip_prefix("RTMIN"), name.strip_prefix("RTMAX")) {
        (Some(rest), _) => RT.0 + steps(rest, '+')?,
        (_, Some(rest)) => RT.1 - steps(rest, '-')?,
        _ => return None,
    };
    (RT.0..=RT.1).contains(&number).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn signals() {
        let table = [
            ("SIGTERM", Some(15)),
            ("term", Some(15)),
            ("sigint", Some(2)),
            ("9", Some(9)),
            ("SYS", Some(31)),
            ("64", Some(64)),
            ("RTMIN", Some(34)),
            ("SIGRTMIN+3", Some(37)),
            ("RTMAX-1", Some(63)),
            ("", None),
            ("0", None),
            ("65", None),
            ("-9", None),
            ("SIG", None),
            ("SIGSIGTERM", None),
            ("RTMIN-1", None),
            ("RTMIN+31", None),
            ("RTMIN++3", None),
        ];
        for (text, number) in table {
            assert_eq!(parse(text), number, "{text}");
        }
    }
}
