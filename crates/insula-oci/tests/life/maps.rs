//! Mounts whose ids are translated by maps of their own, on the real kernel: what files belong to inside, and on disk.

use crate::room::Room;
use insula_proof::need;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};

fn map(from: u32, to: u32, size: u32) -> Value {
    json!([{ "containerID": from, "hostID": to, "size": size }])
}

fn bind(source: &str, destination: &str, options: &[&str], maps: &Value) -> Value {
    json!({ "destination": destination, "type": "bind", "source": source, "options": options,
            "uidMappings": maps, "gidMappings": maps })
}

/// A directory of the bundle with a file of user and group 5 in it.
fn shared(room: &Room, name: &str) -> String {
    let directory = room.bundle().join(name);
    fs::create_dir(&directory).expect("make the directory");
    fs::write(directory.join("file"), "").expect("write the file");
    chown(directory.join("file"), Some(5), Some(5)).expect("give it away");
    directory.to_str().expect("UTF-8").to_owned()
}

#[test]
fn files_belong_to_what_the_maps_say_and_are_written_back_by_them() {
    need!(root, program "busybox");
    let room = Room::of(&["true"]);
    let source = shared(&room, "shared");
    chown(&source, Some(5), Some(5)).expect("give it away");
    room.change(|spec| {
        spec["process"]["args"] = json!(["sh", "-c", "busybox stat -c %u:%g /a/file /b/file; echo > /a/new"]);
        spec["process"]["user"] = json!({ "uid": 7005, "gid": 7005 });
        let mounts = spec["mounts"].as_array_mut().expect("mounts");
        mounts.push(bind(&source, "/a", &["bind", "idmap"], &map(0, 7000, 10)));
        // Without an option as well, and by the same namespace.
        mounts.push(bind(&source, "/b", &["rbind"], &map(0, 7000, 10)));
    });
    assert_eq!(room.on("run").well(), "7005:7005\n7005:7005\n");
    let new = fs::metadata(room.bundle().join("shared/new")).expect("it was written");
    assert_eq!((new.uid(), new.gid()), (5, 5));
    room.nothing_is_left();
}

#[test]
fn maps_are_the_containers_own_or_others_in_a_user_namespace() {
    need!(root, program "busybox");
    let room = Room::of(&["true"]);
    let source = shared(&room, "shared");
    room.change(|spec| {
        spec["process"]["args"] =
            json!(["busybox", "stat", "-c", "%u:%g", "/own/file", "/said/file", "/other/file"]);
        let namespaces = spec["linux"]["namespaces"].as_array_mut().expect("namespaces");
        namespaces.push(json!({ "type": "user" }));
        spec["linux"]["uidMappings"] = map(0, 100_000, 1000);
        spec["linux"]["gidMappings"] = map(0, 100_000, 1000);
        let mounts = spec["mounts"].as_array_mut().expect("mounts");
        let own =
            json!({ "destination": "/own", "type": "bind", "source": source, "options": ["bind", "idmap"] });
        mounts.push(own);
        mounts.push(bind(&source, "/said", &["bind"], &map(0, 100_000, 1000)));
        mounts.push(bind(&source, "/other", &["bind", "idmap"], &map(5, 100_042, 1)));
    });
    let plan = room.run(&["run", "--explain", &room.id]).well();
    assert_eq!(plan.matches("make a user namespace for mounts").count(), 1, "{plan}");
    assert_eq!(room.on("run").well(), "5:5\n5:5\n42:42\n");
}

#[test]
fn ridmap_translates_what_is_mounted_below_and_idmap_does_not() {
    need!(root, program "busybox", program "unshare");
    for (option, below) in [("idmap", "5:5"), ("ridmap", "7005:7005")] {
        let room = Room::of(&["true"]);
        let source = shared(&room, "tree");
        fs::create_dir(room.bundle().join("tree/below")).expect("make the directory");
        room.change(|spec| {
            spec["process"]["args"] = json!(["busybox", "stat", "-c", "%u:%g", "/a/file", "/a/below/file"]);
            spec["mounts"].as_array_mut().expect("mounts").push(bind(
                &source,
                "/a",
                &["rbind", option],
                &map(0, 7000, 10),
            ));
        });
        // A tmpfs below it, in a mount namespace of its own.
        let script = "mount -t tmpfs none tree/below && cp -a tree/file tree/below/file && exec \"$@\"";
        let mut command = std::process::Command::new("unshare");
        command.args(["--mount", "sh", "-c", script, "sh", crate::room::PROGRAM, "--root"]).arg(room.state());
        command.args(["run", &room.id]).current_dir(room.bundle());
        assert_eq!(room.finish(command).well(), format!("7005:7005\n{below}\n"), "{option}");
    }
}

#[test]
fn what_cannot_be_translated_is_refused_with_its_field() {
    need!(program "busybox");
    let room = Room::with(&["--rootless"], |spec| {
        let mounts = spec["mounts"].as_array_mut().expect("mounts");
        let at = mounts.len();
        assert!(at > 0);
        *mounts = Vec::new();
        mounts
            .push(json!({ "destination": "/a", "type": "bind", "source": "/", "uidMappings": map(0, 1, 1) }));
        mounts.push(json!({ "destination": "/b", "type": "tmpfs", "uidMappings": map(0, 1, 1),
                            "gidMappings": map(0, 1, 1) }));
        mounts.push(bind("/", "/c", &["bind", "idmap"], &map(0, 1, 0)));
        mounts.push(bind("/", "/d", &["bind", "noidmap"], &map(0, 1, 1)));
        spec["linux"]["namespaces"].as_array_mut().expect("a list").retain(|one| one["type"] != "user");
        spec["linux"]["uidMappings"] = json!([]);
        spec["linux"]["gidMappings"] = json!([]);
        mounts_without_maps(spec);
    });
    let told = room.run(&["check"]).out;
    for line in [
        "mounts[0].gidMappings: it is missing, and must be there with `uidMappings`",
        "mounts[1].uidMappings: only a bind mount's ids are translated by maps",
        "mounts[2].uidMappings[0]: size is 0",
        "mounts[3].options: `noidmap` beside maps",
        "mounts[4].options: the container has no user namespace",
    ] {
        assert!(told.contains(line), "`{line}` is not in:\n{told}");
    }
}

fn mounts_without_maps(spec: &mut Value) {
    let mounts = spec["mounts"].as_array_mut().expect("mounts");
    mounts.push(json!({ "destination": "/e", "type": "bind", "source": "/", "options": ["bind", "idmap"] }));
}

#[test]
fn an_ordinary_user_is_told_why_not() {
    need!(user_namespaces, program "busybox");
    let theirs = crate::users::Theirs::new(|spec| {
        spec["mounts"].as_array_mut().expect("mounts").push(bind("/", "/c", &["bind"], &map(0, 1, 1)));
    });
    let told = theirs.run(&["create", "nobody"]);
    told.refused(
        "uidMappings: only who is root where the file system was mounted may translate a mount's ids",
    );
    told.refused("run this as root, or leave the maps out");
}
