//! The same as an ordinary user: no group, one id, and a life as any other.

use crate::room::{Ended, PROGRAM, Room};
use insula_proof::{Ordinary, need};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// What a user calls.
pub struct Theirs {
    user: Ordinary,
    pub room: Room,
    program: PathBuf,
}

impl Theirs {
    pub fn new(change: impl FnOnce(&mut Value)) -> Theirs {
        let user = Ordinary::new();
        let uid = user.uid();
        let room = Room::with(&["--rootless"], |spec| {
            let one = json!([{ "containerID": 0, "hostID": uid, "size": 1 }]);
            spec["linux"]["uidMappings"] = one.clone();
            spec["linux"]["gidMappings"] = one;
            change(spec);
        });
        room.make_program_executable();
        // What cargo has built may lie where the user may not go.
        let program = room.scratch.join("insula-oci");
        // By cp(1): a test beside us that forks would hold a file of ours open for writing (ETXTBSY).
        let copied = std::process::Command::new("cp").arg(PROGRAM).arg(&program).status();
        assert!(copied.expect("run cp").success());
        own_all(&user, &room.scratch);
        Theirs { user, room, program }
    }

    /// Changes the configuration, which stays the user's.
    pub fn change(&self, change: impl FnOnce(&mut Value)) {
        self.room.change(change);
        own_all(&self.user, &self.room.bundle());
    }

    pub fn run(&self, words: &[&str]) -> Ended {
        let mut command = self.user.command(&self.program);
        command.arg("--root").arg(self.room.state()).args(words);
        command.current_dir(self.room.bundle()).stdin(std::process::Stdio::null());
        self.room.finish(command)
    }
}

fn own_all(user: &Ordinary, path: &Path) {
    user.own(path);
    if path.is_dir() && !path.is_symlink() {
        for entry in fs::read_dir(path).expect("list") {
            let path = entry.expect("an entry").path();
            if !path.is_symlink() {
                own_all(user, &path);
            }
        }
    }
}

#[test]
fn a_user_leads_a_container_through_its_life() {
    need!(user_namespaces, program "busybox");
    let theirs = Theirs::new(|spec| spec["process"]["args"] = json!(["sleep", "1000"]));
    let id = theirs.room.id.clone();
    theirs.run(&["create", &id]).well();
    let state: Value = serde_json::from_str(&theirs.run(&["state", &id]).well()).expect("JSON");
    assert_eq!(state["status"], "created");
    theirs.run(&["start", &id]).well();
    let out = theirs.run(&["exec", &id, "sh", "-c", "id -u; cat /proc/self/uid_map; ls -d /proc/1"]).well();
    let uid = theirs.user.uid().to_string();
    let words: Vec<&str> = out.split_whitespace().collect();
    assert_eq!(words, ["0", "0", uid.as_str(), "1", "/proc/1"]);
    // On a machine where users have groups of their own it is paused.
    let paused = theirs.run(&["pause", &id]);
    if paused.code == Some(0) {
        theirs.run(&["resume", &id]).well();
    } else {
        assert_eq!(paused.code, Some(1));
        let said = format!("container's cgroup is not there: none was made for `{id}`");
        assert!(paused.err.contains(&said) && paused.err.contains("hint: "), "{}", paused.err);
    }
    theirs.run(&["kill", &id, "KILL"]).well();
    theirs.room.until("it has stopped", |_| {
        serde_json::from_str::<Value>(&theirs.run(&["state", &id]).well()).expect("JSON")["status"]
            == "stopped"
    });
    theirs.run(&["delete", &id]).well();
    assert!(!theirs.room.directory().exists());
}

#[test]
fn a_users_limits_are_refused_where_there_is_no_group_to_set_them() {
    need!(root, user_namespaces, program "busybox");
    let theirs = Theirs::new(|spec| {
        spec["process"]["args"] = json!(["true"]);
        spec["linux"]["resources"] = json!({ "pids": { "limit": 5 } });
    });
    let ended = theirs.run(&["run", &theirs.room.id]);
    ended.refused("belongs to uid 0");
    assert!(!theirs.room.directory().exists());
}
