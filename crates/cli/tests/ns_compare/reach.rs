//! `insula ns reach`: a connection that works, and each obstacle for real, with nothing said of those that are not there.

use std::fs::File;
use std::net::SocketAddr;

use crate::caller::{Caller, Ended, ended};
use crate::nft::{self, Rule, Verdict};
use crate::room::Room;
use insula_net::visit::{Wanted, sockets};
use insula_proof as proof;
use rustix::fd::{AsFd, OwnedFd};
use rustix::net::{bind, listen};
use serde_json::Value;

by_both!(
    a_port_that_is_listened_on_is_reached,
    who_does_not_listen_is_told,
    devices_and_addresses_that_lack_are_told,
    routes_that_lack_or_refuse_are_told,
    a_gateway_that_does_not_forward_is_told,
    a_gateway_that_filters_by_reverse_path_is_told,
    a_neighbour_that_nobody_is_is_told,
    a_bridge_is_followed,
    firewalls_are_told,
    a_firewall_on_the_way_back_is_told,
    who_answers_in_the_place_of_another_is_told,
    what_cannot_be_seen_is_told,
    datagrams_are_told_as_far_as_they_tell,
    bad_words_are_refused,
);

macro_rules! room {
    ($caller:expr) => {
        proof::or_skip!(Room::new($caller))
    };
}

/// `insula ns reach WORDS…` in a room, with little patience.
fn reaching(room: &Room<'_>, caller: &Caller, words: &[&str]) -> Ended {
    reaching_within(room, caller, "200ms", words)
}

fn reaching_within(room: &Room<'_>, caller: &Caller, time: &str, words: &[&str]) -> Ended {
    let words = caller.words(&[&["ns", "reach", "--timeout", time], words].concat());
    ended(&mut room.command(&words.iter().map(String::as_str).collect::<Vec<_>>()))
}

/// The same as JSON. The text says the same.
#[track_caller]
fn reach(room: &Room<'_>, caller: &Caller, from: &str, to: &str) -> Value {
    reach_by(room, caller, &[from, to])
}

/// It is reached: a first packet may be lost while neighbours get to know each other, so with patience.
#[track_caller]
fn reached(room: &Room<'_>, caller: &Caller, from: &str, to: &str) -> Value {
    let end = reaching_within(room, caller, "8s", &[from, to, "--json"]);
    let told: Value =
        serde_json::from_str(&end.out).unwrap_or_else(|_| panic!("no JSON: {}{}", end.out, end.err));
    assert_eq!((end.code(), &told["reached"], keys(&told)), (0, &true.into(), Vec::new()), "{told:#}");
    told
}

#[track_caller]
fn reach_by(room: &Room<'_>, caller: &Caller, words: &[&str]) -> Value {
    let end = reaching(room, caller, &[words, &["--json"]].concat());
    let told: Value =
        serde_json::from_str(&end.out).unwrap_or_else(|_| panic!("no JSON: {}{}", end.out, end.err));
    let expected = match told["reached"].as_bool() {
        Some(true) => 0,
        Some(false) => 1,
        None => 2,
    };
    assert_eq!(end.code(), expected, "{told:#}");
    told
}

/// The keys of what stands in the way, those of the way back with a `<`.
fn keys(told: &Value) -> Vec<String> {
    let key = |found: &Value| {
        let back = if found["on_the_way_back"] == true { "<" } else { "" };
        format!("{back}{}", found["key"].as_str().expect("a key"))
    };
    told["obstacles"].as_array().expect("obstacles").iter().map(key).collect()
}

/// One obstacle is told, with these words in its cause; and people read the same.
#[track_caller]
fn blocked(room: &Room<'_>, caller: &Caller, from: &str, to: &str, key: &str, words: &[&str]) {
    let told = reach(room, caller, from, to);
    assert_eq!(keys(&told), [key], "{told:#}");
    assert_eq!(told["reached"], false);
    let cause = told["obstacles"][0]["cause"].as_str().expect("a cause");
    for word in words {
        assert!(cause.contains(word), "no `{word}` in: {cause}");
    }
    let text = reaching(room, caller, &[from, to]).out;
    // What a rule has counted is more by now.
    let (said, counted) = cause.split_once("; it has counted").unwrap_or((cause, ""));
    let said = format!("cause: {said}{}", if counted.is_empty() { "\nhint: " } else { "; it has counted" });
    assert!(text.contains(&said), "{text}");
    assert!(text.starts_with(&format!("`{from}` does not reach ")), "{text}");
}

