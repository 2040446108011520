//! A line of a user namespace's id map, user_namespaces(7).

use std::fmt;

/// One line of a map: `size` ids from `inside` are those from `outside`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdMap {
    /// The first id in the new user namespace.
    pub inside: u32,
    /// The first id in the parent user namespace.
    pub outside: u32,
    /// How many.
    pub size: u32,
}

impl IdMap {
    /// The lines of a map as the kernel shows it, /proc/PID/uid_map.
    pub fn parse(text: &str) -> Vec<IdMap> {
        let line = |line: &str| {
            let mut numbers = line.split_ascii_whitespace().map(str::parse::<u32>);
            let mut next = || numbers.next()?.ok();
            Some(IdMap { inside: next()?, outside: next()?, size: next()? })
        };
        text.lines().filter_map(line).collect()
    }

    /// Is an id among those inside (`true`) or outside?
    pub fn holds(&self, id: u32, inside: bool) -> bool {
        let first = if inside { self.inside } else { self.outside };
        id.checked_sub(first).is_some_and(|offset| offset < self.size)
    }
}

/// As it stands in the file: `INSIDE OUTSIDE COUNT`.
impl fmt::Display for IdMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.inside, self.outside, self.size)
    }
}
