//! Routes, as the kernel tells of them.

use super::{Route, devices, read as route};
use crate::mangle::mangled;
use crate::message::{Malformed, answers};
use crate::number::{RTA_MULTIPATH, RTM_NEWROUTE};

fn read(bytes: &[u8]) -> Result<Route, Malformed> {
    route(&answers(bytes).next().ok_or(Malformed("nothing"))??)
}

fn usual(destination: &str, gateway: Option<&str>) -> Route {
    let gateway = gateway.map(|gateway| gateway.parse().expect("an address"));
    Route::new(destination.parse().expect("a prefix"), gateway, Some(2))
}

/// All that a route can have.
fn full() -> Route {
    let mut route = usual("10.1.0.0/16", Some("10.0.0.2"));
    route.source = "10.0.0.1".parse().ok();
    (route.metric, route.table) = (Some(7), 1000);
    route.others = vec![(8, vec![8, 0, 2, 0, 0, 5, 0, 0])];
    route
}

#[test]
fn what_is_asked_for_reads_as_what_is_told() {
    for given in
        [usual("0.0.0.0/0", Some("10.0.0.2")), usual("10.1.0.0/16", None), usual("::/0", None), full()]
    {
        assert_eq!(read(given.request(RTM_NEWROUTE, 0).sealed(1, 0)), Ok(given));
    }
}

#[test]
fn a_route_is_shown_as_one_writes_it() {
    let table = [
        (usual("0.0.0.0/0", Some("10.0.0.2")), "default via 10.0.0.2"),
        (usual("fd77::/64", None), "fd77::/64"),
        (full(), "10.1.0.0/16 via 10.0.0.2 in the table 1000"),
    ];
    for (route, text) in table {
        assert_eq!(route.to_string(), text);
    }
}

#[test]
fn only_what_somebody_asked_for_is_static() {
    let table =
        [(2, 254, false), (1, 254, false), (9, 254, false), (4, 254, true), (3, 254, true), (4, 255, false)];
    for (protocol, table, is_static) in table {
        let route = Route { protocol, table, ..full() };
        assert_eq!(route.is_static(), is_static, "{protocol} {table}");
    }
    assert!(!Route { is_cloned: true, ..full() }.is_static());
}

#[test]
fn a_route_by_several_devices_is_one_of_each() {
    let hop = |index: u32| [&8u16.to_ne_bytes()[..], &[0, 0], &index.to_ne_bytes()].concat();
    let mut several = full();
    several.index = None;
    several.others.push((RTA_MULTIPATH, [hop(5), hop(9)].concat()));
    let bytes = several.request(RTM_NEWROUTE, 0).sealed(1, 0).to_vec();
    let answer = answers(&bytes).next().unwrap().unwrap();
    assert_eq!(devices(&answer), Ok(vec![5, 9]));
    assert!(route(&answer).unwrap().is_shared);
}

#[test]
fn nothing_malformed_is_a_panic() {
    let mut several = full();
    several.others.push((RTA_MULTIPATH, [8, 0, 0, 0, 5, 0, 0, 0, 8, 0, 0, 0, 9, 0, 0, 0].to_vec()));
    for bytes in mangled(several.request(RTM_NEWROUTE, 0).sealed(1, 0)) {
        for answer in answers(&bytes).flatten() {
            let _ = (route(&answer), devices(&answer));
        }
    }
}