/// A network namespace of a room, by its file.
fn network(room: &Room<'_>, name: &str) -> OwnedFd {
    File::open(format!("/proc/{}/root/run/netns/{name}", room.pid())).expect("a name of the room").into()
}

/// A server in a namespace of a room, as long as it is held.
fn server(room: &Room<'_>, name: &str, wanted: Wanted, address: &str) -> OwnedFd {
    let network = network(room, name);
    let socket = sockets(network.as_fd(), name, &[wanted]).expect("a visit").remove(0).expect("a socket");
    let address: SocketAddr = address.parse().expect("an address");
    bind(&socket, &address).expect("bind");
    if matches!(wanted, Wanted::Tcp { .. }) {
        listen(&socket, 8).expect("listen");
    }
    socket
}

const TCP: Wanted = Wanted::Tcp { v6: false };

/// a and b on one cable.
fn cable(room: &Room<'_>) {
    room.done("pair a:eth0=10.0.0.1/24,fd00::1/64 b:eth0=10.0.0.2/24,fd00::2/64");
}

/// a and b, with r between them as their gateway.
fn gateway(room: &Room<'_>) {
    assert_eq!(room.run(&["ip", "netns", "add", "r"]).code(), 0);
    room.done("pair a:eth0=10.0.0.1/24,fd00::1/64 r:a0=10.0.0.254/24,fd00::fe/64");
    room.done("pair b:eth0=10.1.0.1/24,fd01::1/64 r:b0=10.1.0.254/24,fd01::fe/64");
    room.done("route add default via 10.0.0.254 --in a");
    room.done("route add default via 10.1.0.254 --in b");
    room.done("route add default via fd00::fe --in a");
    room.done("route add default via fd01::fe --in b");
}

#[track_caller]
fn sysctl(room: &Room<'_>, name: &str, key: &str, value: &str) {
    let script = format!("echo {value} >/proc/sys/{}", key.replace('.', "/"));
    room.run(&["ip", "netns", "exec", name, "sh", "-c", &script]).said();
}

#[track_caller]
fn ip(room: &Room<'_>, words: &str) {
    room.run(&[&["ip"][..], &words.split_whitespace().collect::<Vec<_>>()].concat()).said();
}

fn a_port_that_is_listened_on_is_reached(caller: &Caller) {
    let room = room!(caller);
    cable(&room);
    let _server = server(&room, "b", TCP, "10.0.0.2:8080");
    let _six = server(&room, "b", Wanted::Tcp { v6: true }, "[fd00::2]:8086");
    for to in ["b:8080", "10.0.0.2:8080"] {
        let told = reached(&room, caller, "a", to);
        assert_eq!(
            (&told["reached"], &told["device"], &told["source"]),
            (&true.into(), &"eth0".into(), &"10.0.0.1".into())
        );
        assert!(told["attempt"]["microseconds"].is_u64() && told["gateway"].is_null(), "{told:#}");
        assert_eq!(keys(&told), [""; 0], "nothing stands in the way");
    }
    for to in ["b:8086", "[fd00::2]:8086"] {
        let told = reached(&room, caller, "a", to);
        assert_eq!((&told["address"], &told["source"]), (&"fd00::2".into(), &"fd00::1".into()), "{told:#}");
    }
    let text = reaching(&room, caller, &["a", "b:8080"]);
    assert_eq!((text.code(), text.err.as_str()), (0, ""));
    assert!(
        text.out.starts_with("`a` reaches 10.0.0.2:8080 (tcp) by `eth0` from 10.0.0.1, in "),
        "{}",
        text.out
    );
    assert_eq!(text.out.lines().count(), 1);
    // A path and a pid are words as well, and the namespace reaches itself by its loopback.
    reached(&room, caller, "/run/netns/a", "b:8080");
    ip(&room, "-n b link set lo up");
    let _own = server(&room, "b", TCP, "127.0.0.1:8081");
    assert_eq!(reached(&room, caller, "b", "b:8081")["device"], "lo");
    assert_eq!(reached(&room, caller, "b", "b:8080")["address"], "10.0.0.2");
}

