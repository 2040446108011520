//! Moves: what a device keeps, and what happens when it cannot.

use crate::links::{device, end};
use crate::room::{Other, has_ip, here, ip};
use insula_net::address::{self, Address};
use insula_net::error::Error;
use insula_net::link::{self, End};
use insula_net::moving::{Reason, relocate};
use insula_net::network::Network;
use insula_net::route::{self, Route};
use rustix::fd::AsFd;
use rustix::io::Errno;

by_everyone!(
    a_device_keeps_what_it_has,
    a_device_that_is_down_stays_down,
    a_taken_name_changes_nothing,
    what_cannot_be_given_back_undoes_the_move,
    what_makes_no_sense_there_is_told,
    what_is_bound_stays,
    addresses_of_all_sorts_are_added_and_read,
    routes_are_added_and_deleted,
    a_kernel_that_lacks_the_options_gives_the_same,
);

fn add(network: &mut Network, name: &str, local: &str) -> Address {
    let address = Address::new(device(network, name).index, local.parse().expect("a prefix"));
    address::add(&mut network.socket, name, &address).expect("add an address");
    address
}

/// Addresses as a person would write them, without those that the kernel makes of the hardware's.
fn addresses(network: &mut Network, name: &str) -> Vec<String> {
    let index = device(network, name).index;
    let all = address::list(&mut network.socket, Some(index)).expect("list");
    let text = |address: &Address| match address.peer {
        Some(peer) => format!("{} to {peer}", address.local),
        None => address.local.to_string(),
    };
    all.iter().map(text).filter(|text| !text.starts_with("fe80")).collect()
}

fn routes(network: &mut Network, name: &str) -> Vec<String> {
    let index = device(network, name).index;
    let all = route::list(&mut network.socket, Some(index)).expect("list");
    let text = |route: &Route| format!("{route} metric {:?} from {:?}", route.metric, route.source);
    all.iter().filter(|route| route.is_static()).map(text).collect()
}

fn route(network: &mut Network, name: &str, destination: &str, gateway: Option<&str>) -> Route {
    let gateway = gateway.map(|gateway| gateway.parse().expect("an address"));
    Route::new(destination.parse().expect("a prefix"), gateway, Some(device(network, name).index))
}

/// A pair `a`, `b`, both up, `a` with addresses and routes of several sorts.
fn furnished(here: &mut Network) {
    let first = End { mtu: Some(1400), mac: "02:00:00:00:00:01".parse().ok(), ..end("a") };
    link::veth(&mut here.socket, &first, &end("b"), None).expect("a pair");
    for name in ["a", "b"] {
        let index = device(here, name).index;
        link::set_up(&mut here.socket, index, name).expect("up");
    }
    for local in ["10.0.0.1/24", "10.0.0.3/24", "10.9.0.1/16"] {
        add(here, "a", local);
    }
    let index = device(here, "a").index;
    let line = Address {
        peer: "10.5.0.2".parse().ok(),
        broadcast: None,
        ..Address::new(index, "10.5.0.1/32".parse().expect("a prefix"))
    };
    let labelled = Address {
        label: Some("a:x".to_owned()),
        metric: Some(77),
        lifetime: Some((1_000, 2_000)),
        scope: 253,
        ..Address::new(index, "10.6.0.1/24".parse().expect("a prefix"))
    };
    let quiet = Address::new(index, "fd00::1/64".parse().expect("a prefix")).without_inquiry();
    for address in [&line, &labelled, &quiet] {
        address::add(&mut here.socket, "a", address).expect("add an address");
    }
    // The gateway of the first is behind the second: the order is not that in which they can be added.
    let mut near = route(here, "a", "10.77.0.0/16", None);
    let mut far = route(here, "a", "10.1.0.0/16", Some("10.77.0.1"));
    far.metric = Some(5);
    near.source = "10.0.0.3".parse().ok();
    near.table = 254;
    let mut six = route(here, "a", "fd77::/64", Some("fd00::2"));
    six.source = "fd00::1".parse().ok();
    let mut other_table = route(here, "a", "0.0.0.0/0", Some("10.0.0.2"));
    other_table.table = 1_000;
    for route in [near, far, six, other_table, route(here, "a", "0.0.0.0/0", Some("10.0.0.2"))] {
        route::add(&mut here.socket, &route).expect("add a route");
    }
}

