//! The program runs as it would: streams, environment, exit code; and what is told comes after it, or elsewhere.

use super::{clean, ended, why, why_with};
use crate::caller::{Caller, Started};
use std::fs;
use std::io::Write as _;
use std::process::Stdio;

fn its_streams_and_its_exit_code_are_its_own(caller: &Caller) {
    let mut command = caller.insula(&["why", "--", "sh", "-c", "cat; echo complaint >&2; exit 7"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("start insula");
    child.stdin.take().expect("a pipe").write_all(b"in\n").expect("write to the program");
    let end = Started::of(child).ended();
    assert_eq!((end.code(), end.out.as_str()), (7, "in\n"), "{}", end.err);
    let told = end.err.strip_prefix("complaint\n").expect("the program's own comes first");
    assert!(told.starts_with("insula: why: `sh -c cat; "), "{told}");
    assert!(told.contains("ended with code 7, and no call of it was refused"), "{told}");
}

fn a_run_without_a_refusal_has_none(caller: &Caller) {
    for words in [
        &["true"][..],
        &["sh", "-c", "ls / >/dev/null; (true & wait); test -e /no/such || true"],
        &["env", "sh", "-c", "cat /proc/self/status >/dev/null"],
    ] {
        let answer = why(caller, words);
        assert_eq!((answer.end.code(), answer.end.err.as_str()), (0, ""), "{words:?}");
        assert!(answer.refused().is_empty(), "{words:?}: {:#}", answer.json);
        assert_eq!(answer.json["verdict"], serde_json::Value::Null);
        assert_eq!(answer.json["end"]["code"], 0);
    }
}

fn it_ends_by_the_signal_that_ended_the_program(caller: &Caller) {
    use std::os::unix::process::ExitStatusExt as _;
    for signal in [15, 9, 11, 34] {
        let answer = why(caller, &["sh", "-c", &format!("kill -{signal} $$")]);
        assert_eq!(answer.end.status.signal(), Some(signal), "{}", answer.end.err);
        assert_eq!(answer.json["end"]["signal"], signal);
    }
}

fn all_tells_every_call_that_failed(caller: &Caller) {
    let script = ["sh", "-c", "cd /no/such/place 2>/dev/null; true"];
    assert!(why(caller, &script).refused().is_empty());
    let answer = why_with(caller, &["--all"], &script);
    let found = answer.refused().iter().find(|refused| refused["text"] == "chdir(\"/no/such/place\")");
    let found = found.unwrap_or_else(|| panic!("no chdir in {:#}", answer.json));
    assert_eq!((found["errno"].as_str(), found["outcome"].as_str()), (Some("ENOENT"), Some("got-over")));
}

fn what_the_program_complains_of_is_told_whatever_it_is(caller: &Caller) {
    let answer = why(caller, &["cat", "/no/such/file"]);
    assert_eq!(answer.end.code(), 1);
    let fatal = answer.fatal();
    assert_eq!(fatal["errno"], "ENOENT");
    assert!(fatal["text"].as_str().is_some_and(|text| text.contains("\"/no/such/file\"")), "{fatal}");
    assert_eq!(fatal["cause"]["key"], "path-absent", "{fatal}");
    assert_eq!(answer.json["verdict"]["certainty"], "said");
}

fn the_answer_for_people_is_lines_that_begin_with_our_name(caller: &Caller) {
    let end = ended(&mut caller.insula(&["why", "--", "cat", "/no/such/file"]));
    assert_eq!(end.code(), 1);
    let told: Vec<&str> = end.err.lines().skip(1).collect();
    for (line, begin) in told.iter().zip(["why", "refused", "said", "cause", "hint"]) {
        assert!(line.starts_with(&format!("insula: {begin}: ")), "{}", end.err);
    }
    assert_eq!(told.len(), 5, "{}", end.err);
    clean(&end.err);
}

fn the_environment_and_descriptors_pass_on(caller: &Caller) {
    let script = "INSULA_ODD=1 exec \"$0\" why -o /dev/null -- sh -c 'echo $INSULA_ODD; cat <&7' 7<<'END'\nseven\nEND\n";
    let words = caller.words(&[]);
    let end = ended(caller.command("sh").args(["-c", script, &words[0]]));
    assert_eq!(end.said(), "1\nseven");
}

by_everyone! {
    its_streams_and_its_exit_code_are_its_own,
    a_run_without_a_refusal_has_none,
    it_ends_by_the_signal_that_ended_the_program,
    all_tells_every_call_that_failed,
    what_the_program_complains_of_is_told_whatever_it_is,
    the_answer_for_people_is_lines_that_begin_with_our_name,
    the_environment_and_descriptors_pass_on,
}

#[test]
fn a_file_that_cannot_be_written_is_told_before_anything_runs() {
    let caller = insula_proof::or_skip!(Caller::user());
    let end = ended(&mut caller.insula(&["why", "-o", "/no/such/answer", "--", "touch", "made"]));
    assert_eq!((end.code(), end.out.as_str()), (125, ""));
    assert!(end.err.contains("write the answer to `/no/such/answer`"), "{}", end.err);
    assert!(fs::metadata(caller.home().join("made")).is_err(), "the program ran");
}