fn who_does_not_listen_is_told(caller: &Caller) {
    let room = room!(caller);
    cable(&room);
    ip(&room, "-n b link set lo up");
    blocked(&room, caller, "a", "b:8080", "nobody-listens", &["tcp port 8080 in `b`"]);
    blocked(&room, caller, "a", "10.0.0.2:8080", "nobody-listens", &["tcp port 8080 in `b`"]);
    let _local = server(&room, "b", TCP, "127.0.0.1:8080");
    blocked(&room, caller, "a", "b:8080", "listens-elsewhere", &["127.0.0.1 only", "not at 10.0.0.2"]);
    reached(&room, caller, "b", "b:8080");
    let _other = server(&room, "b", TCP, "10.0.0.2:8082");
    blocked(&room, caller, "a", "b:8081", "nobody-listens", &["8081"]);
}

fn devices_and_addresses_that_lack_are_told(caller: &Caller) {
    let room = room!(caller);
    blocked(&room, caller, "a", "b:80", "no-device", &["`b` has no device but loopback"]);
    blocked(&room, caller, "a", "10.0.0.2:80", "no-device", &["`a` has no device but loopback"]);
    blocked(&room, caller, "a", "a:80", "loopback-down", &["lo of `a` is down"]);
    blocked(&room, caller, "a", "127.0.0.1:80", "loopback-down", &["lo of `a` is down"]);
    room.done("pair a:eth0=10.0.0.1/24 b:eth0 --up");
    blocked(&room, caller, "a", "b:80", "no-address", &["`b` has no address but those of loopback"]);
    // Its own address is reached by loopback as well.
    blocked(&room, caller, "a", "10.0.0.1:80", "loopback-down", &["lo of `a` is down"]);
    room.done("addr b:eth0 10.0.0.2/24");
    blocked(&room, caller, "a", "b:80", "nobody-listens", &[]);
    ip(&room, "-n b link set eth0 down");
    blocked(&room, caller, "a", "b:80", "no-carrier", &["`eth0` of `a` is up", "`eth0` of `b`, is down"]);
    ip(&room, "-n a link set eth0 down");
    blocked(&room, caller, "a", "b:80", "device-down", &["`eth0` of `a` is down"]);
    ip(&room, "-n a link set eth0 up");
    ip(&room, "-n b link set eth0 up");
    let _server = server(&room, "b", TCP, "0.0.0.0:8080");
    reached(&room, caller, "a", "b:8080");
}

fn routes_that_lack_or_refuse_are_told(caller: &Caller) {
    let room = room!(caller);
    room.done("pair a:eth0=10.0.0.1/24 b:eth0=10.1.0.2/24");
    blocked(
        &room,
        caller,
        "a",
        "b:80",
        "no-route",
        &["`a` has no route to 10.1.0.2", "10.0.0.0/24 by `eth0`"],
    );
    // There, but not back.
    room.done("route add 10.1.0.0/24 dev eth0 --in a");
    let _server = server(&room, "b", TCP, "0.0.0.0:8080");
    let told = reach(&room, caller, "a", "b:8080");
    assert_eq!(keys(&told), ["<no-route"], "{told:#}");
    assert!(
        told["obstacles"][0]["cause"]
            .as_str()
            .is_some_and(|cause| cause.starts_with("`b` has no route to 10.0.0.1"))
    );
    room.done("route add 10.0.0.0/24 dev eth0 --in b");
    reached(&room, caller, "a", "b:8080");
    for kind in ["unreachable", "prohibit", "blackhole"] {
        ip(&room, &format!("-n a route add {kind} 10.1.0.2/32"));
        blocked(
            &room,
            caller,
            "a",
            "b:8080",
            "route-refuses",
            &[&format!("a route of type {kind} to 10.1.0.2")],
        );
        ip(&room, &format!("-n a route del {kind} 10.1.0.2/32"));
    }
}

