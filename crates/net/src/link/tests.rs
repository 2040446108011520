//! Devices, as the kernel tells of them.

use super::{Link, Mac, STRUCTURE, State, link, structure};
use crate::mangle::mangled;
use crate::message::{Answer, Malformed, Request, answers};
use crate::number::{
    IFLA_ADDRESS, IFLA_IFNAME, IFLA_INFO_KIND, IFLA_LINK, IFLA_LINK_NETNSID, IFLA_LINKINFO, IFLA_MASTER,
    IFLA_MTU, IFLA_NETNS_IMMUTABLE, IFLA_OPERSTATE, RTM_NEWLINK,
};

fn told() -> Vec<u8> {
    let mut fixed = structure(7, 0x1_0001, 0);
    fixed[2..4].copy_from_slice(&1u16.to_ne_bytes());
    let mut request = Request::new(RTM_NEWLINK, 0, &fixed);
    request.put_text(IFLA_IFNAME, "eth0");
    request.put_u32(IFLA_MTU, 1400);
    request.put(IFLA_ADDRESS, &[2, 0, 0, 0, 0, 0xff]);
    request.put(IFLA_OPERSTATE, &[6]);
    request.put_u32(IFLA_MASTER, 3);
    request.put_u32(IFLA_LINK, 9);
    request.put_i32(IFLA_LINK_NETNSID, 0);
    request.put(IFLA_NETNS_IMMUTABLE, &[1]);
    // What a newer kernel adds is passed over.
    request.put(999, &[1, 2, 3, 4, 5]);
    request.nest(IFLA_LINKINFO, |info| {
        info.put(4, b"bridge\0");
        info.put(IFLA_INFO_KIND, b"veth\0");
    });
    request.sealed(1, 0).to_vec()
}

fn read(bytes: &[u8]) -> Result<Link, Malformed> {
    let answer: Answer<'_> = answers(bytes).next().ok_or(Malformed("nothing"))??;
    link(&answer)
}

#[test]
fn a_device_is_read() {
    let expected = Link {
        index: 7,
        name: "eth0".to_owned(),
        flags: 0x1_0001,
        hardware: 1,
        kind: Some("veth".to_owned()),
        mtu: 1400,
        mac: Mac(vec![2, 0, 0, 0, 0, 0xff]),
        state: State::Up,
        master: Some(3),
        peer: Some(9),
        peer_nsid: Some(0),
        immutable: true,
    };
    assert_eq!(read(&told()), Ok(expected));
}

#[test]
fn a_device_without_a_name_is_none() {
    let bytes = Request::new(RTM_NEWLINK, 0, &[0; STRUCTURE]).sealed(1, 0).to_vec();
    assert!(read(&bytes).is_err());
}

#[test]
fn nothing_malformed_is_a_panic() {
    let good = mangled(&told()).iter().filter(|bytes| read(bytes).is_ok()).count();
    assert!(good > 100, "some are read all the same: {good}");
}

#[test]
fn a_hardware_address_is_read_as_it_is_shown() {
    let text = "02:00:5e:10:00:ff";
    assert_eq!(text.parse::<Mac>().unwrap().to_string(), text);
    for text in [
        "",
        "02:00:5e:10:00",
        "02:00:5e:10:00:01:02",
        "2:0:5e:10:0:1",
        "02-00-5e-10-00-01",
        "+2:00:5e:10:00:01",
    ] {
        assert!(text.parse::<Mac>().is_err(), "{text}");
    }
}
