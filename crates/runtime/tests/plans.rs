//! Plans as people read them: for each configuration in `tests/plans` the list of steps that it compiles to, and for
//! each step what it would say of each failure. Compared with what is kept; `INSULA_BLESS=1` accepts what is new.
#![forbid(unsafe_code)]

mod given;

use given::{CASES, Case};
use insula_launch::fault::{Call, Fault};
use insula_launch::step::Step;
use insula_proof::snapshot;
use rustix::io::Errno;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

#[test]
fn each_configuration_compiles_to_the_plan_that_is_kept() {
    let changed: Vec<String> = CASES.iter().filter_map(|case| plan_changed(case).err()).collect();
    assert!(changed.is_empty(), "{}", changed.join("\n"));
}

fn plan_changed(case: &Case) -> Result<(), String> {
    let who = if (case.ids)().uid == 0 { '#' } else { '$' };
    snapshot::check(
        &format!("tests/plans/{}.txt", case.name),
        &format!("{who} {}\n\n{}", case.command, case.plan()),
    )
}

#[test]
fn every_file_of_the_directory_belongs_to_a_case() {
    let mut known: BTreeSet<String> =
        CASES.iter().flat_map(|case| [format!("{}.json", case.name), format!("{}.txt", case.name)]).collect();
    known.insert("hints.txt".to_owned());
    let files = std::fs::read_dir(given::directory()).expect("read the directory of the plans");
    let files = files.map(|entry| entry.expect("read an entry").file_name().to_string_lossy().into_owned());
    assert_eq!(files.collect::<BTreeSet<String>>(), known);
}

/// The failures that a step could meet: what the calls' man pages list.
const ERRNOS: &[(&str, Errno)] = &[
    ("EPERM", Errno::PERM),
    ("ENOENT", Errno::NOENT),
    ("EINTR", Errno::INTR),
    ("EIO", Errno::IO),
    ("ENXIO", Errno::NXIO),
    ("ENOEXEC", Errno::NOEXEC),
    ("EBADF", Errno::BADF),
    ("ECHILD", Errno::CHILD),
    ("EAGAIN", Errno::AGAIN),
    ("ENOMEM", Errno::NOMEM),
    ("EACCES", Errno::ACCESS),
    ("EBUSY", Errno::BUSY),
    ("EEXIST", Errno::EXIST),
    ("EXDEV", Errno::XDEV),
    ("ENODEV", Errno::NODEV),
    ("ENOTDIR", Errno::NOTDIR),
    ("EISDIR", Errno::ISDIR),
    ("EINVAL", Errno::INVAL),
    ("ENFILE", Errno::NFILE),
    ("EMFILE", Errno::MFILE),
    ("ENOTTY", Errno::NOTTY),
    ("ETXTBSY", Errno::TXTBSY),
    ("EFBIG", Errno::FBIG),
    ("ENOSPC", Errno::NOSPC),
    ("EROFS", Errno::ROFS),
    ("EPIPE", Errno::PIPE),
    ("ERANGE", Errno::RANGE),
    ("ENAMETOOLONG", Errno::NAMETOOLONG),
    ("ENOSYS", Errno::NOSYS),
    ("ENOTEMPTY", Errno::NOTEMPTY),
    ("ELOOP", Errno::LOOP),
    ("EOVERFLOW", Errno::OVERFLOW),
    ("EUSERS", Errno::USERS),
    ("EOPNOTSUPP", Errno::OPNOTSUPP),
    ("ESTALE", Errno::STALE),
    ("EDQUOT", Errno::DQUOT),
];

/// All calls that a fault can name.
fn calls() -> Vec<Call> {
    (1..).map(Call::from_number).take_while(|call| *call != Call::Unknown).collect()
}

#[test]
fn each_step_says_of_each_failure_what_is_kept() {
    let mut seen: BTreeMap<&str, Vec<(String, String)>> = BTreeMap::new();
    for step in CASES.iter().flat_map(|case| case.plan().steps) {
        let (shown, table) = (step.to_string(), hints(&step));
        let tables = seen.entry(step.name()).or_default();
        // One of each kind of source, candidate or layer is enough: those that say the same are the same to a reader.
        if !tables.iter().any(|(_, known)| *known == table) {
            tables.push((shown, table));
        }
    }
    let mut text =
        "What each step says of a failure: the step as a plan shows it, the call and its errno, the hint.\n"
            .to_owned();
    let silent: Vec<&str> =
        seen.iter().filter(|(_, t)| t.iter().all(|(_, t)| t.is_empty())).map(|(name, _)| *name).collect();
    for (name, tables) in &seen {
        for (shown, table) in tables.iter().filter(|(_, table)| !table.is_empty()) {
            let _ = write!(text, "\n{name}: {shown}\n{table}");
        }
    }
    let _ = write!(text, "\nwithout a hint: {}\n", silent.join(", "));
    snapshot::assert("tests/plans/hints.txt", &text);
}

/// All that a step says, a hint in two lines: when, and what.
fn hints(step: &Step) -> String {
    let calls = calls();
    let mut by_hint: BTreeMap<String, BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
    for call in &calls {
        for (name, errno) in ERRNOS {
            if let Some(hint) = step.hint(&Fault { call: *call, errno: *errno }) {
                by_hint.entry(hint.into_owned()).or_default().entry(call.name()).or_default().push(name);
            }
        }
    }
    let mut rows: Vec<(String, &String)> =
        by_hint.iter().map(|(hint, found)| (when(found, calls.len()), hint)).collect();
    rows.sort();
    rows.iter().fold(String::new(), |mut text, (when, hint)| {
        let _ = write!(text, "  {when}\n      {hint}\n");
        text
    })
}

/// The calls of one hint, those with the same errnos together.
fn when(found: &BTreeMap<&str, Vec<&str>>, all: usize) -> String {
    let mut groups: BTreeMap<&[&str], Vec<&str>> = BTreeMap::new();
    for (call, errnos) in found {
        groups.entry(errnos).or_default().push(call);
    }
    let words = groups.iter().map(|(errnos, calls)| {
        let calls = if calls.len() == all { "any call".to_owned() } else { calls.join(", ") };
        let missing = ERRNOS.iter().map(|(name, _)| *name).filter(|name| !errnos.contains(name));
        let missing: Vec<&str> = missing.collect();
        let errnos = match missing.len() {
            0 => "any errno".to_owned(),
            few @ 1..6 => format!("any errno but {}", missing[..few].join(", ")),
            _ => errnos.join(", "),
        };
        format!("{calls}: {errnos}")
    });
    words.collect::<Vec<_>>().join("; ")
}