fn a_gateway_that_does_not_forward_is_told(caller: &Caller) {
    let room = room!(caller);
    gateway(&room);
    let _server = server(&room, "b", TCP, "10.1.0.1:8080");
    let _six = server(&room, "b", Wanted::Tcp { v6: true }, "[fd01::1]:8080");
    let is_off = |room: &Room<'_>| {
        room.run(&["ip", "netns", "exec", "r", "cat", "/proc/sys/net/ipv4/ip_forward"]).said() == "0"
    };
    if !is_off(&room) {
        sysctl(&room, "r", "net.ipv4.ip_forward", "0");
    }
    blocked(
        &room,
        caller,
        "a",
        "10.1.0.1:8080",
        "forwarding-off",
        &["`r` does not send on", "`a0`", "net.ipv4.ip_forward is 0"],
    );
    sysctl(&room, "r", "net.ipv6.conf.all.forwarding", "0");
    blocked(&room, caller, "a", "[fd01::1]:8080", "forwarding-off", &["net.ipv6.conf.all.forwarding is 0"]);
    sysctl(&room, "r", "net.ipv4.ip_forward", "1");
    let told = reached(&room, caller, "a", "10.1.0.1:8080");
    assert_eq!((&told["reached"], &told["gateway"]), (&true.into(), &"10.0.0.254".into()), "{told:#}");
    sysctl(&room, "r", "net.ipv6.conf.all.forwarding", "1");
    reached(&room, caller, "a", "[fd01::1]:8080");
    // One device alone may be shut.
    sysctl(&room, "r", "net.ipv4.conf.a0.forwarding", "0");
    blocked(&room, caller, "a", "10.1.0.1:8080", "forwarding-off", &["net.ipv4.conf.a0.forwarding is 0"]);
    sysctl(&room, "r", "net.ipv4.conf.a0.forwarding", "1");
    // The gateway has no way on, or its way is shut.
    ip(&room, "-n r route add prohibit 10.1.0.1/32");
    blocked(&room, caller, "a", "10.1.0.1:8080", "route-refuses", &["`r`", "prohibit"]);
    ip(&room, "-n r route del prohibit 10.1.0.1/32");
    ip(&room, "-n r link set b0 down");
    blocked(&room, caller, "a", "10.1.0.1:8080", "no-route", &["`r` has no route to 10.1.0.1"]);
}

fn a_gateway_that_filters_by_reverse_path_is_told(caller: &Caller) {
    let room = room!(caller);
    gateway(&room);
    let _server = server(&room, "b", TCP, "10.1.0.1:8080");
    sysctl(&room, "r", "net.ipv4.ip_forward", "1");
    for (key, value) in [("all", "0"), ("a0", "0"), ("b0", "0")] {
        sysctl(&room, "r", &format!("net.ipv4.conf.{key}.rp_filter"), value);
    }
    reached(&room, caller, "a", "10.1.0.1:8080");
    // The way back to a leads by another device than that which its packets come in by.
    ip(&room, "-n r route add 10.0.0.1/32 dev b0");
    sysctl(&room, "r", "net.ipv4.conf.a0.rp_filter", "1");
    blocked(
        &room,
        caller,
        "a",
        "10.1.0.1:8080",
        "reverse-path",
        &["`r` drops what comes from 10.0.0.1 by `a0`", "rp_filter is 1"],
    );
    ip(&room, "-n r route del 10.0.0.1/32 dev b0");
    // Strict, and the route back is right.
    reached(&room, caller, "a", "10.1.0.1:8080");
}

fn a_neighbour_that_nobody_is_is_told(caller: &Caller) {
    let room = room!(caller);
    cable(&room);
    let words = ["nobody at the other end of `eth0` of `a` has 10.0.0.9", "`eth0` of `b` with 10.0.0.2/24"];
    blocked(&room, caller, "a", "10.0.0.9:80", "neighbour-silent", &words);
    room.done("route add 10.9.0.0/24 via 10.0.0.8 --in a");
    blocked(&room, caller, "a", "10.9.0.1:80", "neighbour-silent", &["has the gateway 10.0.0.8"]);
}

