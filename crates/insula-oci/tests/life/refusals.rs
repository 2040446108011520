//! Bad input: what is wrong is named, all of it at once, and nothing is left.

use crate::room::Room;
use insula_proof::need;
use serde_json::json;
use std::fs;
use std::process::Command;

#[test]
fn every_fault_of_a_configuration_is_told_at_once() {
    need!(root, program "busybox");
    let room = Room::new(|spec| {
        spec["process"]["args"] = json!([]);
        spec["process"]["cwd"] = json!("relative");
        spec["process"]["scheduler"] = json!({ "policy": "SCHED_FIFO", "priority": 100 });
        spec["mounts"][0]["destination"] = json!("../proc");
        spec["hooks"] = json!({ "prestart": [{ "path": "relative", "timeout": -1 }] });
    });
    let ended = room.on("create");
    for field in [
        "process.args",
        "process.cwd",
        "process.scheduler.priority",
        "mounts[0].destination",
        "hooks.prestart[0].path",
        "hooks.prestart[0].timeout",
    ] {
        ended.refused(&format!("error: {field}: "));
    }
    assert_eq!(ended.code, Some(1));
    room.nothing_is_left();
}

#[test]
fn a_config_that_is_no_regular_file_is_refused_at_once() {
    need!(root, program "busybox");
    let room = Room::of(&["true"]);
    let config = room.bundle().join("config.json");
    fs::remove_file(&config).expect("remove the config");
    room.on("run").refused("No such file or directory");
    assert!(Command::new("mkfifo").arg(&config).status().expect("run mkfifo").success());
    room.on("run").refused("it is no regular file");
    fs::remove_file(&config).expect("remove the FIFO");
    fs::write(&config, "{ \"ociVersion\": 7 }").expect("write");
    room.on("run").refused("ociVersion");
    room.nothing_is_left();
}

#[test]
fn a_checkpoint_is_refused_in_a_word_and_the_container_goes_on() {
    need!(root, program "busybox");
    let room = Room::of(&["sleep", "1000"]);
    room.run(&["checkpoint", &room.id]).refused("does not exist");
    room.on("create").well();
    room.run(&["start", &room.id]).well();
    let images = room.bundle().join("images");
    let told =
        room.run(&["checkpoint", "--leave-running", "--image-path", &images.to_string_lossy(), &room.id]);
    told.refused("checkpoint: this version does not drive criu");
    assert!(!images.exists());
    assert_eq!(room.status(), "running");
    room.run(&["delete", "--force", &room.id]).well();
    room.run(&["restore", "--tcp-established", "--bundle", &room.bundle().to_string_lossy(), &room.id])
        .refused("restore: this version does not drive criu");
    room.run(&["restore", "--no-such-flag", &room.id]).refused("flag provided but not defined");
    room.nothing_is_left();
}

#[test]
fn ids_are_words() {
    need!(root, program "busybox");
    let room = Room::of(&["true"]);
    let long = "x".repeat(129);
    for id in ["a/b", "..", "a b", "", "é", ".a", "+a", &long] {
        room.run(&["create", id]).refused("invalid container id");
        room.run(&["delete", "--force", id]).refused("invalid container id");
    }
    assert!(!room.state().exists() || fs::read_dir(room.state()).expect("list").next().is_none());
}

#[test]
fn an_id_that_is_taken_is_refused_and_its_container_untouched() {
    need!(root, program "busybox");
    let room = Room::of(&["sleep", "1000"]);
    room.run(&["run", "-d", &room.id]).well();
    let pid = room.pid();
    room.on("create").refused("container with given ID already exists");
    assert_eq!((room.status().as_str(), room.pid()), ("running", pid));
}

#[test]
fn a_group_that_has_processes_is_nobody_elses() {
    need!(root, program "busybox");
    let first = Room::of(&["sleep", "1000"]);
    first.run(&["run", "-d", &first.id]).well();
    let second = Room::new(|spec| {
        spec["process"]["args"] = json!(["true"]);
        spec["linux"]["cgroupsPath"] = json!(format!("/{}", first.id));
    });
    second.on("create").refused("container's cgroup is not empty");
    assert!(!second.directory().exists());
    assert_eq!(first.status(), "running");
}

#[test]
fn a_program_that_is_not_there_fails_the_creation() {
    need!(root, program "busybox");
    let room = Room::of(&["nothing"]);
    let ended = room.on("create");
    ended.refused("exec: \"nothing\": executable file not found in $PATH");
    assert_eq!(ended.code, Some(1));
    room.nothing_is_left();
}

#[test]
fn the_log_is_what_shims_parse() {
    need!(root, program "busybox");
    let room = Room::of(&["true"]);
    let log = room.scratch.join("log.json");
    let mut command = Command::new(crate::room::PROGRAM);
    command.args(["--log-format", "json", "--log"]).arg(&log).arg("--root").arg(room.state());
    command.args(["state", "nobody"]);
    room.finish(command).refused("does not exist");
    let line = fs::read_to_string(&log).expect("there is a log");
    let line: serde_json::Value = serde_json::from_str(line.trim()).expect("a line is JSON");
    assert_eq!(line["level"], "error");
    assert!(line["msg"].as_str().expect("a message").contains("container does not exist"));
    assert!(line["time"].as_str().expect("a time").ends_with('Z'));
}

#[test]
fn a_state_root_that_others_may_write_to_is_not_believed() {
    need!(root, program "busybox");
    use std::os::unix::fs::PermissionsExt;
    let room = Room::of(&["true"]);
    fs::create_dir(room.state()).expect("make the state root");
    fs::set_permissions(room.state(), fs::Permissions::from_mode(0o777)).expect("open it");
    room.on("create").refused("others may write to it");
    fs::set_permissions(room.state(), fs::Permissions::from_mode(0o700)).expect("close it");
}

#[test]
fn rules_that_would_not_hold_are_refused() {
    need!(root, program "busybox");
    let room = Room::new(|spec| spec["annotations"] = json!({ "org.insula.landlock": "ro:/" }));
    room.run(&["create", &room.id]).refused("annotations[org.insula.landlock]: ");
    room.nothing_is_left();
}
