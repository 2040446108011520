//! `move`.

use crate::caller::Caller;
use crate::pairs::room;
use crate::room::Room;
use insula_proof as proof;
use serde_json::Value;

by_everyone!(
    a_moved_device_is_as_ip_saw_it_before,
    a_taken_name_is_refused_before_anything_changes,
    what_is_lost_is_told,
    a_move_that_fails_is_undone,
    a_move_to_where_it_is_renames,
);

/// What `ip -j addr` says of a device, without what a move may change.
fn kept(room: &Room<'_>, netns: &str, name: &str) -> Value {
    let mut device = room.ip(netns, &format!("addr show dev {name}"))[0].clone();
    // The last follows the carrier, up to a second later.
    for key in ["ifindex", "link", "link_index", "link_netnsid", "ifname", "operstate"] {
        device.as_object_mut().expect("an object").remove(key);
    }
    device["flags"].as_array_mut().expect("a list").retain(|flag| flag != "NO-CARRIER");
    let addresses = device["addr_info"].as_array_mut().expect("a list");
    for address in &mut *addresses {
        let address = address.as_object_mut().expect("an object");
        // Under inquiry or not is a matter of when one looks.
        address.retain(|key, _| !["label", "tentative"].contains(&key.as_str()));
    }
    addresses.sort_by_key(|address| address["local"].as_str().map(str::to_owned));
    device
}

fn routes(room: &Room<'_>, netns: &str, name: &str) -> Vec<Value> {
    let mut all = Vec::new();
    for family in ["-4", "-6"] {
        let said = room.ip(netns, &format!("{family} route show table all dev {name}"));
        // The kernel's own are made anew, some when an inquiry is over.
        all.extend(
            said.as_array().into_iter().flatten().filter(|route| route["protocol"] != "kernel").cloned(),
        );
    }
    all
}

fn a_moved_device_is_as_ip_saw_it_before(caller: &Caller) {
    let room = room!(caller);
    // The other end is where the device never comes: a gateway cannot be an address of one's own.
    assert_eq!(room.run(&["ip", "netns", "add", "c"]).said(), "");
    room.done("pair a:x=10.0.0.1/24,10.0.0.3/24,fd00::1/64 c:y=10.0.0.2/24,fd00::2/64 --mtu 1400");
    for words in [
        "link set x txqueuelen 77 alias outside",
        "addr add 10.5.0.1 peer 10.5.0.2/32 dev x",
        "addr add 10.6.0.1/24 dev x metric 9 scope link label x:l",
        "route add default via 10.0.0.2 dev x metric 5",
        "route add 10.7.0.0/16 dev x mtu 1300 src 10.0.0.3",
        "route add 10.8.0.0/16 via 10.99.0.1 dev x onlink table 1234",
        "-6 route add fd77::/64 via fd00::2 dev x src fd00::1",
    ] {
        let words: Vec<&str> = ["ip", "-n", "a"].into_iter().chain(words.split(' ')).collect();
        assert_eq!(room.run(&words).said(), "");
    }
    let before = (kept(&room, "a", "x"), routes(&room, "a", "x"));
    assert_eq!(before.1.len(), 4, "{before:?}");
    room.done("move x b --from a");
    assert_eq!((kept(&room, "b", "x"), routes(&room, "b", "x")), before);
    room.done("move b:x host --name z");
    room.done("move z a");
    let after = kept(&room, "a", "z");
    assert_eq!(after, before.0);
    assert_eq!(routes(&room, "a", "z").len(), 4);
    assert!(room.reaches("a", "10.0.0.2") && room.reaches("a", "fd00::2"));
    assert_eq!((room.devices("a"), room.devices("b")), (vec!["z".to_owned()], vec![]));
}

fn a_taken_name_is_refused_before_anything_changes(caller: &Caller) {
    let room = room!(caller);
    room.done("pair a:x=10.0.0.1/24 b:x=10.0.0.2/24");
    let before = kept(&room, "a", "x");
    room.refuses("move a:x b", &["move `x` to the network namespace `b`: File exists", "hint: ", "name"]);
    room.refuses("move a:x b --name lo", &["File exists"]);
    assert_eq!(kept(&room, "a", "x"), before);
    assert!(room.reaches("a", "10.0.0.2"));
    room.done("move a:x b --name y");
    assert_eq!(room.devices("b"), ["x", "y"]);
}

fn what_is_lost_is_told(caller: &Caller) {
    let room = room!(caller);
    room.done("pair a:x=10.0.0.1/24,fd00::1/64 a:y");
    room.done("up a:y");
    room.done("pair b:u=fd00::9/64 b:v");
    room.done("bridge a:br0 x");
    room.done("route add fd01::/64 via fd00::9 dev a:x");
    room.done("route add 10.2.0.0/16 via 10.0.0.8 dev a:x");
    let end = room.link("move a:x b");
    assert_eq!((end.code(), end.out.as_str()), (0, ""), "{}", end.err);
    let lines: Vec<&str> = end.err.lines().collect();
    // fd00::9 is an address of that namespace itself, so that no packet can go by way of it.
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        lines[0].starts_with("insula: warning: `x` has lost a route: add the route fd01::/64 via fd00::9: "),
        "{}",
        lines[0]
    );
    assert_eq!(lines[1], "insula: warning: `x` has lost its place in `br0`: that is in the other namespace");
    assert_eq!(room.addresses("b", "x"), ["10.0.0.1/24", "fd00::1/64"]);
    assert_eq!(room.ip("b", "route show 10.2.0.0/16")[0]["gateway"], "10.0.0.8");
}

fn a_move_that_fails_is_undone(caller: &Caller) {
    let room = room!(caller);
    room.done("pair a:x=10.0.0.1/24,fd00::1/64 y=10.0.0.2/24,fd00::2/64");
    let before = (kept(&room, "a", "x"), routes(&room, "a", "x"));
    let off = "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6";
    assert_eq!(room.run(&["ip", "netns", "exec", "b", "sh", "-c", off]).code(), 0);
    room.refuses("move a:x b", &["add the address fd00::1/64 to `x`", "is undone", "disable_ipv6"]);
    assert_eq!((kept(&room, "a", "x"), routes(&room, "a", "x")), before);
    assert_eq!(room.devices("b"), [""; 0]);
    assert!(room.reaches("a", "10.0.0.2"));
    for bound in ["a:lo b", "a:lo b --name x"] {
        room.refuses(&format!("move {bound}"), &["bound to its network namespace"]);
    }
}

fn a_move_to_where_it_is_renames(caller: &Caller) {
    let room = room!(caller);
    room.done("pair a:x b:y");
    room.done("move a:x a");
    room.done("move a:x /run/netns/a --name z");
    assert_eq!(room.devices("a"), ["z"]);
    room.done("move a:z a --name x");
    assert_eq!(room.devices("a"), ["x"]);
}