fn a_bridge_is_followed(caller: &Caller) {
    let room = room!(caller);
    room.done("bridge br0=10.0.0.254/24");
    room.done("pair a:eth0=10.0.0.1/24 va --up");
    room.done("pair b:eth0=10.0.0.2/24 vb --up");
    ip(&room, "link set va master br0");
    ip(&room, "link set vb master br0");
    let server = server(&room, "b", TCP, "10.0.0.2:8080");
    reached(&room, caller, "a", "b:8080");
    drop(server);
    blocked(&room, caller, "a", "b:8080", "nobody-listens", &["`b`"]);
    blocked(&room, caller, "a", "10.0.0.254:8080", "nobody-listens", &["network"]);
    ip(&room, "link set vb nomaster");
    blocked(&room, caller, "a", "b:8080", "neighbour-silent", &["has 10.0.0.2", "`br0` of"]);
}

fn firewalls_are_told(caller: &Caller) {
    let room = room!(caller);
    cable(&room);
    let _server = server(&room, "b", TCP, "10.0.0.2:8080");
    let (a, b) = (network(&room, "a"), network(&room, "b"));
    let drops = || Rule::new().port(8080).counter().does(Verdict::Drop);
    proof::or_skip!(nft::table(&b, 1, false, &[drops()]));
    let words = ["the chain `c` in the table `ip t` of `b`, at the hook input, drops it", "it has counted"];
    blocked(&room, caller, "a", "b:8080", "firewall", &words);
    // Another port is not its business.
    blocked(&room, caller, "a", "b:8081", "nobody-listens", &[]);
    nft::clear(&b);
    reached(&room, caller, "a", "b:8080");
    nft::table(&b, 1, true, &[Rule::new().port(22).does(Verdict::Accept)]).expect("as above");
    blocked(&room, caller, "a", "b:8080", "firewall", &["the policy of the chain `c`", "drops it"]);
    nft::clear(&b);
    nft::table(&b, 1, true, &[Rule::new().port(8080).does(Verdict::Accept)]).expect("as above");
    reached(&room, caller, "a", "b:8080");
    nft::clear(&b);
    nft::table(&b, 1, false, &[Rule::new().port(8080).does(Verdict::Reject)]).expect("as above");
    blocked(&room, caller, "a", "b:8080", "firewall", &["refuses it"]);
    nft::clear(&b);
    nft::table(&b, 1, false, &[Rule::new().short().does(Verdict::Drop)]).expect("as above");
    let told = reach(&room, caller, "a", "b:8080");
    assert_eq!(
        (keys(&told), &told["obstacles"][0]["certain"]),
        (vec!["firewall".to_owned()], &false.into()),
        "{told:#}"
    );
    nft::clear(&b);
    nft::table(&a, 3, false, &[drops()]).expect("as above");
    blocked(&room, caller, "a", "b:8080", "firewall", &["of `a`, at the hook output"]);
    nft::clear(&a);
    reached(&room, caller, "a", "b:8080");
}

fn a_firewall_on_the_way_back_is_told(caller: &Caller) {
    let room = room!(caller);
    cable(&room);
    let _server = server(&room, "b", TCP, "10.0.0.2:8080");
    let a = network(&room, "a");
    proof::or_skip!(nft::table(&a, 1, true, &[]));
    let told = reach(&room, caller, "a", "b:8080");
    assert_eq!(keys(&told), ["<firewall"], "{told:#}");
    nft::clear(&a);
    // What lets answers in is in nobody's way.
    nft::table(&a, 1, true, &[Rule::new().established().does(Verdict::Accept)]).expect("as above");
    reached(&room, caller, "a", "b:8080");
    let told = reach(&room, caller, "a", "b:8081");
    assert_eq!(keys(&told), ["nobody-listens"], "{told:#}");
}

