//! What steps say of failures, as a table that people read.

use insula_launch::fault::{Call, Fault};
use insula_launch::step::Step;
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A line for each hint of each kind of step: the calls and errnos that have it, and below it the hint.
pub fn table(steps: impl IntoIterator<Item = Step>, errnos: &[(&str, Errno)]) -> String {
    let mut kept: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for step in steps {
        let hints = kept.entry(step.name().to_owned()).or_default();
        for call in (1..).map(Call::from_number).take_while(|call| *call != Call::Unknown) {
            for (name, errno) in errnos {
                if let Some(hint) = step.hint(&Fault { call, errno: *errno }) {
                    let when = hints.entry(hint.into_owned()).or_default();
                    // A hint of every call is one of the errno alone.
                    let one = format!("{} {name}; ", call.name());
                    if !when.contains(&one) {
                        when.push_str(&one);
                    }
                }
            }
        }
    }
    let calls = (1..).map(Call::from_number).take_while(|call| *call != Call::Unknown).map(Call::name);
    let calls = calls.collect::<std::collections::BTreeSet<_>>().len();
    let mut text = String::new();
    for (step, hints) in kept.iter().filter(|(_, hints)| !hints.is_empty()) {
        let _ = write!(text, "\n{step}\n");
        for (hint, when) in hints {
            let all: Vec<&str> = when.trim_end_matches("; ").split("; ").collect();
            let when = if all.len() >= calls {
                let mut errnos: Vec<&str> = all.iter().filter_map(|one| one.rsplit(' ').next()).collect();
                errnos.sort_unstable();
                errnos.dedup();
                format!("any call: {}", errnos.join(", "))
            } else {
                all.join("; ")
            };
            let _ = write!(text, "  {when}\n      {hint}\n");
        }
    }
    text
}
