//! The verbs, each by what it does.

use crate::room::Room;
use insula_proof::{need, or_skip};
use serde_json::{Value, json};
use std::fs;

macro_rules! need_root {
    () => {
        need!(root, program "busybox");
    };
}

#[test]
fn a_container_is_made_started_killed_and_deleted() {
    need_root!();
    let room = Room::of(&["sleep", "1000"]);
    let pid_file = room.scratch.join("pid");
    let created = room.run(&["create", "--pid-file", pid_file.to_str().expect("UTF-8"), &room.id]);
    created.well();
    assert_eq!(room.status(), "created");
    assert_eq!(fs::read_to_string(&pid_file).expect("a pid file"), room.pid().to_string());
    room.on("start").well();
    assert_eq!(room.status(), "running");
    room.on("start").refused("cannot start an already running container");
    room.on("delete").refused("cannot delete container that is not stopped");
    assert_eq!(room.status(), "running");
    room.run(&["kill", &room.id, "KILL"]).well();
    room.until_status("stopped");
    room.on("kill").refused("container not running");
    room.on("start").refused("cannot start a container that has stopped");
    room.on("delete").well();
    room.on("state").refused("does not exist");
    room.nothing_is_left();
}

#[test]
fn what_state_says_is_what_the_specification_wants() {
    need_root!();
    let room = Room::new(|spec| {
        spec["process"]["args"] = json!(["sleep", "1000"]);
        spec["annotations"] = json!({ "org.example.key": "value" });
    });
    room.on("create").well();
    let state = room.look();
    assert_eq!(state["ociVersion"], "1.3.0");
    assert_eq!(state["id"], room.id.as_str());
    assert_eq!(state["bundle"], room.bundle().to_str().expect("UTF-8"));
    assert_eq!(state["annotations"]["org.example.key"], "value");
    assert_eq!(state["rootfs"], room.bundle().join("rootfs").to_str().expect("UTF-8"));
    let list: Value = serde_json::from_str(&room.run(&["list", "--format", "json"]).well()).expect("JSON");
    assert_eq!(list, json!([state]));
    assert_eq!(room.run(&["list", "-q"]).well(), format!("{}\n", room.id));
    assert!(room.run(&["list"]).well().starts_with("ID "));
}

#[test]
fn run_is_create_and_start_and_delete() {
    need_root!();
    let room = Room::of(&["sh", "-c", "echo out; echo err >&2; exit 7"]);
    let ended = room.on("run");
    assert_eq!((ended.code, ended.out.as_str(), ended.err.as_str()), (Some(7), "out\n", "err\n"));
    room.nothing_is_left();
    let room = Room::of(&["sh", "-c", "kill -9 $$; sleep 1000"]);
    // Process 1 cannot kill itself, so another does.
    let mut run = room.command(&["run", &room.id]).spawn().expect("start run");
    room.until("it runs", |room| room.on("state").code == Some(0) && room.status() == "running");
    room.run(&["kill", &room.id, "9"]).well();
    assert_eq!(run.wait().expect("wait for run").code(), Some(137));
    room.nothing_is_left();
}

#[test]
fn a_detached_run_and_a_kept_one_are_there_afterwards() {
    need_root!();
    let room = Room::of(&["sleep", "1000"]);
    room.run(&["run", "--detach", &room.id]).well();
    assert_eq!(room.status(), "running");
    room.run(&["delete", "--force", &room.id]).well();
    room.nothing_is_left();
    let room = Room::of(&["true"]);
    room.run(&["run", "--keep", &room.id]).well();
    assert_eq!(room.status(), "stopped");
    room.on("delete").well();
    room.nothing_is_left();
}

#[test]
fn paused_processes_stand_still_until_they_are_resumed() {
    need_root!();
    let room = Room::of(&["sleep", "1000"]);
    room.on("create").well();
    room.on("start").well();
    room.on("resume").refused("container not paused");
    room.on("pause").well();
    assert_eq!(room.status(), "paused");
    room.run(&["exec", &room.id, "true"]).refused("cannot exec in a paused container");
    room.on("resume").well();
    assert_eq!(room.status(), "running");
    room.on("pause").well();
    // What is frozen dies all the same.
    room.run(&["kill", &room.id, "KILL"]).well();
    room.until_status("stopped");
    room.on("delete").well();
    room.nothing_is_left();
}

