//! Which hierarchies are found, where this process is in them, and what is seen from within namespaces.

use std::process::Command;

use insula_proof::{need, or_skip};
use serde_json::Value;

use crate::caller::ended;
use crate::room::{Look, Room};

fn machine(look: Look) -> Value {
    let said = ended(&mut look.command(&crate::binary(), &["cgroup", "show", "--json"])).said();
    serde_json::from_str(&said).expect("JSON")
}

#[test]
fn a_hybrid_machine_has_version_2_first_and_each_controller_once() {
    or_skip!(Look::V1.need());
    let machine = machine(Look::Here);
    assert_eq!(machine["kind"], "hybrid");
    let all = machine["hierarchies"].as_array().expect("a list");
    assert_eq!((&all[0]["hierarchy"], &all[0]["version"]), (&"unified".into(), &2.into()));
    let mut controllers: Vec<&str> = all
        .iter()
        .flat_map(|one| one["controllers"].as_array().expect("a list"))
        .filter_map(Value::as_str)
        .collect();
    let count = controllers.len();
    controllers.sort_unstable();
    controllers.dedup();
    assert_eq!(controllers.len(), count, "a controller is in one hierarchy at a time");
}

#[test]
fn a_hierarchy_that_another_mount_hides_is_not_there() {
    or_skip!(Look::V2.need());
    let v2 = machine(Look::V2);
    assert_eq!(v2["kind"], "v2");
    assert_eq!(v2["hierarchies"].as_array().map(Vec::len), Some(1));
    assert_eq!(v2["hierarchies"][0]["mounted_at"], "/sys/fs/cgroup");
    assert_eq!(machine(Look::V1)["kind"], "v1");
}

#[test]
fn without_any_hierarchy_the_cure_is_said() {
    need!(root, program "unshare");
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-c"]);
    command.arg("umount -R /sys/fs/cgroup && exec \"$0\" cgroup show").arg(crate::binary());
    let end = ended(&mut command);
    assert_eq!(end.code(), 125);
    assert!(end.err.contains("none is mounted here\ninsula: hint: mount one"), "{}", end.err);
}

/// In a cgroup namespace the group is the root, and a mount from before it begins above that.
#[test]
fn in_a_cgroup_namespace_its_root_is_where_names_begin() {
    need!(root, cgroup_v2, namespace "cgroup", program "unshare");
    let room = Room::new(Look::Here);
    room.make(&[]);
    let point = insula_proof::need::cgroup2_mount().expect("a mount");
    let insula = crate::binary();
    let inside = |script: &str| {
        let script = format!("unshare --cgroup --mount --propagation private sh -c '{script}'");
        let mut command = room.sh(&script);
        command.env("INSULA", &insula).env("POINT", &point);
        ended(&mut command).said()
    };
    let unified = |said: &str| -> Value {
        let machine: Value = serde_json::from_str(said).expect("JSON");
        machine["hierarchies"][0].clone()
    };
    let before = unified(&inside("$INSULA cgroup show --json"));
    assert_eq!(before["own"], Value::Null, "the mount begins above the namespace's root: {before:#}");
    let after =
        unified(&inside("umount -l $POINT && mount -t cgroup2 none $POINT && $INSULA cgroup show --json"));
    assert_eq!((&after["own"], &after["base"]), (&"/".into(), &"/insula".into()), "{after:#}");
    // Version 1 has no namespace of its own here: a name there would be the host's.
    let made = inside(
        "umount -l /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && $INSULA cgroup new inner --cgroup-conf \
         cgroup.max.depth=3 && $INSULA cgroup ls -q && $INSULA cgroup rm inner && echo removed",
    );
    assert_eq!(made, "inner\nremoved");
    room.says(&["rm", "-r", &room.name]);
}

#[test]
fn what_is_mounted_read_only_is_named() {
    need!(root, cgroup_v2, program "unshare");
    let point = insula_proof::need::cgroup2_mount().expect("a mount");
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-c"]);
    command.arg(
        "grep ' - cgroup' /proc/self/mountinfo | cut -d' ' -f5 | while read m; do mount -o remount,bind,ro $m; done; \
         $0 cgroup new /insula-test-read-only; $0 cgroup new insula-test-read-only; $0 cgroup show",
    );
    command.arg(crate::binary());
    let end = ended(&mut command);
    let causes = end.err.lines().filter(|line| line.contains("cause: the hierarchy of `")).count();
    assert_eq!((causes, end.err.matches("Read-only file system").count()), (2, 2), "{}", end.err);
    assert_eq!(end.err.matches("hint: mount it read-write").count(), 2, "{}", end.err);
    let rows = end.out.lines().skip_while(|line| !line.starts_with("HIERARCHY")).skip(1);
    let rows: Vec<&str> = rows.filter(|line| !line.is_empty()).collect();
    assert!(!rows.is_empty() && rows.iter().all(|row| row.ends_with("(read-only)")), "{}", end.out);
    assert!(!point.join("insula-test-read-only").exists());
}

#[test]
fn relative_names_live_below_insula_s_own_directory() {
    need!(root, cgroup_v2);
    let name = format!("insula-test-{}", insula_proof::scratch::unique());
    let call = |words: &[&str]| {
        ended(&mut Look::Here.command(&crate::binary(), &[&["cgroup"], words].concat())).said()
    };
    call(&["new", &name]);
    assert!(call(&["ls", "-q"]).lines().any(|line| line == name));
    let listed: Value = serde_json::from_str(&call(&["ls", "--json"])).expect("JSON");
    let line =
        listed.as_array().and_then(|all| all.iter().find(|line| line["name"] == *name)).expect("its line");
    assert_eq!((&line["processes"], &line["frozen"]), (&0.into(), &false.into()));
    assert!(call(&["ls"]).starts_with("NAME "));
    assert!(call(&["show"]).contains(&format!("\n  {name}")));
    let shown: Value = serde_json::from_str(&call(&["show", &name, "--json"])).expect("JSON");
    for place in shown["places"].as_array().expect("a list") {
        assert_eq!(place["path"], format!("/insula/{name}"));
    }
    call(&["rm", &name]);
    assert!(!call(&["ls", "-q"]).lines().any(|line| line == name));
}