fn a_device_keeps_what_it_has() {
    let (mut here, other) = (here(), Other::new());
    furnished(&mut here);
    let before = (device(&mut here, "a"), addresses(&mut here, "a"), routes(&mut here, "a"));
    assert_eq!((before.1.len(), before.2.len()), (6, 5), "{before:?}");
    let list = |network: &mut Network, name: &str| {
        let index = device(network, name).index;
        let mut all = address::list(&mut network.socket, Some(index)).expect("list");
        all.retain(|address| !address.local.to_string().starts_with("fe80"));
        all
    };
    let details = list(&mut here, "a");
    let mut there = other.enter();
    let moved = relocate(&mut here, &mut there, "a", None).expect("move");
    assert!(moved.lost.is_empty(), "{:?}", moved.lost);
    let after = (device(&mut there, "a"), addresses(&mut there, "a"), routes(&mut there, "a"));
    assert_eq!((after.0.mtu, &after.0.mac, after.0.is_up()), (1400, &before.0.mac, true));
    assert_eq!((&after.1, &after.2), (&before.1, &before.2));
    assert_eq!(link::by_name(&mut here.socket, "a"), Ok(None));
    for (was, is) in details.iter().zip(list(&mut there, "a")) {
        assert_eq!(
            (was.scope, was.flags, &was.label, was.metric, was.broadcast),
            (is.scope, is.flags, &is.label, is.metric, is.broadcast)
        );
        let lifetime =
            |address: &Address| address.lifetime.map(|(preferred, valid)| (preferred / 100, valid / 100));
        assert!(
            was.lifetime.is_none()
                || lifetime(&is).is_some_and(|(a, b)| (9..=10).contains(&a) && (19..=20).contains(&b)),
            "{is:?}"
        );
    }
    if has_ip() {
        let said = other.ip(&["-o", "addr", "show", "a"]);
        assert!(said.contains("10.5.0.1 peer 10.5.0.2/32") && said.contains("fd00::1/64"), "{said}");
    }
    // And back, under another name; asked for by a name beside its own, if ip(8) is there to give it one.
    let by = if has_ip() {
        other.ip(&["link", "property", "add", "dev", "a", "altname", "beside"]);
        "beside"
    } else {
        "a"
    };
    let moved = relocate(&mut there, &mut here, by, Some("c")).expect("move back");
    assert!(moved.lost.is_empty(), "{:?}", moved.lost);
    assert_eq!((addresses(&mut here, "c"), routes(&mut here, "c")), (before.1, before.2));
    let labels: Vec<_> = list(&mut here, "c").into_iter().filter_map(|address| address.label).collect();
    assert!(labels.contains(&"c:x".to_owned()) && labels.contains(&"c".to_owned()), "{labels:?}");
}

fn a_device_that_is_down_stays_down() {
    let (mut here, other) = (here(), Other::new());
    link::veth(&mut here.socket, &end("a"), &end("b"), None).expect("a pair");
    add(&mut here, "a", "10.0.0.1/24");
    let mut there = other.enter();
    let moved = relocate(&mut here, &mut there, "a", None).expect("move");
    assert!(!moved.link.is_up() && !device(&mut there, "a").is_up());
    assert_eq!(addresses(&mut there, "a"), ["10.0.0.1/24"]);
}

fn a_taken_name_changes_nothing() {
    let (mut here, other) = (here(), Other::new());
    furnished(&mut here);
    let before = (device(&mut here, "a"), addresses(&mut here, "a"), routes(&mut here, "a"));
    let mut there = other.enter();
    link::veth(&mut there.socket, &end("a"), &end("z"), None).expect("a pair");
    for new in [None, Some("a"), Some("z")] {
        let refused = relocate(&mut here, &mut there, "a", new).expect_err("the name is taken");
        assert_eq!(refused.errno(), Some(Errno::EXIST), "{refused}");
    }
    assert_eq!((device(&mut here, "a"), addresses(&mut here, "a"), routes(&mut here, "a")), before);
    let moved = relocate(&mut here, &mut there, "a", Some("free")).expect("move");
    assert_eq!(moved.link.name, "free");
    assert_eq!(addresses(&mut there, "free"), before.1);
}