fn who_answers_in_the_place_of_another_is_told(caller: &Caller) {
    let room = room!(caller);
    assert_eq!(room.run(&["ip", "netns", "add", "r"]).code(), 0);
    room.done("pair a:eth0=10.0.0.1/24 r:eth0=10.0.0.2/24");
    room.done("pair b:eth0=10.0.0.2/24 r:b0 --up");
    blocked(&room, caller, "a", "b:8080", "address-elsewhere", &["10.0.0.2 leads to `r`"]);
    let _server = server(&room, "r", TCP, "10.0.0.2:8080");
    blocked(&room, caller, "a", "b:8080", "address-elsewhere", &["10.0.0.2 leads to `r`"]);
    let told = reached(&room, caller, "a", "r:8080");
    assert_eq!(told["way"], serde_json::json!(["`a`", "`r`"]));
}

/// A gateway whose namespace has no name, and no process that was asked for.
fn what_cannot_be_seen_is_told(caller: &Caller) {
    let room = room!(caller);
    gateway(&room);
    let _server = server(&room, "b", TCP, "10.1.0.1:8080");
    // The name goes; a file of it that is open keeps the namespace.
    let _kept = network(&room, "r");
    ip(&room, "netns del r");
    let words = ["it leaves `a` by `eth0` to 10.0.0.254", "cannot be seen from here"];
    blocked(&room, caller, "a", "10.1.0.1:8080", "beyond-sight", &words);
    let told = reach_by(&room, caller, &["--udp", "a", "10.1.0.1:8080"]);
    assert_eq!((&told["reached"], keys(&told)), (&Value::Null, vec!["beyond-sight".to_owned()]), "{told:#}");
}

fn datagrams_are_told_as_far_as_they_tell(caller: &Caller) {
    let room = room!(caller);
    cable(&room);
    let udp = |to: &str| reach_by(&room, caller, &["--udp", "a", to]);
    let told = udp("b:8080");
    assert_eq!(
        (&told["reached"], keys(&told)),
        (&false.into(), vec!["nobody-listens".to_owned()]),
        "{told:#}"
    );
    let server = server(&room, "b", Wanted::Udp { v6: false }, "10.0.0.2:8080");
    let told = udp("b:8080");
    assert_eq!((&told["reached"], &told["attempt"]["outcome"]), (&true.into(), &"silent".into()), "{told:#}");
    assert!(reaching(&room, caller, &["--udp", "a", "b:8080"]).out.contains("as far as UDP tells"));
    // An empty datagram is what it got.
    let mut room_for = [0u8; 8];
    let (length, _) =
        rustix::net::recv(&server, &mut room_for[..], rustix::net::RecvFlags::empty()).expect("a datagram");
    assert_eq!(length, 0);
    let b = network(&room, "b");
    proof::or_skip!(nft::table(&b, 1, true, &[]));
    let told = udp("b:8080");
    assert_eq!((&told["reached"], keys(&told)), (&false.into(), vec!["firewall".to_owned()]), "{told:#}");
}

fn bad_words_are_refused(caller: &Caller) {
    let room = room!(caller);
    let table: &[(&[&str], &str)] = &[
        (&[], "required"),
        (&["a"], "required"),
        (&["a", "b"], "`b`: the port is missing"),
        (&["a", "b:x"], "a port is 1 to 65535"),
        (&["a", "b:70000"], "a port is 1 to 65535"),
        (&["a", "fd00::1:80"], "an IPv6 address stands in brackets"),
        (&["nope", "b:80"], "`nope`: this is no name, pid, inode or id of a namespace, and no file"),
        (&["a", "nope:80"], "`nope`: this is no name, pid, inode or id of a namespace, and no file"),
        (&["/proc/self/ns/uts", "b:80"], "`/proc/self/ns/uts` has no net namespace"),
        (&["--timeout", "0", "a", "b:80"], "no time to answer"),
        (&["--timeout", "soon", "a", "b:80"], "--timeout soon"),
    ];
    for (words, said) in table {
        let words = caller.words(&[&["ns", "reach"], *words].concat());
        let end = ended(&mut room.command(&words.iter().map(String::as_str).collect::<Vec<_>>()));
        assert_eq!((end.code(), end.out.as_str()), (125, ""), "{words:?}: {}", end.err);
        assert!(end.err.contains(said), "{words:?}: {}", end.err);
    }
}
