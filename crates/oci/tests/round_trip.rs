//! A `config.json` that uses every field is read and written without loss, and nothing in it is misread.

use insula_oci::{Capability, Clock, Propagation, Spec, parse};
use serde_json::Value;

const EVERYTHING: &str = include_str!("everything.json");

fn spec() -> Spec {
    parse(EVERYTHING.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

/// Written values must equal those read, field by field: this fails on a misspelt name, which would be ignored as an
/// unknown property.
#[test]
fn nothing_is_lost() {
    let read: Value = serde_json::from_str(EVERYTHING).expect("the file is JSON");
    let written = serde_json::to_value(spec()).expect("a spec is JSON");
    assert_eq!(written, read);
}

#[test]
fn reading_what_was_written_gives_the_same() {
    let text = serde_json::to_vec_pretty(&spec()).expect("a spec is JSON");
    assert_eq!(parse(&text), Ok(spec()));
}

#[test]
fn fields_hold_what_the_file_says() {
    let spec = spec();
    let process = spec.process.expect("present");
    assert_eq!((process.user.uid, process.user.umask), (1000, Some(18)));
    let sets = process.capabilities.expect("present");
    assert!(sets.bounding.contains(Capability::NetBindService));
    assert_eq!(process.rlimits[1].hard, u64::MAX);
    let linux = spec.linux.expect("present");
    assert_eq!(linux.namespaces.len(), 8);
    assert_eq!(linux.time_offsets[&Clock::Boottime].secs, -7);
    assert_eq!(linux.rootfs_propagation, Some(Propagation::Rslave));
    assert_eq!(spec.annotations[insula_oci::annotation::ROOT], insula_oci::annotation::ROOT_HOST);
}

/// What is at its default is not written, so that a printed configuration stays short.
#[test]
fn a_small_configuration_stays_small() {
    let small = r#"{"ociVersion":"1.3.0","root":{"path":"rootfs"},"process":{"user":{"uid":0,"gid":0},"args":["sh"],"cwd":"/"},"linux":{"namespaces":[{"type":"pid"}]}}"#;
    let spec = parse(small.as_bytes()).expect("valid");
    assert_eq!(serde_json::to_string(&spec).expect("a spec is JSON"), small);
}