fn what_cannot_be_given_back_undoes_the_move() {
    let (mut here, other) = (here(), Other::new());
    furnished(&mut here);
    link::bridge(&mut here.socket, "br0").expect("a bridge");
    let (a, bridge) = (device(&mut here, "a"), device(&mut here, "br0"));
    link::set_master(&mut here.socket, a.index, "a", bridge.index).expect("a port");
    let before = (device(&mut here, "a"), addresses(&mut here, "a"), routes(&mut here, "a"));
    // Where IPv6 is switched off its addresses cannot be had.
    other.sysctl("net/ipv6/conf/default/disable_ipv6", "1");
    let mut there = other.enter();
    let refused = relocate(&mut here, &mut there, "a", Some("n")).expect_err("no IPv6 there");
    assert!(matches!(&refused, Error::Undone(_)), "{refused}");
    assert!(refused.to_string().contains("add the address fd00::1/64"), "{refused}");
    assert!(refused.hint().expect("a hint").contains("disable_ipv6"));
    assert_eq!(link::by_name(&mut there.socket, "n"), Ok(None));
    assert_eq!((addresses(&mut here, "a"), routes(&mut here, "a")), (before.1, before.2));
    let after = device(&mut here, "a");
    assert_eq!((after.master, after.is_up(), after.mtu), (before.0.master, true, before.0.mtu));
}

fn what_makes_no_sense_there_is_told() {
    let (mut here, other) = (here(), Other::new());
    furnished(&mut here);
    add(&mut here, "b", "10.0.1.1/24");
    link::bridge(&mut here.socket, "br0").expect("a bridge");
    let (a, bridge) = (device(&mut here, "a"), device(&mut here, "br0"));
    // Reached by the other device, which stays.
    let stays = route(&mut here, "b", "10.88.0.0/16", None);
    route::add(&mut here.socket, &stays).expect("add a route");
    let mut onto = route(&mut here, "a", "10.89.0.0/16", Some("10.0.0.2"));
    onto.metric = Some(1);
    route::add(&mut here.socket, &onto).expect("add a route");
    if has_ip() {
        ip(&[
            "route",
            "add",
            "10.90.0.0/16",
            "nexthop",
            "via",
            "10.0.0.2",
            "dev",
            "a",
            "nexthop",
            "via",
            "10.0.1.2",
            "dev",
            "b",
        ]);
    }
    link::set_master(&mut here.socket, a.index, "a", bridge.index).expect("a port");
    let mut there = other.enter();
    let moved = relocate(&mut here, &mut there, "a", None).expect("move");
    let lost: Vec<String> = moved.lost.iter().map(|lost| lost.what.clone()).collect();
    assert!(lost.contains(&"its place in `br0`".to_owned()), "{lost:?}");
    assert!(!has_ip() || lost.contains(&"the route 10.90.0.0/16".to_owned()), "{lost:?}");
    assert!(moved.lost.iter().all(|lost| matches!(lost.why, Reason::LeftBehind(_))), "{:?}", moved.lost);
    assert!(routes(&mut there, "a").iter().any(|route| route.starts_with("10.89.0.0/16")));
    assert!(
        routes(&mut here, "b").iter().any(|route| route.starts_with("10.88.0.0/16")),
        "others' are let be"
    );
}

fn what_is_bound_stays() {
    let (mut here, other) = (here(), Other::new());
    link::bridge(&mut here.socket, "br0").expect("a bridge");
    let mut there = other.enter();
    for (name, new) in [("lo", None), ("lo", Some("x")), ("br0", None)] {
        let refused = relocate(&mut here, &mut there, name, new).expect_err("it is bound");
        assert!(refused.hint().expect("a hint").contains("bound to its network namespace"), "{refused}");
        assert_eq!(device(&mut here, name).name, name);
    }
    let refused = relocate(&mut here, &mut there, "none", None).expect_err("there is none");
    assert!(matches!(refused, Error::NoDevice { .. }));
}

