//! What only looks: `check`, and `--explain` of what would be done. Neither makes anything.

use crate::room::Room;
use insula_proof::need;
use serde_json::{Value, json};

#[test]
fn check_tells_every_fault_of_values_and_of_what_they_mean() {
    need!(program "busybox");
    let room = Room::new(|spec| {
        spec["process"]["args"] = json!(["sh", 7]);
        spec["process"]["cwd"] = json!("relative");
        spec["process"]["user"] = json!({ "uid": -1 });
        spec["mounts"][0]["destination"] = json!("../proc");
        spec["linux"]["cgroupsPath"] = json!("/a/../b");
        spec["linux"]["rootfsPropagation"] = json!("loud");
        spec["linux"]["sysctl"] = json!({ "kernel.panic": "1" });
    });
    let ended = room.run(&["check", "--json"]);
    assert_eq!((ended.code, ended.err.as_str()), (Some(1), ""));
    let told: Value = serde_json::from_str(&ended.out).expect("JSON");
    let mut fields: Vec<&str> =
        told["faults"].as_array().expect("a list").iter().filter_map(|one| one["field"].as_str()).collect();
    fields.sort_unstable();
    let expected = [
        "linux.cgroupsPath",
        "linux.rootfsPropagation",
        "linux.sysctl[kernel.panic]",
        "mounts[0].destination",
        "process.args[1]",
        "process.cwd",
        "process.user.uid",
    ];
    assert_eq!(fields, expected);
    let text = room.run(&["check"]);
    assert_eq!(text.code, Some(1));
    for field in expected {
        assert!(
            text.out.lines().any(|line| line.starts_with(&format!("{field}: "))),
            "{field}: {}",
            text.out
        );
    }
    assert!(!room.state().exists());
    // Whoever makes it hears the same.
    let create = room.on("create");
    for field in expected.iter().filter(|field| **field != "linux.cgroupsPath") {
        create.refused(&format!("error: {field}: "));
    }
    room.nothing_is_left();
}

#[test]
fn check_finds_nothing_wrong_with_what_spec_writes() {
    need!(program "busybox");
    let room = Room::with(&["--rootless"], |_| {});
    let bundle = room.bundle();
    let bundle = bundle.to_str().expect("UTF-8");
    assert_eq!(room.run(&["check", bundle]).well(), "no faults\n");
    let empty: Value =
        serde_json::from_str(&room.run(&["check", "--json", "-b", bundle]).well()).expect("JSON");
    assert_eq!(empty, json!({ "faults": [] }));
    room.run(&["check", bundle, "another"]).refused("requires one bundle at most, got 2");
    let missing = room.run(&["check", "/nowhere"]);
    missing.refused("read `/nowhere/config.json`: No such file or directory");
    assert_eq!(missing.code, Some(2));
    std::fs::write(room.bundle().join("other.json"), "{").expect("write");
    let broken = room.run(&["check", "--config", "other.json"]);
    broken.refused("EOF while parsing");
    assert_eq!(broken.code, Some(2));
}

#[test]
fn explain_prints_the_plan_and_makes_nothing() {
    need!(root, program "busybox");
    let room = Room::of(&["sleep", "1000"]);
    for verb in ["create", "run"] {
        let plan: Value =
            serde_json::from_str(&room.run(&[verb, "--explain=json", &room.id]).well()).expect("JSON");
        let steps: Vec<&str> = plan["steps"]
            .as_array()
            .expect("steps")
            .iter()
            .filter_map(|step| step["step"].as_str())
            .collect();
        assert!(steps.contains(&"move-to-cgroup") && steps.contains(&"pivot-root"), "{steps:?}");
        assert_eq!(steps.contains(&"await-start"), verb == "create");
        let text = room.run(&[verb, &room.id, "--explain"]).well();
        assert!(text.starts_with("insula would do this, and has done none of it:\n"), "{text}");
    }
    assert!(!room.state().exists(), "not even the state root is made");
    assert_eq!(room.groups(), Vec::<std::path::PathBuf>::new());
    room.run(&["create", "--explain=poem", &room.id]).refused("`poem` is none of text and json");
}

#[test]
fn explain_of_exec_names_what_is_entered_and_starts_nothing() {
    need!(root, program "busybox");
    let room = Room::of(&["sleep", "1000"]);
    room.run(&["run", "-d", &room.id]).well();
    let plan: Value = serde_json::from_str(
        &room.run(&["exec", "--explain=json", &room.id, "sh", "-c", "echo > /entered"]).well(),
    )
    .expect("JSON");
    let joins: Vec<&str> = plan["birth"]["joins"]
        .as_array()
        .expect("joins")
        .iter()
        .filter_map(|join| join["kind"].as_str())
        .collect();
    assert!(joins.contains(&"mnt") && joins.contains(&"pid"), "{joins:?}");
    assert!(!room.bundle().join("rootfs/entered").exists());
}
