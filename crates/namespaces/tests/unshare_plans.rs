//! Plans of unsharing as people read them, what their steps say of failures, and the maps that ranges come to. Pure.
//! `INSULA_BLESS=1` accepts what is new.
#![forbid(unsafe_code)]

mod hints;
mod unshare_given;

use insula_launch::plan::Kind;
use insula_launch::step::Step;
use insula_launch::step::map_ids::Writer;
use insula_namespaces::unshare::{IdRange, IdsAsked, Request, compile};
use insula_proof::snapshot;
use rustix::io::Errno;
use std::collections::BTreeSet;
use unshare_given::{ROOT, USER, cases, request};

#[test]
fn each_request_compiles_to_the_plan_that_is_kept() {
    let changed = cases().into_iter().filter_map(|case| {
        let who = if case.caller.uid == 0 { '#' } else { '$' };
        let text = format!("{who} {}\n\n{}", case.words, case.plan());
        snapshot::check(&format!("tests/unshare/{}.txt", case.name), &text).err()
    });
    let changed: Vec<String> = changed.collect();
    assert!(changed.is_empty(), "{}", changed.join("\n"));
}

#[test]
fn every_file_of_the_directory_belongs_to_a_case() {
    let mut known: BTreeSet<String> = cases().iter().map(|case| format!("{}.txt", case.name)).collect();
    known.insert("hints.txt".to_owned());
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/unshare");
    let files = std::fs::read_dir(directory).expect("read the directory of the plans");
    let files = files.map(|entry| entry.expect("read an entry").file_name().to_string_lossy().into_owned());
    assert_eq!(files.collect::<BTreeSet<String>>(), known);
}

const ERRNOS: [(&str, Errno); 16] = [
    ("EPERM", Errno::PERM),
    ("ENOENT", Errno::NOENT),
    ("E2BIG", Errno::TOOBIG),
    ("EAGAIN", Errno::AGAIN),
    ("ENOMEM", Errno::NOMEM),
    ("EACCES", Errno::ACCESS),
    ("EBUSY", Errno::BUSY),
    ("EEXIST", Errno::EXIST),
    ("ENODEV", Errno::NODEV),
    ("ENOTDIR", Errno::NOTDIR),
    ("EINVAL", Errno::INVAL),
    ("ENOSPC", Errno::NOSPC),
    ("EROFS", Errno::ROFS),
    ("ERANGE", Errno::RANGE),
    ("ENOSYS", Errno::NOSYS),
    ("ELOOP", Errno::LOOP),
];

#[test]
fn each_step_says_of_each_failure_what_is_kept() {
    let steps = cases().into_iter().flat_map(|case| case.plan().steps);
    let text = format!(
        "What each step of unsharing says of a failure: the calls and errnos, the hint.\n{}",
        hints::table(steps, &ERRNOS)
    );
    snapshot::assert("tests/unshare/hints.txt", &text);
}

/// A range: the first id inside (none: from 0 on), the first outside, how many.
type Range = (Option<u32>, u32, u32);

fn asked(own: Option<u32>, ranges: &[Range]) -> Request {
    let range =
        |(inside, outside, count): &Range| IdRange { inside: *inside, outside: *outside, count: *count };
    Request { users: IdsAsked { own, ranges: ranges.iter().map(range).collect() }, ..request(&[Kind::User]) }
}

/// The user ids' lines of the user 1000, who becomes `own`.
fn lines(own: Option<u32>, ranges: &[Range]) -> Vec<(u32, u32, u32)> {
    let plan = compile(&asked(own, ranges), USER).expect("a map that can be");
    let maps = plan.steps.iter().find_map(|step| match step {
        Step::MapIds(maps) => Some(&maps.uid),
        _ => None,
    });
    maps.expect("ranges to map").iter().map(|line| (line.inside, line.outside, line.size)).collect()
}

