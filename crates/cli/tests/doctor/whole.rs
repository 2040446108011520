//! What holds of every report.

use crate::report::Report;
use insula_proof::{self as proof, Ordinary, census::Census, census::Mark, insula};
use std::time::{Duration, Instant};

/// Exit code, verdict and lines say the same, and each lack says what it costs.
fn is_whole(report: &Report) {
    for (key, line) in &report.lines {
        let is_lack = matches!(line.state.as_str(), "missing" | "limited");
        assert!(
            matches!(line.state.as_str(), "works" | "limited" | "missing" | "unknown"),
            "{key}: {line:?}"
        );
        assert_eq!(line.costs.is_some(), line.state != "works", "{key}: {line:?}");
        assert!(!line.found.is_empty(), "{key}: {line:?}");
        assert!(is_lack || line.state == "unknown" || line.fix.is_none(), "{key}: {line:?}");
    }
    let verdict = match report.code {
        0 => "works",
        1 => "lacks",
        2 => "nothing-runs",
        code => panic!("exit code {code}"),
    };
    assert_eq!(report.verdict, verdict);
}

#[test]
fn root_hears_what_works_and_nothing_is_left() {
    proof::need!(root);
    let _alone = proof::alone();
    let mark = Mark::new();
    let before = Census::take(&mark, &[]);
    let report = Report::of(mark.on(insula().args(["doctor", "--json"])));
    before.assert_equal_within(Duration::from_secs(5));
    is_whole(&report);
    for key in ["mnt", "uts", "ipc", "net", "pid", "clone3", "mount-api"] {
        assert_eq!(report.line(key).state, "works", "{key}: {report:?}");
    }
}

#[test]
fn an_ordinary_user_hears_what_works_and_nothing_is_left() {
    proof::need!(user_namespaces);
    let user = Ordinary::new();
    let _alone = proof::alone();
    let mark = Mark::new();
    let before = Census::take(&mark, &[user.home()]);
    let _ = user.insula_path();
    let before = {
        drop(before);
        Census::take(&mark, &[user.home()])
    };
    let report = Report::of(mark.on(user.insula().args(["doctor", "--json"])));
    before.assert_equal_within(Duration::from_secs(5));
    is_whole(&report);
    report.has("mnt", "works", "through a user namespace", "");
    report.has("user", "works", "its maker is root in it", "");
}

#[test]
fn every_key_is_listed_and_each_can_be_asked_alone() {
    let listed = insula().args(["doctor", "--list"]).output().expect("start insula");
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    let listed: Vec<&str> = text.lines().filter_map(|line| line.split(' ').next()).collect();
    let report = Report::of(insula().args(["doctor", "--json"]));
    let mut keys: Vec<&str> = report.lines.keys().map(String::as_str).collect();
    let mut sorted = listed.clone();
    sorted.sort_unstable();
    keys.sort_unstable();
    assert_eq!(sorted, keys, "each once");
    let two = Report::of(insula().args(["doctor", "--json", "uts", "clone3"]));
    assert_eq!(two.lines.len(), 2);
    assert_eq!(two.code, 0, "{two:?}");
    let output = insula().args(["doctor", "no-such"]).output().expect("start insula");
    assert_eq!(output.status.code(), Some(125));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no check `no-such`"));
}

#[test]
fn people_read_a_table_in_groups_without_colours_in_a_pipe() {
    let output = insula().args(["doctor", "uts", "listns", "clone3"]).output().expect("start insula");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.starts_with("namespaces\n  uts     works "), "{text}");
    assert!(text.contains("\nprocesses\n  clone3  works    a process was made\n"), "{text}");
    assert!(!text.contains('\x1b'), "{text}");
    assert!(text.lines().last().is_some_and(|line| line.starts_with("Linux ")), "{text}");
    let lacks = insula().args(["doctor", "--lacks", "uts", "clone3"]).output().expect("start insula");
    let text = String::from_utf8_lossy(&lacks.stdout);
    assert!(!text.contains("uts") && text.contains("all that insula needs works"), "{text}");
}

#[test]
fn it_takes_less_than_half_a_second_of_work() {
    proof::need!(swift);
    // Of the time that it is given, not of that for which it waits for others: tests run beside it.
    let before = children();
    let start = Instant::now();
    let _ = Report::of(insula().args(["doctor", "--json"]));
    let (used, taken) = (children() - before, start.elapsed());
    assert!(used < Duration::from_millis(500) || taken < Duration::from_millis(500), "{used:?} of {taken:?}");
}

/// The processor time of the children that have ended.
fn children() -> Duration {
    let text = std::fs::read_to_string("/proc/self/stat").expect("our own stat");
    let behind = text.rsplit(") ").next().expect("fields");
    let ticks: u64 = behind.split(' ').skip(13).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}
