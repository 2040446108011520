//! Devices.

use crate::room::{Other, has_ip, here, ip};
use insula_net::error::{Act, Error};
use insula_net::link::{self, End, Link, Mac, State};
use insula_net::network::Network;
use insula_net::physical::{self, Fate};
use rustix::fd::AsFd;
use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, sendto, socket_with};

by_everyone!(
    a_pair_is_made_across_two_namespaces,
    a_pair_is_made_as_a_whole_or_not_at_all,
    a_device_is_changed,
    a_bridge_has_ports,
    a_device_moves_bare,
    a_refusal_says_what_the_kernel_said,
    many_devices_are_listed_while_they_change,
    what_others_send_is_not_read,
    no_device_here_is_hardware,
);

pub fn end(name: &str) -> End<'_> {
    End { name, ..End::default() }
}

/// The device of this name.
pub fn device(network: &mut Network, name: &str) -> Link {
    link::by_name(&mut network.socket, name).expect("look").unwrap_or_else(|| panic!("no `{name}`"))
}

fn names(network: &mut Network) -> Vec<String> {
    link::list(&mut network.socket).expect("list").into_iter().map(|link| link.name).collect()
}

fn a_pair_is_made_across_two_namespaces() {
    let (mut here, other) = (here(), Other::new());
    let first = End { mtu: Some(1400), mac: "02:00:00:00:00:01".parse().ok(), ..end("left") };
    link::veth(&mut here.socket, &first, &end("right"), Some(other.file().as_fd())).expect("a pair");
    let left = device(&mut here, "left");
    assert_eq!((left.kind.as_deref(), left.mtu, left.state), (Some("veth"), 1400, State::Down));
    assert_eq!(left.mac.to_string(), "02:00:00:00:00:01");
    assert_eq!(link::by_name(&mut here.socket, "right"), Ok(None));
    let mut there = other.enter();
    let right = device(&mut there, "right");
    assert_eq!((left.peer, right.peer), (Some(right.index), Some(left.index)));
    let nsid = left.peer_nsid.expect("an id of the peer's namespace");
    let seen = link::by_index_in(&mut here.socket, right.index, nsid).expect("look across");
    assert_eq!(seen.expect("it is there").name, "right");
    link::delete(&mut there.socket, right.index, "right").expect("delete it");
    assert_eq!((names(&mut here), names(&mut there)), (vec!["lo".to_owned()], vec!["lo".to_owned()]));
}

fn a_pair_is_made_as_a_whole_or_not_at_all() {
    let (mut here, other) = (here(), Other::new());
    let mut there = other.enter();
    link::veth(&mut there.socket, &end("taken"), &end("t2"), None).expect("a pair");
    let refused = link::veth(&mut here.socket, &end("left"), &end("taken"), Some(other.file().as_fd()));
    assert_eq!(refused.expect_err("the name is taken").errno(), Some(Errno::EXIST));
    assert_eq!(names(&mut here), ["lo"]);
    assert!(matches!(link::veth(&mut here.socket, &end("a/b"), &end("b"), None), Err(Error::Name { .. })));
}

fn a_device_is_changed() {
    let mut here = here();
    link::veth(&mut here.socket, &end("a"), &end("b"), None).expect("a pair");
    let (a, b) = (device(&mut here, "a"), device(&mut here, "b"));
    assert_eq!((a.peer, a.peer_nsid), (Some(b.index), None));
    let socket = &mut here.socket;
    link::set_up(socket, a.index, "a").expect("up");
    link::set_up(socket, b.index, "b").expect("up");
    link::set_mtu(socket, a.index, "a", 1234).expect("mtu");
    let mac: Mac = "02:00:00:00:00:02".parse().expect("an address");
    link::set_address(socket, b.index, "b", &mac).expect("address");
    let a = device(&mut here, "a");
    assert!(a.is_up() && a.has_carrier() && a.mtu == 1234, "{a:?}");
    assert_eq!(device(&mut here, "b").mac, mac);
    if has_ip() {
        let said = ip(&["-o", "link", "show", "a"]);
        assert!(said.contains("mtu 1234") && said.contains("LOWER_UP"), "{said}");
    }
    link::set_down(&mut here.socket, a.index, "a").expect("down");
    link::rename(&mut here.socket, a.index, "a", "c").expect("rename");
    assert!(!device(&mut here, "c").is_up());
    assert_eq!(link::by_index(&mut here.socket, a.index).expect("look").expect("it is there").name, "c");
    assert_eq!(link::by_name(&mut here.socket, "a"), Ok(None));
    assert_eq!(link::by_index(&mut here.socket, 9_999), Ok(None));
}

fn a_bridge_has_ports() {
    let mut here = here();
    link::bridge(&mut here.socket, "br0").expect("a bridge");
    link::veth(&mut here.socket, &end("a"), &end("b"), None).expect("a pair");
    let (bridge, a) = (device(&mut here, "br0"), device(&mut here, "a"));
    assert_eq!(bridge.kind.as_deref(), Some("bridge"));
    link::set_master(&mut here.socket, a.index, "a", bridge.index).expect("a port");
    // A port's IFLA_LINKINFO has the master's kind beside its own.
    let a = device(&mut here, "a");
    assert_eq!((a.master, a.kind.as_deref()), (Some(bridge.index), Some("veth")));
    let itself = link::set_master(&mut here.socket, bridge.index, "br0", bridge.index).expect_err("a circle");
    assert!(itself.hint().is_some(), "{itself}");
    link::set_master(&mut here.socket, a.index, "a", 0).expect("out");
    assert_eq!(device(&mut here, "a").master, None);
}