/// unshare(1): the own id first; a range that overlaps it gets a hole and loses its topmost id.
#[test]
fn the_own_id_takes_precedence_over_a_range() {
    type Row = (Option<u32>, &'static [Range], &'static [(u32, u32, u32)]);
    let table: &[Row] = &[
        (None, &[(Some(0), 100, 10)], &[(0, 100, 10)]),
        (None, &[(None, 100, 10)], &[(0, 100, 10)]),
        (None, &[(Some(5), 100, 10), (Some(20), 200, 1)], &[(5, 100, 10), (20, 200, 1)]),
        // Before, beside and behind the range.
        (Some(0), &[(Some(1), 5000, 10)], &[(0, 1000, 1), (1, 5000, 10)]),
        (Some(20), &[(Some(0), 5000, 10)], &[(20, 1000, 1), (0, 5000, 10)]),
        (Some(0), &[(Some(0), 5000, 10)], &[(0, 1000, 1), (1, 5000, 9)]),
        (Some(4), &[(Some(0), 5000, 10)], &[(4, 1000, 1), (0, 5000, 4), (5, 5004, 5)]),
        // The own id lies in the range outside; then inside and outside, in either order.
        (Some(50), &[(Some(0), 998, 10)], &[(50, 1000, 1), (0, 998, 2), (2, 1001, 7)]),
        (Some(5), &[(Some(0), 998, 10)], &[(5, 1000, 1), (0, 998, 2), (2, 1001, 3), (6, 1004, 4)]),
        (Some(1), &[(Some(0), 995, 10)], &[(1, 1000, 1), (0, 995, 1), (2, 996, 4), (6, 1001, 4)]),
        (Some(2), &[(Some(0), 998, 10)], &[(2, 1000, 1), (0, 998, 2), (3, 1001, 7)]),
        // From 0 on: the range makes room and keeps all of its ids.
        (Some(0), &[(None, 100_000, 65_536)], &[(0, 1000, 1), (1, 100_000, 65_536)]),
        (
            Some(1000),
            &[(None, 100_000, 65_536)],
            &[(1000, 1000, 1), (0, 100_000, 1000), (1001, 101_000, 64_536)],
        ),
        // Nothing is left of a range of that id alone.
        (Some(0), &[(Some(0), 5000, 1)], &[(0, 1000, 1)]),
        (Some(u32::MAX - 1), &[(Some(0), 5000, 2)], &[(u32::MAX - 1, 1000, 1), (0, 5000, 2)]),
    ];
    for (own, ranges, expected) in table {
        assert_eq!(lines(*own, ranges), *expected, "{own:?} {ranges:?}");
    }
}

#[test]
fn maps_that_cannot_be_are_refused_before_anything_is_done() {
    let many: Vec<Range> = (0..341).map(|i| (Some(2 * i), 2 * i, 1)).collect();
    let table: &[(Option<u32>, &[Range], &str)] = &[
        (None, &[(Some(0), 0, 10), (Some(9), 20, 1)], "both map 9 inside"),
        (None, &[(Some(0), 0, 10), (Some(20), 3, 4)], "both map 3–6 outside"),
        (Some(7), &[(Some(0), 5000, 0)], "at least one id"),
        (None, &[(Some(0), 1, u32::MAX)], "ids end at 4294967294"),
        (None, &[(Some(1), 0, u32::MAX)], "ids end at 4294967294"),
        (Some(0), &[(Some(u32::MAX), 5, 1)], "ids end at 4294967294"),
        (Some(0), &[(Some(5), u32::MAX - 3, 10)], "ids end at 4294967294"),
        (None, &many, "at most 340 lines"),
    ];
    for (own, ranges, reason) in table {
        let error = compile(&asked(*own, ranges), ROOT).err().map(|error| error.to_string());
        assert!(error.as_ref().is_some_and(|error| error.contains(reason)), "{ranges:?}: {error:?}");
    }
}

#[test]
fn who_may_map_any_id_writes_and_others_ask_the_helpers() {
    for (caller, expected) in [(ROOT, Writer::Direct), (USER, Writer::Helpers)] {
        let plan = compile(&asked(None, &[(Some(0), 100, 10)]), caller).expect("a plan");
        assert!(plan.steps.iter().any(|step| matches!(step, Step::MapIds(maps) if maps.writer == expected)));
    }
}
