//! Hooks: which run where and when, what they are told, and what their failure does.

use crate::room::Room;
use insula_proof::need;
use serde_json::{Value, json};
use std::fs;

/// A hook that appends its point, and the status that it is told, to a file of the caller's.
fn noting(room_file: &str, point: &str) -> Value {
    let script = format!("read state; echo {point} $state >> {room_file}");
    json!([{ "path": "/bin/sh", "args": ["sh", "-c", script] }])
}

fn statuses(log: &str) -> Vec<String> {
    log.lines()
        .map(|line| {
            let (point, state) = line.split_once(' ').expect("a point and a state");
            let state: Value = serde_json::from_str(state).expect("the state is JSON");
            assert!(state["pid"].is_i64() || point == "poststop", "{line}");
            format!("{point} {}", state["status"].as_str().expect("a status"))
        })
        .collect()
}

#[test]
fn each_runs_at_its_point_and_is_told_the_state() {
    need!(root, program "busybox");
    let room = Room::of(&["cat", "/tmp/inside"]);
    let log = room.scratch.join("log");
    let shown = log.to_str().expect("UTF-8").to_owned();
    room.change(|spec| {
        for point in ["prestart", "createRuntime", "createContainer", "poststart", "poststop"] {
            spec["hooks"][point] = noting(&shown, point);
        }
        spec["hooks"]["startContainer"] = noting("/tmp/inside", "startContainer");
    });
    let inside = room.on("run").well();
    assert_eq!(statuses(&inside), ["startContainer created"]);
    let log = fs::read_to_string(&log).expect("the hooks have run");
    let expected = [
        "prestart creating",
        "createRuntime creating",
        "createContainer creating",
        "poststart running",
        "poststop stopped",
    ];
    assert_eq!(statuses(&log), expected);
    room.nothing_is_left();
}

#[test]
fn the_environment_of_a_hook_is_its_own() {
    need!(root, program "busybox");
    let room = Room::of(&["true"]);
    let log = room.scratch.join("env");
    let script = format!("/usr/bin/env > {}", log.display());
    room.change(|spec| {
        spec["hooks"]["createRuntime"] =
            json!([{ "path": "/bin/sh", "args": ["sh", "-c", script], "env": ["ONLY=this"] }]);
    });
    room.on("run").well();
    let text = fs::read_to_string(&log).expect("the hook has run");
    assert!(text.contains("ONLY=this") && !text.contains("CARGO"), "{text}");
}

#[test]
fn one_that_fails_stops_the_container_and_says_why() {
    need!(root, program "busybox");
    let room = Room::of(&["sleep", "1000"]);
    let failing = |script: &str| json!([{ "path": "/bin/sh", "args": ["sh", "-c", script] }]);
    for point in ["prestart", "createRuntime", "createContainer"] {
        room.change(|spec| {
            spec["hooks"] = json!({});
            spec["hooks"][point] = failing("echo no thanks; exit 3");
        });
        let ended = room.on("create");
        ended.refused(&format!("run hook {point} #0"));
        ended.refused("exit status 3: no thanks");
        room.nothing_is_left();
    }
    room.change(|spec| {
        spec["hooks"] = json!({});
        spec["hooks"]["startContainer"] = failing("echo late; exit 4");
    });
    room.on("create").well();
    room.on("start").refused("exit status 4: late");
    room.until_status("stopped");
    room.on("delete").well();
    room.nothing_is_left();
}

#[test]
fn one_that_takes_too_long_is_killed() {
    need!(root, program "busybox");
    let room = Room::of(&["true"]);
    room.change(|spec| {
        spec["hooks"]["createRuntime"] =
            json!([{ "path": "/bin/sleep", "args": ["sleep", "1000"], "timeout": 1 }]);
    });
    room.on("run").refused("killed after its timeout");
    room.nothing_is_left();
}
