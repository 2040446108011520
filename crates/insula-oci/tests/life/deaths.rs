//! Sudden deaths: whatever was killed when, `delete --force` ends well and nothing is left; the id is usable at once.

use crate::room::Room;
use insula_proof::need;
use serde_json::json;
use std::fs;
use std::time::Duration;

#[test]
fn a_create_that_is_killed_leaves_nothing_that_delete_does_not_take() {
    need!(root, program "busybox");
    let room = Room::of(&["sleep", "1000"]);
    let mut made = 0;
    for round in 0..40u64 {
        let mut create = room.command(&["create", &room.id]).spawn().expect("start create");
        std::thread::sleep(Duration::from_micros(round * 400));
        create.kill().expect("kill create");
        create.wait().expect("wait for create");
        made += u32::from(room.on("state").code == Some(0));
        room.run(&["delete", "--force", &room.id]).well();
        room.until("nothing is left", |room| !room.directory().exists() && room.groups().is_empty());
    }
    // Else the moments were all before or all after.
    assert!(made > 0, "no round came far enough to make anything");
    room.on("create").well();
    room.on("start").well();
}

#[test]
fn a_waiting_process_that_is_killed_is_a_stopped_container() {
    need!(root, program "busybox");
    let room = Room::of(&["sleep", "1000"]);
    room.on("create").well();
    let pid = room.pid().to_string();
    assert!(std::process::Command::new("kill").args(["-9", &pid]).status().expect("run kill").success());
    room.until_status("stopped");
    room.on("start").refused("cannot start a container that has stopped");
    room.on("delete").well();
    room.nothing_is_left();
}

#[test]
fn a_record_of_another_boot_is_of_a_stopped_container() {
    need!(root, program "busybox");
    let room = Room::of(&["sleep", "1000"]);
    room.on("create").well();
    let record = room.directory().join("record");
    let whole: serde_json::Value = serde_json::from_slice(&fs::read(&record).expect("read")).expect("JSON");
    let mut before = whole.clone();
    before["boot"] = json!("00000000-0000-0000-0000-000000000000");
    fs::write(&record, before.to_string()).expect("write");
    assert_eq!(room.status(), "stopped");
    // The process of that pid is a stranger's now.
    room.run(&["kill", &room.id, "KILL"]).refused("container not running");
    fs::write(&record, whole.to_string()).expect("write");
    assert_eq!(room.status(), "created");
}

#[test]
fn a_pid_that_was_used_again_is_no_container() {
    need!(root, program "busybox");
    let room = Room::of(&["sleep", "1000"]);
    room.on("create").well();
    let record = room.directory().join("record");
    let whole: serde_json::Value = serde_json::from_slice(&fs::read(&record).expect("read")).expect("JSON");
    let mut other = whole.clone();
    other["process"]["start"] = json!(1);
    fs::write(&record, other.to_string()).expect("write");
    assert_eq!(room.status(), "stopped");
    room.run(&["kill", &room.id, "KILL"]).refused("container not running");
    fs::write(&record, whole.to_string()).expect("write");
    assert_eq!(room.status(), "created");
}

#[test]
fn a_record_that_makes_no_sense_is_told_and_can_be_forced_away() {
    need!(root, program "busybox");
    let room = Room::of(&["sleep", "1000"]);
    room.on("create").well();
    let pid = room.pid().to_string();
    let record = room.directory().join("record");
    for bad in [&b""[..], b"{", b"{\"id\": 7}", b"\0\0\0\0"] {
        fs::write(&record, bad).expect("write");
        room.on("state").refused("record");
        room.on("delete").refused("record");
    }
    // Nothing but the kept configuration says by now where its process is.
    room.run(&["delete", "--force", &room.id]).well();
    room.until("its process is gone", |_| !std::path::Path::new(&format!("/proc/{pid}")).exists());
    room.nothing_is_left();
}
