//! Addresses, as the kernel tells of them.

use super::{Address, address};
use crate::mangle::mangled;
use crate::message::{Malformed, answers};
use crate::number::RTM_NEWADDR;

fn read(bytes: &[u8]) -> Result<Address, Malformed> {
    address(&answers(bytes).next().ok_or(Malformed("nothing"))??)
}

fn usual(local: &str) -> Address {
    Address::new(2, local.parse().expect("a prefix"))
}

#[test]
fn what_is_asked_for_reads_as_what_is_told() {
    for given in [
        Address { broadcast: None, ..usual("10.0.0.1/24") },
        Address { peer: "10.0.0.2".parse().ok(), broadcast: None, ..usual("10.0.0.1/32") },
        usual("fd00::1/64"),
    ] {
        assert_eq!(read(given.request(RTM_NEWADDR, 0).sealed(1, 0)), Ok(given));
    }
}

#[test]
fn what_a_person_gives_gets_its_scope_and_broadcast() {
    let table = [
        ("10.0.0.1/24", Some("10.0.0.255"), "global"),
        ("10.0.0.1/31", None, "global"),
        ("127.0.0.1/8", None, "host"),
        ("fd00::1/64", None, "global"),
    ];
    for (local, broadcast, scope) in table {
        let address = usual(local);
        assert_eq!(address.broadcast.map(|address| address.to_string()).as_deref(), broadcast);
        assert_eq!(address.scope_name(), Some(scope));
    }
}

#[test]
fn a_prefix_longer_than_its_address_is_refused() {
    let mut bytes = usual("10.0.0.1/24").request(RTM_NEWADDR, 0).sealed(1, 0).to_vec();
    bytes[17] = 33;
    assert_eq!(read(&bytes), Err(Malformed("a prefix length")));
}

#[test]
fn nothing_malformed_is_a_panic() {
    for local in ["10.0.0.1/24", "fd00::1/64"] {
        let given = Address { peer: Some(usual(local).local.network().address), ..usual(local) };
        let all = mangled(given.request(RTM_NEWADDR, 0).sealed(1, 0));
        assert!(all.iter().filter(|bytes| read(bytes).is_ok()).count() > 100);
    }
}
