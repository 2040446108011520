//! `show`.

use crate::caller::{Caller, ended};
use crate::pairs::room;
use crate::room::Room;
use insula_proof as proof;

by_everyone!(
    what_is_shown_is_what_ip_shows,
    the_other_end_is_named_with_its_namespace,
    people_see_columns,
    a_stranger_sees_what_is_there,
);

fn what_is_shown_is_what_ip_shows(caller: &Caller) {
    let room = room!(caller);
    room.done("pair a:x=10.0.0.1/24,fd00::1/64 b:y=10.0.0.2/24");
    room.done("pair a:u a:v --mtu 1300");
    room.done("bridge a:br0=10.9.0.1/16 u");
    room.done("addr a:x 10.1.0.1/32 --peer 10.1.0.2");
    let ours = room.settled("a");
    let ips = room.ip("a", "-d addr show");
    assert_eq!(ours.len(), ips.as_array().expect("a list").len());
    for (our, ip) in ours.iter().zip(ips.as_array().expect("a list")) {
        let flags = ip["flags"].as_array().expect("a list");
        assert_eq!(our["name"], ip["ifname"]);
        assert_eq!((&our["index"], &our["mtu"], &our["mac"]), (&ip["ifindex"], &ip["mtu"], &ip["address"]));
        assert_eq!(our["state"], ip["operstate"].as_str().expect("a word").to_lowercase().as_str(), "{our}");
        assert_eq!((&our["kind"], &our["master"]), (&ip["linkinfo"]["info_kind"], &ip["master"]), "{our}");
        assert_eq!(our["up"], flags.contains(&"UP".into()));
        assert_eq!(our["carrier"], flags.contains(&"LOWER_UP".into()));
        assert_eq!(our["peer"]["nsid"], ip["link_netnsid"]);
        let addresses = our["addresses"].as_array().expect("a list");
        let theirs = ip["addr_info"].as_array().expect("a list");
        assert_eq!(addresses.len(), theirs.len(), "{our} {ip}");
        for (address, its) in addresses.iter().zip(theirs) {
            let pairs = [
                ("address", "local"),
                ("prefix", "prefixlen"),
                ("scope", "scope"),
                ("peer", "address"),
                ("broadcast", "broadcast"),
            ];
            for (ours, theirs) in pairs {
                assert_eq!(address[ours], its[theirs], "{ours} of {address}");
            }
        }
    }
}

fn the_other_end_is_named_with_its_namespace(caller: &Caller) {
    let room = room!(caller);
    room.done("pair a:x b:y");
    room.done("pair a:u h");
    room.done("pair a:v a:w");
    let peers: Vec<String> = room
        .shown("a")
        .iter()
        .map(|device| {
            let peer = &device["peer"];
            format!("{} {} {}", device["name"], peer["name"], peer["netns"]).replace('"', "")
        })
        .collect();
    for peer in ["lo null null", "x y b", "u h host", "v w null", "w v null"] {
        assert!(peers.contains(&peer.to_owned()), "{peer} is not in {peers:?}");
    }
    let said = room.link("show a:x a:u a:v").said();
    let ends: Vec<String> =
        said.lines().skip(1).map(|line| line.split("  ").last().unwrap_or("").trim().to_owned()).collect();
    assert_eq!(ends, ["y in b", "h in host", "w"]);
}

fn people_see_columns(caller: &Caller) {
    let room = room!(caller);
    room.done("pair a:x=10.0.0.1/24 b:y");
    room.settled("a");
    let said = room.link("show --in a x").said();
    let lines: Vec<Vec<&str>> = said.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["DEVICE", "KIND", "STATE", "MTU", "MAC", "ADDRESSES", "MASTER", "PEER"]);
    let mac = room.shown("a")[1]["mac"].as_str().expect("an address").to_owned();
    assert_eq!(lines[1], ["x", "veth", "no", "carrier", "1500", &mac, "10.0.0.1/24", "-", "y", "in", "b"]);
    assert_eq!(lines.len(), 2);
    room.refuses("show --in a nope", &["no device `nope` in the network namespace `a`"]);
}

/// Whoever has no right to change anything may look: here, and where the files can be opened.
fn a_stranger_sees_what_is_there(caller: &Caller) {
    let own = ended(&mut caller.insula(&["link", "show", "--json"])).said();
    let own: Vec<serde_json::Value> = serde_json::from_str(&own).expect("JSON");
    assert!(own.iter().any(|device| device["loopback"] == true), "{own:?}");
    let room = room!(caller);
    room.done("pair x=10.0.0.1/24 y=10.0.0.2/24");
    // From outside, where an ordinary user is the owner of the user namespace and no more.
    let words = ["link", "show", "--json", "--in", room.pid()];
    let shown: Vec<serde_json::Value> =
        serde_json::from_str(&ended(&mut caller.insula(&words)).said()).expect("JSON");
    assert_eq!(shown.len(), 3, "{shown:?}");
    let words = ["link", "down", "x", "--in", room.pid()];
    assert_eq!(ended(&mut caller.insula(&words)).said(), "");
    let x = room.shown("host").into_iter().find(|device| device["name"] == "x").expect("it is there");
    assert_eq!(x["up"], false);
}