#[test]
fn ps_lists_the_processes_of_the_container_alone() {
    need_root!();
    let room = Room::of(&["sh", "-c", "sleep 1000 & sleep 1001; true"]);
    room.run(&["run", "-d", &room.id]).well();
    room.until("three processes", |room| {
        let pids: Vec<i64> =
            serde_json::from_str(&room.run(&["ps", "--format", "json", &room.id]).well()).expect("JSON");
        pids.len() == 3 && pids.contains(&room.pid())
    });
    let table = room.on("ps").well();
    assert_eq!(table.lines().filter(|line| line.contains("sleep 100")).count(), 3, "{table}");
}

#[test]
fn limits_hold_and_are_changed() {
    or_skip!(need::root());
    or_skip!(need::cgroup_v1("pids"));
    need!(program "busybox");
    let room = Room::new(|spec| {
        spec["process"]["args"] = json!(["sleep", "1000"]);
        spec["linux"]["resources"]["pids"] = json!({ "limit": 5 });
        spec["linux"]["resources"]["memory"] = json!({ "limit": 64 << 20 });
    });
    room.run(&["run", "-d", &room.id]).well();
    let read = |controller: &str, file: &str| {
        let path = format!("/sys/fs/cgroup/{controller}/{}/{file}", room.id);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}")).trim().to_owned()
    };
    assert_eq!(read("pids", "pids.max"), "5");
    assert_eq!(read("memory", "memory.limit_in_bytes"), (64u64 << 20).to_string());
    let forked = room.run(&["exec", &room.id, "sh", "-c", "for i in 1 2 3 4 5 6; do sleep 9 & done; wait"]);
    forked.refused("Resource temporarily unavailable");
    room.run(&["update", "--pids-limit", "50", "--memory", "32m", &room.id]).well();
    assert_eq!(read("pids", "pids.max"), "50");
    assert_eq!(read("memory", "memory.limit_in_bytes"), (32u64 << 20).to_string());
    let stats: Value =
        serde_json::from_str(&room.run(&["events", "--stats", &room.id]).well()).expect("JSON");
    assert_eq!((&stats["type"], &stats["data"]["pids"]["limit"]), (&json!("stats"), &json!(50)));
}

#[test]
fn the_container_sees_its_own_groups_and_cannot_change_them() {
    need_root!();
    let room = Room::of(&[
        "sh",
        "-c",
        "ls /sys/fs/cgroup; echo 1 > /sys/fs/cgroup/x; cut -d: -f3 /proc/self/cgroup || cat /proc/self/cgroup",
    ]);
    let ended = room.on("run");
    assert!(ended.err.contains("Read-only file system"), "{ended:?}");
    let room = Room::of(&["grep", "-v", ":/$", "/proc/self/cgroup"]);
    let ended = room.on("run");
    assert_eq!(
        (ended.code, ended.out.as_str()),
        (Some(1), ""),
        "every hierarchy's root is the group: {ended:?}"
    );
}

#[test]
fn what_is_nobodys_home_is_found_in_the_containers_passwd() {
    need_root!();
    for (uid, home) in [(0, "/root"), (7, "/home/ada"), (8, "/")] {
        let room = Room::new(|spec| {
            spec["process"]["args"] = json!(["sh", "-c", "echo $HOME"]);
            spec["process"]["user"] = json!({ "uid": uid, "gid": uid });
        });
        assert_eq!(room.on("run").well(), format!("{home}\n"));
    }
}

#[test]
fn the_working_directory_is_made() {
    need_root!();
    let room = Room::new(|spec| {
        spec["process"]["args"] = json!(["sh", "-c", "pwd"]);
        spec["process"]["cwd"] = json!("/srv/app");
    });
    assert_eq!(room.on("run").well(), "/srv/app\n");
}

#[test]
fn delete_with_force_of_what_is_not_there_is_no_error() {
    need_root!();
    let room = Room::of(&["true"]);
    room.run(&["delete", "--force", &room.id]).well();
    room.on("delete").refused("container does not exist");
    room.on("create").well();
    // A container that was never started is no loss.
    room.on("delete").well();
    room.nothing_is_left();
}
