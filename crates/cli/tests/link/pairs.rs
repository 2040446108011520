//! Pairs, addresses, bridges, routes.

use crate::caller::Caller;
use crate::room::Room;
use insula_proof as proof;

by_everyone!(
    two_names_reach_each_other_in_four_commands,
    a_pair_without_addresses_is_down,
    namespaces_are_named_in_each_way,
    what_fails_half_way_is_undone,
    addresses_are_added_and_deleted,
    a_bridge_carries,
    a_route_leads_through_a_third,
    devices_go_up_and_down_together,
);

/// Ends the test as skipped where there is no room.
macro_rules! room {
    ($caller:expr) => {
        match Room::new($caller) {
            Ok(room) => room,
            Err(reason) => proof::skip!("{reason}"),
        }
    };
}
pub(crate) use room;

fn two_names_reach_each_other_in_four_commands(caller: &Caller) {
    let room = room!(caller);
    // The first two are `ip netns add a` and `b`, the fourth is the ping.
    room.done("pair a:eth0=10.0.0.1/24,fd00::1/64 b:eth0=10.0.0.2/24,fd00::2/64");
    for address in ["10.0.0.2", "fd00::2"] {
        assert!(room.reaches("a", address), "{address}, at once");
    }
    assert!(room.reaches("b", "10.0.0.1"));
    assert_eq!(room.devices("host"), [""; 0]);
}

fn a_pair_without_addresses_is_down(caller: &Caller) {
    let room = room!(caller);
    room.done("pair x y --netns a --peer-netns b --mtu 1400");
    room.done("pair u v --up");
    let (x, u) = (&room.shown("a")[1], &room.shown("host")[1]);
    assert_eq!((x["up"].as_bool(), x["mtu"].as_u64()), (Some(false), Some(1400)));
    assert_eq!((u["up"].as_bool(), u["state"].as_str()), (Some(true), Some("up")));
    room.done("del a:x u");
    assert_eq!(
        [room.devices("a"), room.devices("b"), room.devices("host")],
        [vec![], vec![], Vec::<String>::new()]
    );
}

fn namespaces_are_named_in_each_way(caller: &Caller) {
    let room = room!(caller);
    let pid = room.pid();
    room.done(&format!("pair /run/netns/a:one=10.0.0.1/24 {pid}:two=10.0.0.2/24"));
    assert_eq!((room.devices("a"), room.devices("host")), (vec!["one".to_owned()], vec!["two".to_owned()]));
    assert_eq!(room.devices(&format!("/proc/{pid}/ns/net")), ["two"]);
    assert!(room.reaches("a", "10.0.0.2"));
    room.done("pair host:three --netns host four --peer-netns host");
    assert_eq!(room.devices("host"), ["four", "three", "two"]);
}

fn what_fails_half_way_is_undone(caller: &Caller) {
    let room = room!(caller);
    room.refuses("pair a:x=10.0.0.1/24 b:y=10.0.0.2/24,10.0.0.2/24", &["10.0.0.2/24", "is undone", "hint"]);
    assert_eq!([room.devices("a"), room.devices("b")], [vec![], Vec::<String>::new()]);
    room.done("pair a:x a:y");
    room.refuses("addr a:x 10.0.0.1/24 10.0.0.2/24 10.0.0.1/24", &["is undone"]);
    assert_eq!(room.addresses("a", "x"), [""; 0]);
    room.refuses("bridge a:br0 x y x y lo", &["make `lo` a port", "is undone"]);
    let all = room.shown("a");
    assert!(all.iter().all(|device| device["master"].is_null() && device["up"] == false), "{all:?}");
    assert_eq!(room.devices("a"), ["x", "y"], "and the bridge is gone");
}