fn a_device_moves_bare() {
    let (mut here, other) = (here(), Other::new());
    link::veth(&mut here.socket, &end("a"), &end("b"), None).expect("a pair");
    let a = device(&mut here, "a");
    link::set_up(&mut here.socket, a.index, "a").expect("up");
    let file = other.file();
    link::move_to(&mut here.socket, a.index, "move `a`", file.as_fd(), Some("z")).expect("move");
    assert_eq!(names(&mut here), ["lo", "b"]);
    let mut there = other.enter();
    assert!(!device(&mut there, "z").is_up(), "that is why there is `moving`");
}

fn a_refusal_says_what_the_kernel_said() {
    let (mut here, other) = (here(), Other::new());
    let lo = device(&mut here, "lo");
    let refused = link::move_to(&mut here.socket, lo.index, "move `lo`", other.file().as_fd(), Some("x"));
    let refused = refused.expect_err("loopback stays");
    let Error::Refused { act: Act::Move, errno: Errno::INVAL, said, .. } = &refused else {
        panic!("{refused}")
    };
    // A text came with Linux 5.16 or so; where there is one it is shown.
    assert!(said.as_ref().is_none_or(|said| refused.to_string().ends_with(&format!("({said})"))));
    assert!(refused.hint().expect("a hint").contains("bound to its network namespace"));
    let refused = link::set_mtu(&mut here.socket, lo.index, "lo", u32::MAX).expect_err("too long");
    assert!(
        refused.to_string().starts_with("set the mtu of `lo` to 4294967295: Invalid argument"),
        "{refused}"
    );
    let gone = link::set_up(&mut here.socket, 9_999, "x").expect_err("no such device");
    assert_eq!(gone.errno(), Some(Errno::NODEV));
}

/// The kernel breaks a long list into datagrams, and says so where the list has changed between two of them.
fn many_devices_are_listed_while_they_change() {
    let mut here = here();
    for number in 0..60 {
        let (first, second) = (format!("a{number}"), format!("b{number}"));
        link::veth(&mut here.socket, &end(&first), &end(&second), None).expect("a pair");
    }
    let own = std::fs::File::open("/proc/thread-self/ns/net").expect("open our namespace");
    std::thread::scope(|scope| {
        let changer = scope.spawn(|| {
            let mut there = Network::enter(own.into(), "the same namespace").expect("enter");
            for _ in 0..40 {
                link::veth(&mut there.socket, &end("x"), &end("y"), None).expect("a pair");
                let x = device(&mut there, "x");
                link::delete(&mut there.socket, x.index, "x").expect("delete it");
            }
        });
        while !changer.is_finished() {
            let mut names = names(&mut here);
            names.retain(|name| name.len() > 1);
            assert_eq!(names.len(), 121, "each once: {names:?}");
        }
    });
}

/// Whoever may change devices here can send to our socket as well, as if it were the kernel.
fn what_others_send_is_not_read() {
    let mut here = here();
    let _ = names(&mut here);
    let port = rustix::net::getsockname(&here.socket).expect("our port");
    let port = SocketAddrNetlink::try_from(port).expect("a netlink address");
    let forger =
        socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None).expect("a socket");
    // An error, for each number that the next request can have.
    for sequence in 0..9u32 {
        let mut bytes = vec![0; 36];
        for (at, value) in [(0, 36), (4, 2), (8, sequence), (16, (-5_i32).cast_unsigned())] {
            bytes[at..at + 4].copy_from_slice(&value.to_ne_bytes());
        }
        sendto(&forger, &bytes, SendFlags::empty(), &port).expect("send");
    }
    assert_eq!(names(&mut here), ["lo"]);
    link::bridge(&mut here.socket, "br0").expect("a bridge");
}

fn no_device_here_is_hardware() {
    let mut here = here();
    link::veth(&mut here.socket, &end("a"), &end("b"), None).expect("a pair");
    link::bridge(&mut here.socket, "br0").expect("a bridge");
    assert_eq!(physical::list(&mut here.socket), Ok(vec![]));
    let fates: Vec<Fate> = link::list(&mut here.socket).expect("list").iter().map(physical::fate).collect();
    assert_eq!(fates, [Fate::Bound, Fate::Deleted, Fate::Deleted, Fate::Deleted]);
}

/// Whoever has a device below it in sysfs is hardware: `/sys/class/net/DEV/device`.
#[test]
fn the_hosts_hardware_is_known() {
    let listed: Vec<String> = physical::list(&mut crate::room::here().socket)
        .expect("list")
        .into_iter()
        .map(|link| link.name)
        .collect();
    let entries = std::fs::read_dir("/sys/class/net").into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.path().join("device").exists()) {
        let name = entry.file_name().into_string().expect("UTF-8");
        // /sys may show another namespace's than the one that we are in.
        if link::by_name(&mut crate::room::here().socket, &name).expect("look").is_some() {
            assert!(listed.contains(&name), "{name} is not in {listed:?}");
        }
    }
    assert!(!listed.contains(&"lo".to_owned()));
}