fn addresses_of_all_sorts_are_added_and_read() {
    let mut here = here();
    furnished(&mut here);
    let all = addresses(&mut here, "a");
    for address in ["10.0.0.1/24", "10.0.0.3/24", "10.5.0.1/32 to 10.5.0.2", "10.6.0.1/24", "fd00::1/64"] {
        assert!(all.contains(&address.to_owned()), "{address} is not in {all:?}");
    }
    if has_ip() {
        let said = ip(&["-o", "addr", "show", "a"]);
        for part in [
            "10.0.0.1/24 brd 10.0.0.255 scope global a\\",
            "10.0.0.3/24 brd 10.0.0.255 scope global secondary a\\",
            "10.5.0.1 peer 10.5.0.2/32 scope global a\\",
            "10.6.0.1/24 metric 77 brd 10.6.0.255 scope link dynamic a:x\\",
            "fd00::1/64 scope global nodad",
        ] {
            assert!(said.contains(part), "{part} is not in {said}");
        }
    }
    let index = device(&mut here, "a").index;
    let twice = Address::new(index, "10.0.0.1/24".parse().expect("a prefix"));
    let refused = address::add(&mut here.socket, "a", &twice).expect_err("it is there");
    assert_eq!(refused.errno(), Some(Errno::EXIST));
    for address in address::list(&mut here.socket, Some(index)).expect("list") {
        match address::delete(&mut here.socket, "a", &address) {
            // With the first of a network go the others.
            Err(error) if error.errno() == Some(Errno::ADDRNOTAVAIL) => {}
            deleted => deleted.expect("delete an address"),
        }
    }
    assert_eq!(address::list(&mut here.socket, Some(index)), Ok(vec![]));
}

fn routes_are_added_and_deleted() {
    let mut here = here();
    furnished(&mut here);
    if has_ip() {
        let said = ip(&["route", "show", "table", "all"]);
        for part in [
            "default via 10.0.0.2 dev a proto static",
            "default via 10.0.0.2 dev a table 1000 proto static",
            "10.1.0.0/16 via 10.77.0.1 dev a proto static metric 5",
            "10.77.0.0/16 dev a proto static scope link src 10.0.0.3",
        ] {
            assert!(said.contains(part), "{part} is not in {said}");
        }
    }
    let before = routes(&mut here, "a").len();
    let default = route(&mut here, "a", "0.0.0.0/0", Some("10.0.0.2"));
    assert_eq!(route::add(&mut here.socket, &default).expect_err("it is there").errno(), Some(Errno::EXIST));
    route::delete(&mut here.socket, &default).expect("delete a route");
    assert_eq!(routes(&mut here, "a").len(), before - 1);
    assert_eq!(route::delete(&mut here.socket, &default).expect_err("it is gone").errno(), Some(Errno::SRCH));
    let nowhere = route(&mut here, "a", "10.2.0.0/16", Some("10.123.0.1"));
    let refused = route::add(&mut here.socket, &nowhere).expect_err("the gateway is nowhere");
    assert!(refused.hint().expect("a hint").contains("the gateway"), "{refused}");
}

/// As before Linux 4.20: lists come unfiltered, refusals without a text.
fn a_kernel_that_lacks_the_options_gives_the_same() {
    let mut here = here();
    furnished(&mut here);
    add(&mut here, "b", "10.0.9.1/24");
    let all = |here: &mut Network| {
        let lists = (addresses(here, "a"), addresses(here, "b"), routes(here, "a"));
        let twice = Address::new(device(here, "a").index, "10.0.0.1/24".parse().expect("a prefix"));
        (lists, address::add(&mut here.socket, "a", &twice).expect_err("it is there"))
    };
    let with = all(&mut here);
    for option in [10, 11, 12] {
        insula_sys::net::netlink_option(here.socket.as_fd(), option, false).expect("switch it off");
    }
    let without = all(&mut here);
    assert_eq!(with.0, without.0);
    assert_eq!(without.1.to_string(), "add the address 10.0.0.1/24 to `a`: File exists");
    assert_eq!(with.1.hint(), without.1.hint());
}