fn addresses_are_added_and_deleted(caller: &Caller) {
    let room = room!(caller);
    room.done("pair a:x b:y");
    room.done("addr a:x 10.0.0.1/24 fd00::1/64");
    room.done("addr x 10.1.0.1/32 --peer 10.1.0.2 --in a");
    room.done("addr x 10.2.0.1/24 --broadcast 10.2.0.7 --in a");
    let all = &room.ip("a", "addr show dev x")[0]["addr_info"];
    let one = |local: &str| {
        all.as_array()
            .and_then(|all| all.iter().find(|one| one["local"] == local))
            .unwrap_or_else(|| panic!("{local}"))
    };
    assert_eq!(one("10.0.0.1")["broadcast"], "10.0.0.255");
    assert_eq!(
        (&one("10.1.0.1")["address"], &one("10.1.0.1")["broadcast"]),
        (&"10.1.0.2".into(), &serde_json::Value::Null)
    );
    assert_eq!(one("10.2.0.1")["broadcast"], "10.2.0.7");
    assert_eq!(one("fd00::1")["prefixlen"], 64);
    // All have to be there before the first is deleted.
    room.refuses("addr a:x 10.0.0.1/24 10.0.0.9/24 --del", &["10.0.0.9/24", "no such address"]);
    assert_eq!(room.addresses("a", "x").len(), 4);
    room.done("addr a:x 10.0.0.1/24 fd00::1/64 10.1.0.1/32 10.2.0.1/24 --del");
    assert_eq!(room.addresses("a", "x"), [""; 0]);
}

fn a_bridge_carries(caller: &Caller) {
    let room = room!(caller);
    room.done("pair a:eth0=10.0.0.1/24 to-a");
    room.done("pair b:eth0=10.0.0.2/24 to-b");
    room.done("bridge br0=10.0.0.9/24 to-a");
    assert_eq!(room.addresses("host", "br0"), ["10.0.0.9/24"]);
    // A bridge that is there gets more ports.
    room.done("bridge br0 to-b");
    let masters: Vec<_> = room.shown("host").iter().map(|device| device["master"].clone()).collect();
    assert_eq!(masters.iter().filter(|master| *master == "br0").count(), 2, "{masters:?}");
    assert!(room.reaches("a", "10.0.0.2") && room.reaches("b", "10.0.0.9"));
    room.refuses("bridge to-a", &["`to-a` is there, and is no bridge"]);
    room.refuses("bridge br0 b:eth0", &["in another network namespace"]);
    room.done("del br0");
    assert_eq!(room.devices("host"), ["to-a", "to-b"]);
}

fn a_route_leads_through_a_third(caller: &Caller) {
    let room = room!(caller);
    room.done("pair a:eth0=10.0.1.1/24 to-a=10.0.1.254/24");
    room.done("pair b:eth0=10.0.2.1/24 to-b=10.0.2.254/24");
    assert_eq!(room.run(&["sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"]).code(), 0);
    room.done("route add default via 10.0.1.254 dev a:eth0");
    room.done("route add 10.0.1.0/24 via 10.0.2.254 --in b");
    assert!(room.reaches("a", "10.0.2.1"));
    assert_eq!(room.ip("a", "route show default")[0]["gateway"], "10.0.1.254");
    room.refuses("route add default via 10.0.1.254 dev a:eth0", &["File exists"]);
    room.done("route del default via 10.0.1.254 dev a:eth0");
    room.refuses("route del default via 10.0.1.254 dev a:eth0", &["no such route"]);
    room.refuses("route add 10.9.0.0/16 via 10.77.0.1 --in a", &["hint: the gateway"]);
}

fn devices_go_up_and_down_together(caller: &Caller) {
    let room = room!(caller);
    room.done("pair a:x b:y");
    room.done("up a:x b:y");
    assert_eq!([&room.shown("a")[1]["up"], &room.shown("b")[1]["up"]], [true, true]);
    room.refuses("down a:x b:nope", &["no device `nope` in the network namespace `b`"]);
    assert_eq!(room.shown("a")[1]["up"], true, "all are looked for first");
    room.done("down a:x b:y");
    assert_eq!([&room.shown("a")[1]["up"], &room.shown("b")[1]["up"]], [false, false]);
}
