//! Tests of [`parse`](super::parse): what is refused, and in which words.

use super::{MAX_BYTES, MAX_DEPTH, parse};
use crate::{Error, RlimitKind, Status};

/// What [`parse`] says of a configuration that it refuses.
fn refusal(text: &str) -> String {
    match parse(text.as_bytes()) {
        Ok(_) => panic!("accepted: {text}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_message_names_the_field_and_the_value() {
    let table = [
        (
            r#"{"ociVersion":"1.3.0","linux":{"namespaces":[{"type":"pid"},{"type":"pidd"}]}}"#,
            "`linux.namespaces[1].type`: unknown variant `pidd`, expected one of `pid`, ",
        ),
        (
            r#"{"ociVersion":"1.3.0","process":{"cwd":7}}"#,
            "`process.cwd`: invalid type: integer `7`, expected",
        ),
        (r#"{"ociVersion":"1.3.0","process":{"user":{"uid":-1}}}"#, "`process.user.uid`: invalid value: "),
        (
            r#"{"ociVersion":"1.3.0","process":{"user":{"uid":4294967296}}}"#,
            "`process.user.uid`: invalid value: ",
        ),
        (r#"{"ociVersion":"1.3.0","process":{}}"#, "`process`: missing field `cwd`"),
        (
            r#"{"ociVersion":"1.3.0","hostname":"a","hostname":"b"}"#,
            "config.json: duplicate field `hostname` at line 1",
        ),
        (
            r#"{"ociVersion":"1.3.0","linux":{"rootfsPropagation":"loud"}}"#,
            "`linux.rootfsPropagation`: unknown",
        ),
        (
            r#"{"ociVersion":"1.3.0","linux":{"timeOffsets":{"realtime":{}}}}"#,
            "`linux.timeOffsets.?`: unknown variant `realtime`, expected `monotonic` or `boottime`",
        ),
        (
            r#"{"ociVersion":"1.3.0","linux":{"personality":{"domain":"LINUX","flags":["X"]}}}"#,
            "`linux.personality.flags[0]`: unknown variant `X`, there are no variants",
        ),
        (
            r#"{"ociVersion":"1.3.0","linux":{"rootfsPropagation":"\u001b[2J"}}"#,
            "`linux.rootfsPropagation`: unknown variant `\\u{1b}[2J`, ",
        ),
        (r#"{}"#, "config.json: missing field `ociVersion`"),
        (r#"[]"#, "config.json: invalid length 0"),
        ("", "config.json: EOF while parsing a value at line 1 column 0"),
        ("{\"ociVersion\":\"1.3.0\"} x", "config.json: trailing characters at line 1 column 24"),
        ("{\"ociVersion\":\"1.3.0\"}{}", "config.json: trailing characters at line 1 column 23"),
        (
            r#"{"ociVersion":"1","process":{"cwd":"/","args":["a","b\u0000"]}}"#,
            "`process.args[1]`: holds a NUL",
        ),
        (
            r#"{"ociVersion":"1","annotations":{"a\u0000":""}}"#,
            "`annotations.a\\u{0}`: holds a NUL character",
        ),
    ];
    for (text, message) in table {
        let said = refusal(text);
        assert!(said.starts_with(message), "{text}\n  said     {said}\n  expected {message}");
    }
}

#[test]
fn depth_is_bounded_even_where_properties_are_ignored() {
    let nested = |depth: usize| {
        format!(r#"{{"ociVersion":"1.3.0","unknown":{}{}}}"#, "[".repeat(depth), "]".repeat(depth))
    };
    assert!(parse(nested(MAX_DEPTH - 1).as_bytes()).is_ok());
    assert_eq!(parse(nested(MAX_DEPTH).as_bytes()), Err(Error::TooDeep { line: 1 }));
}

#[test]
fn brackets_and_backslashes_in_strings_count_for_nothing() {
    let text = format!(r#"{{"ociVersion":"1.3.0","hostname":"{}\\u0000\"["}}"#, "[".repeat(200));
    let spec = parse(text.as_bytes()).expect("no depth, no NUL");
    assert!(spec.hostname.is_some_and(|name| name.ends_with("[\\u0000\"[")));
}

#[test]
fn size_is_bounded() {
    let mut text = br#"{"ociVersion":"1.3.0"}"#.to_vec();
    text.resize(MAX_BYTES, b' ');
    assert!(parse(&text).is_ok());
    text.push(b' ');
    assert_eq!(parse(&text), Err(Error::TooLarge { bytes: MAX_BYTES + 1 }));
}

#[test]
fn unknown_properties_are_ignored_and_other_platforms_with_them() {
    let text = r#"{"ociVersion":"1.3.0","windows":{"layerFolders":[]},"x":1,"linux":{"y":{"z":[null]}}}"#;
    assert!(parse(text.as_bytes()).is_ok());
}

#[test]
fn absent_capabilities_differ_from_empty_ones() {
    let process = |rest: &str| {
        let text = format!(r#"{{"ociVersion":"1.3.0","process":{{"cwd":"/"{rest}}}}}"#);
        parse(text.as_bytes()).expect("valid").process.expect("present")
    };
    assert!(process("").capabilities.is_none());
    assert!(process(r#","capabilities":{}"#).capabilities.is_some_and(|sets| sets.bounding.is_empty()));
}

#[test]
fn an_empty_string_is_an_absent_one() {
    let text = r#"{"ociVersion":"1.3.0","hostname":"","linux":{"namespaces":[{"type":"pid","path":""}]}}"#;
    let spec = parse(text.as_bytes()).expect("valid");
    assert_eq!(spec.hostname, None);
    assert_eq!(spec.linux.expect("present").namespaces[0].path, None);
}

#[test]
fn the_words_agree_with_the_names() {
    for kind in RlimitKind::ALL {
        assert_eq!(serde_json::to_value(kind).expect("a string"), kind.name());
    }
    for kind in crate::NamespaceKind::ALL {
        assert_eq!(serde_json::to_value(kind).expect("a string"), kind.as_str());
    }
    for status in [Status::Creating, Status::Created, Status::Running, Status::Paused, Status::Stopped] {
        assert_eq!(serde_json::to_value(status).expect("a string"), status.as_str());
    }
}
