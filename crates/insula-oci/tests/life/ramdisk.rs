//! `--no-pivot`: the root is entered by chroot, and what the old one shows of the kernel is hidden.

use crate::room::Room;
use insula_proof::need;
use serde_json::json;

const LOOK: &str = "busybox ls /; cat /proc/1/comm; busybox ls /proc/1/root/etc";

#[test]
fn the_root_is_entered_without_pivot_root() {
    need!(root, program "busybox");
    for in_user_namespace in [false, true] {
        let room = Room::new(|spec| {
            spec["process"]["args"] = json!(["sh", "-c", LOOK]);
            if in_user_namespace {
                spec["linux"]["namespaces"]
                    .as_array_mut()
                    .expect("namespaces")
                    .push(json!({ "type": "user" }));
                let map = json!([{ "containerID": 0, "hostID": 100_000, "size": 1000 }]);
                spec["linux"]["uidMappings"] = map.clone();
                spec["linux"]["gidMappings"] = map;
            }
        });
        let ended = room.run(&["run", "--no-pivot", &room.id]);
        assert!(ended.err.contains("insula-oci: warning: --no-pivot: the old root stays below"), "{ended:?}");
        let out = ended.well();
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!(lines, ["bin", "dev", "etc", "proc", "sys", "tmp", "sh", "passwd"], "{out}");
        let plain = room.run(&["run", &room.id]).well();
        assert_eq!(plain, out);
    }
}

#[test]
fn its_mounts_must_not_be_private() {
    need!(root, program "busybox");
    let room = Room::new(|spec| spec["linux"]["rootfsPropagation"] = json!("rprivate"));
    room.run(&["create", "--no-pivot", &room.id]).refused("linux.rootfsPropagation: private is not safe");
    room.nothing_is_left();
}

#[test]
fn the_plan_says_what_is_hidden() {
    need!(program "busybox");
    let room = Room::with(&["--rootless"], |_| {});
    let plan = room.run(&["create", "--no-pivot", "--explain", &room.id]).well();
    assert!(plan.contains("enter it by chroot, upon the old one, of which is hidden: /"), "{plan}");
    assert!(!room.run(&["create", "--explain", &room.id]).well().contains("chroot, upon"));
}
