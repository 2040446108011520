//! Network devices that a container is given. Everything happens in a network namespace of the test's own, with devices
//! that it makes there.

use crate::room::{Ended, PROGRAM, Room};
use insula_proof::need;
use serde_json::{Value, json};
use std::process::Command;

/// Makes a pair of devices, one of which has addresses of several sorts, and another pair.
const MAKE: &str = "ip link set lo up && ip link add one type veth peer name two && ip link add three type veth peer name four \
    && ip addr add 10.1.2.3/24 dev one && ip addr add 10.9.9.9/32 dev one scope link \
    && ip -6 addr add fd00::5/64 dev one nodad && ip link set two up";

/// Runs a script in a network namespace of its own: `$1` is the program with its root, `$2` the id.
fn script(room: &Room, script: &str) -> Ended {
    let mut command = Command::new("unshare");
    command.args(["--net", "sh", "-ec"]).arg(format!("{MAKE}; run=\"{PROGRAM} --root $1\"; {script}"));
    command.arg("sh").arg(room.state()).arg(&room.id).current_dir(room.bundle());
    room.finish(command)
}

fn given(devices: &Value) -> Room {
    Room::new(|spec| {
        spec["process"]["args"] = json!(["sleep", "1000"]);
        spec["linux"]["netDevices"] = devices.clone();
    })
}

/// What `ip -j addr` says: each device that is not loopback, whether it is up, and its addresses.
fn devices(line: &str) -> Vec<(String, bool, Vec<String>)> {
    let list: Vec<Value> = serde_json::from_str(line).expect("ip prints JSON");
    let one = |device: &Value| {
        let up = device["flags"].as_array().expect("flags").iter().any(|flag| flag == "UP");
        let addresses = device["addr_info"].as_array().expect("addresses").iter();
        let mut addresses: Vec<String> = addresses
            .map(|address| address["local"].as_str().expect("an address").to_owned())
            .filter(|address| !address.starts_with("fe80"))
            .collect();
        addresses.sort();
        (device["ifname"].as_str().expect("a name").to_owned(), up, addresses)
    };
    let mut devices: Vec<_> = list.iter().filter(|device| device["ifname"] != "lo").map(one).collect();
    devices.sort();
    devices
}

#[test]
fn a_device_goes_to_the_container_with_its_permanent_addresses_and_is_up() {
    need!(root, program "busybox", program "ip", program "unshare", program "nsenter");
    let room = given(&json!({ "one": { "name": "eth0" }, "three": {} }));
    let out = script(
        &room,
        "$run run -d $2 </dev/null >/dev/null; pid=$($run state $2 | grep '\"pid\"' | tr -dc 0-9); \
         nsenter -t $pid -n ip -j addr; echo; ip -j addr; echo; $run delete -f $2; ip -o link",
    )
    .well();
    let mut lines = out.lines().filter(|line| !line.is_empty());
    let up = |name: &str, addresses: &[&str]| {
        (name.to_owned(), true, addresses.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>())
    };
    let inside = devices(lines.next().expect("what is inside"));
    assert_eq!(inside, [up("eth0", &["10.1.2.3", "fd00::5"]), up("three", &[])]);
    let outside = devices(lines.next().expect("what is outside"));
    assert_eq!(outside, [("four".to_owned(), false, Vec::new()), up("two", &[])]);
    // What is virtual goes with the namespace, and the pair's other end with it: soon.
    room.nothing_is_left();
}

#[test]
fn a_percent_sign_is_the_first_number_that_is_free() {
    need!(root, program "busybox", program "ip", program "unshare");
    let room = given(&json!({ "one": { "name": "net%d" }, "two": { "name": "net%d" } }));
    room.change(|spec| spec["process"]["args"] = json!(["ls", "/sys/class/net"]));
    let out = script(&room, "$run run $2").well();
    let names: Vec<&str> = out.split_whitespace().collect();
    assert_eq!(names, ["lo", "net0", "net1"]);
}

#[test]
fn a_creation_that_fails_behind_the_move_brings_them_back() {
    need!(root, program "busybox", program "ip", program "unshare");
    let room = given(&json!({ "one": { "name": "eth0" }, "two": {} }));
    room.change(|spec| spec["process"]["args"] = json!(["nothing"]));
    let out = script(&room, "$run create $2 2>&1 && exit 9; ip -j addr").well();
    assert!(out.contains("executable file not found"), "{out}");
    let last = out.lines().last().expect("a line");
    let names: Vec<(String, bool, Vec<String>)> = devices(last);
    let all = ["10.1.2.3", "10.9.9.9", "fd00::5"].map(str::to_owned).to_vec();
    assert_eq!(names.iter().find(|one| one.0 == "one"), Some(&("one".to_owned(), false, all)), "{out}");
    assert!(names.iter().any(|one| one.0 == "two" && one.1), "{out}");
    room.nothing_is_left();
}

#[test]
fn what_cannot_be_moved_is_refused_and_nothing_is() {
    need!(root, program "busybox", program "ip", program "unshare");
    for (devices, words) in [
        (json!({ "one": {}, "nothing": {} }), "linux.netDevices: "),
        (json!({ "one": { "name": "lo" } }), "File exists"),
        (json!({ "lo": { "name": "eth0" } }), "Invalid argument"),
        (json!({ "one": { "name": "a/b" } }), "linux.netDevices.one.name: "),
        (json!({ "one": { "name": "same" }, "two": { "name": "same" } }), "another device gets this name"),
    ] {
        let room = given(&devices);
        let out = script(&room, "$run create $2 2>&1 && exit 9; ip -o link show one >/dev/null").well();
        assert!(out.contains(words), "{words}: {out}");
        room.nothing_is_left();
    }
    let room = given(&json!({ "one": {} }));
    room.change(|spec| {
        let namespaces = spec["linux"]["namespaces"].as_array_mut().expect("namespaces");
        namespaces.retain(|one| one["type"] != "network");
    });
    assert!(
        room.run(&["check"]).out.contains("linux.netDevices: the container has the host's network namespace")
    );
}

#[test]
fn an_ordinary_user_is_told_why_none_can_be_moved() {
    need!(user_namespaces, program "busybox");
    let theirs = crate::users::Theirs::new(|spec| spec["linux"]["netDevices"] = json!({ "one": {} }));
    theirs
        .run(&["create", "nobody"])
        .refused("linux.netDevices: only the host's root may move a device of the host's network");
}
