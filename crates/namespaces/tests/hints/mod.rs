//! What steps say of failures, as a table that people read.

use insula_launch::fault::{Call, Fault};
use insula_launch::step::Step;
use rustix::io::Errno;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The errnos of one hint, each with the calls that have it.
type When = BTreeMap<String, BTreeSet<&'static str>>;

/// A line for each hint of each kind of step: the calls and errnos that have it, and below it the hint.
pub fn table(steps: impl IntoIterator<Item = Step>, errnos: &[(&str, Errno)]) -> String {
    let calls: Vec<Call> = (1..).map(Call::from_number).take_while(|call| *call != Call::Unknown).collect();
    let mut kept: BTreeMap<String, BTreeMap<String, When>> = BTreeMap::new();
    for step in steps {
        let hints = kept.entry(step.name().to_owned()).or_default();
        for call in &calls {
            for (name, errno) in errnos {
                if let Some(hint) = step.hint(&Fault { call: *call, errno: *errno }) {
                    let when = hints.entry(hint.into_owned()).or_default();
                    when.entry((*name).to_owned()).or_default().insert(call.name());
                }
            }
        }
    }
    let every: BTreeSet<&str> = calls.iter().map(|call| call.name()).collect();
    let mut text = String::new();
    for (step, hints) in kept.iter().filter(|(_, hints)| !hints.is_empty()) {
        let _ = write!(text, "\n{step}\n");
        for (hint, when) in hints {
            let _ = write!(text, "  {}\n      {hint}\n", words(when, &every));
        }
    }
    text
}

/// The errnos that the same calls have stand together; a hint of every call is one of the errno alone.
fn words(when: &When, every: &BTreeSet<&str>) -> String {
    let mut groups: BTreeMap<&BTreeSet<&str>, Vec<&str>> = BTreeMap::new();
    for (errno, calls) in when {
        groups.entry(calls).or_default().push(errno);
    }
    let group = |(calls, errnos): (&&BTreeSet<&str>, &Vec<&str>)| {
        let calls = match *calls == every {
            true => "any call".to_owned(),
            false => calls.iter().copied().collect::<Vec<_>>().join(", "),
        };
        format!("{calls}: {}", errnos.join(", "))
    };
    groups.iter().map(group).collect::<Vec<_>>().join("; ")
}
