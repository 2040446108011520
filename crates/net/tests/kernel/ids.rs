//! Ids of network namespaces.

use crate::room::{Other, has_ip, here, ip};
use insula_net::link::{self, End};
use insula_net::nsid::{self, Event, Events};
use rustix::fd::AsFd;
use rustix::io::Errno;

by_everyone!(
    an_id_is_given_once_and_listed,
    an_id_is_translated,
    another_namespaces_ids_are_listed,
    events_tell_of_ids,
    what_is_no_namespace_is_refused,
);

fn an_id_is_given_once_and_listed() {
    let (mut here, other, third) = (here(), Other::new(), Other::new());
    let socket = &mut here.socket;
    assert_eq!(nsid::get(socket, other.file().as_fd()), Ok(None));
    assert_eq!(nsid::list(socket, None), Ok(vec![]));
    nsid::set(socket, other.file().as_fd(), Some(7)).expect("give an id");
    assert_eq!(nsid::get(socket, other.file().as_fd()), Ok(Some(7)));
    for (namespace, id) in [(&other, Some(8)), (&other, None), (&third, Some(7))] {
        let refused = nsid::set(socket, namespace.file().as_fd(), id).expect_err("it is given");
        assert_eq!(refused.errno(), Some(Errno::EXIST), "{refused}");
        assert!(refused.hint().is_some());
    }
    nsid::set(socket, third.file().as_fd(), None).expect("give any id");
    let any = nsid::get(socket, third.file().as_fd()).expect("ask").expect("an id");
    let mut ids: Vec<i32> = nsid::list(socket, None).expect("list").iter().map(|entry| entry.nsid).collect();
    ids.sort_unstable();
    assert_eq!(ids, [any, 7]);
    if has_ip() {
        let said = ip(&["netns", "list-id"]);
        assert!(said.contains("nsid 7") && said.contains(&format!("nsid {any}")), "{said}");
    }
}

fn an_id_is_translated() {
    let (mut here, other, third) = (here(), Other::new(), Other::new());
    nsid::set(&mut here.socket, other.file().as_fd(), Some(1)).expect("give an id");
    nsid::set(&mut here.socket, third.file().as_fd(), Some(2)).expect("give an id");
    nsid::set(&mut other.enter().socket, third.file().as_fd(), Some(30)).expect("give an id there");
    let entry = nsid::translate(&mut here.socket, 2, Some(1)).expect("translate");
    assert_eq!((entry.nsid, entry.current), (30, Some(2)));
    assert_eq!(nsid::translate(&mut here.socket, 2, None).map(|entry| entry.nsid), Ok(2));
    let none = nsid::translate(&mut here.socket, 9, None).expect_err("nobody's");
    assert_eq!(none.errno(), Some(Errno::NOENT));
}

fn another_namespaces_ids_are_listed() {
    let (mut here, other, third) = (here(), Other::new(), Other::new());
    nsid::set(&mut here.socket, other.file().as_fd(), Some(1)).expect("give an id");
    nsid::set(&mut here.socket, third.file().as_fd(), Some(2)).expect("give an id");
    let mut there = other.enter();
    nsid::set(&mut there.socket, third.file().as_fd(), Some(30)).expect("give an id there");
    nsid::set(&mut there.socket, here.file.as_fd(), Some(31)).expect("give an id there");
    let mut ids = nsid::list(&mut here.socket, Some(1)).expect("list");
    ids.sort_unstable();
    assert_eq!(ids.iter().map(|entry| entry.nsid).collect::<Vec<_>>(), [30, 31]);
    assert_eq!(ids[0].current, Some(2));
}

fn events_tell_of_ids() {
    let (mut here, other) = (here(), Other::new());
    let mut events = Events::listen().expect("listen");
    nsid::set(&mut here.socket, other.file().as_fd(), Some(5)).expect("give an id");
    assert_eq!(events.wait(), Ok(vec![Event::Added(5)]));
    drop(other);
    assert_eq!(events.wait(), Ok(vec![Event::Deleted(5)]));
    // The kernel gives one where a pair is made across namespaces.
    let another = Other::new();
    let (first, second) = (End { name: "a", ..End::default() }, End { name: "b", ..End::default() });
    link::veth(&mut here.socket, &first, &second, Some(another.file().as_fd())).expect("make a pair");
    assert!(matches!(events.wait().as_deref(), Ok([Event::Added(_)])));
}

fn what_is_no_namespace_is_refused() {
    let mut here = here();
    let file = std::fs::File::open("/proc/self/status").expect("open a file");
    let refused = nsid::get(&mut here.socket, file.as_fd()).expect_err("no namespace");
    assert_eq!(refused.errno(), Some(Errno::INVAL), "{refused}");
}
