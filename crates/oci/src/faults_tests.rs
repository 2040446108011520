//! Tests of [`faults`](super::faults): what is told of a file with several faults, and what is left of it.

use super::faults;

fn told(text: &str) -> Vec<String> {
    let found = faults(text.as_bytes()).expect("it is JSON");
    found.wrong.iter().map(|wrong| format!("{}: {}", wrong.field, wrong.reason)).collect()
}

/// Each starts with that.
#[track_caller]
fn assert_told(text: &str, expected: &[&str]) {
    let told = told(text);
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (told, expected) in told.iter().zip(expected) {
        assert!(told.starts_with(expected), "`{told}` does not begin with `{expected}`");
    }
}

#[test]
fn values_of_the_wrong_kind_are_all_told() {
    assert_told(
        r#"{"ociVersion":7,"process":{"cwd":"/","args":["a",1,"b",2]},"linux":{"rootfsPropagation":"loud"}}"#,
        &[
            "linux.rootfsPropagation: unknown variant `loud`",
            "ociVersion: invalid type: integer `7`",
            "process.args[1]: invalid type: integer `1`",
            "process.args[3]: invalid type: integer `2`",
        ],
    );
}

#[test]
fn what_is_missing_hides_nothing_beside_it() {
    assert_told(
        r#"{"process":{"user":{"uid":-1},"rlimits":[{"type":"RLIMIT_X","soft":1,"hard":1}]},"mounts":[{"type":7}]}"#,
        &[
            "mounts[0].destination: it is missing",
            "mounts[0].type: invalid type",
            "ociVersion: it is missing",
            "process.cwd: it is missing",
            "process.rlimits[0].type: unknown variant",
            "process.user.uid: invalid value",
        ],
    );
}

#[test]
fn a_field_of_what_is_left_has_its_number_in_the_file() {
    let found =
        faults(br#"{"ociVersion":"1","process":{"cwd":"/","args":[1,"a",2,"b"]}}"#).expect("it is JSON");
    let rest = found.rest.as_ref().expect("something is left");
    assert_eq!(rest.process.as_ref().expect("a process").args, ["a", "b"]);
    assert_eq!(found.path("process.args[0]"), "process.args[1]");
    assert_eq!(found.path("process.args[1]"), "process.args[3]");
    assert_eq!(found.path("linux.sysctl[net.x]"), "linux.sysctl[net.x]");
    assert!(found.tells("process.args") && found.tells("process.args[2].x") && !found.tells("process.cwd"));
}

#[test]
fn a_nul_is_told_wherever_it_is() {
    assert_told(
        r#"{"ociVersion":"1","process":{"cwd":"/\u0000","args":["a","b\u0000"]},"x\u0000":1}"#,
        &["process.args[1]: it holds a NUL", "process.cwd: it holds a NUL", "x\0: it holds a NUL"],
    );
}

#[test]
fn what_is_no_object_is_one_fault() {
    assert_told("[]", &["config.json: invalid length 0"]);
    assert!(faults(b"{").is_err());
    assert!(faults(br#"{"ociVersion":"1","hostname":"a","hostname":"b"}"#).is_err());
}
