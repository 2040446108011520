//! Rules of nftables in a network namespace of a test's, by the kernel's own messages: nft(8) need not be installed.

use insula_net::visit::{Wanted, sockets};
use insula_proof::need;
use rustix::fd::OwnedFd;
use rustix::net::{RecvFlags, SendFlags, recv, send};

/// A rule's expressions, one after another.
pub struct Rule(Vec<u8>);

/// What a rule does in the end.
#[derive(Clone, Copy)]
pub enum Verdict {
    Drop,
    Accept,
    /// With a TCP reset.
    Reject,
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(4 + value.len()).expect("a short attribute");
    let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
    bytes.extend_from_slice(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn nest(kind: u16, parts: &[Vec<u8>]) -> Vec<u8> {
    attribute(kind | 0x8000, &parts.concat())
}

fn number(kind: u16, value: u32) -> Vec<u8> {
    attribute(kind, &value.to_be_bytes())
}

fn text(kind: u16, value: &str) -> Vec<u8> {
    attribute(kind, &[value.as_bytes(), &[0]].concat())
}

/// One expression, `NFTA_LIST_ELEM` with name and data.
fn expression(name: &str, data: &[Vec<u8>]) -> Vec<u8> {
    nest(1, &[text(1, name), nest(2, data)])
}

impl Rule {
    pub fn new() -> Rule {
        Rule(Vec::new())
    }

    /// The destination port has to be this one.
    pub fn port(mut self, port: u16) -> Rule {
        self.0.extend(expression("payload", &[number(1, 1), number(2, 2), number(3, 2), number(4, 2)]));
        let value = nest(3, &[attribute(1, &port.to_be_bytes())]);
        self.0.extend(expression("cmp", &[number(1, 1), number(2, 0), value]));
        self
    }

    /// The state of the connection has to be established.
    pub fn established(mut self) -> Rule {
        self.0.extend(expression("ct", &[number(1, 1), number(2, 0)]));
        let mask = nest(4, &[attribute(1, &2u32.to_ne_bytes())]);
        let turn = nest(5, &[attribute(1, &[0; 4])]);
        self.0.extend(expression("bitwise", &[number(1, 1), number(2, 1), number(3, 4), mask, turn]));
        self.0.extend(expression("cmp", &[number(1, 1), number(2, 1), nest(3, &[attribute(1, &[0; 4])])]));
        self
    }

    /// The packet has to be shorter than 60,000 bytes: a test that insula does not know, and that holds.
    pub fn short(mut self) -> Rule {
        self.0.extend(expression("meta", &[number(1, 1), number(2, 0)]));
        let value = nest(3, &[attribute(1, &60_000u32.to_ne_bytes())]);
        self.0.extend(expression("cmp", &[number(1, 1), number(2, 2), value]));
        self
    }

    pub fn counter(mut self) -> Rule {
        self.0.extend(expression("counter", &[attribute(1, &[0; 8]), attribute(2, &[0; 8])]));
        self
    }

    pub fn does(mut self, verdict: Verdict) -> Rule {
        let code = |code: u32| nest(2, &[nest(2, &[number(1, code)])]);
        self.0.extend(match verdict {
            Verdict::Drop => expression("immediate", &[number(1, 0), code(0)]),
            Verdict::Accept => expression("immediate", &[number(1, 0), code(1)]),
            Verdict::Reject => expression("reject", &[number(1, 1), attribute(2, &[0])]),
        });
        self
    }
}

/// A message of a batch: type, flags, family and attributes.
fn message(kind: u16, flags: u16, family: u8, sequence: u32, attributes: &[Vec<u8>]) -> Vec<u8> {
    let body = attributes.concat();
    let length = u32::try_from(20 + body.len()).expect("a short message");
    let mut bytes = length.to_ne_bytes().to_vec();
    bytes.extend([kind.to_ne_bytes(), (flags | 1).to_ne_bytes()].concat());
    bytes.extend([sequence.to_ne_bytes(), [0; 4]].concat());
    bytes.extend([family, 0, 0, 10]);
    bytes.extend(body);
    bytes
}

/// A table with one base chain, `t` and `c`, at a hook (1 input, 2 forward, 3 output) of the family ip; or why there can be
/// none here.
pub fn table(network: &OwnedFd, hook: u32, drops: bool, rules: &[Rule]) -> Result<(), String> {
    const TABLES: u16 = 10 << 8;
    const IP: u8 = 2;
    const CREATE: u16 = 0x400 | 0x4;
    let socket = sockets(rustix::fd::AsFd::as_fd(network), "a network", &[Wanted::Netfilter])
        .map_err(|error| error.to_string())?
        .remove(0)
        .map_err(|errno| format!("the kernel has no netlink of netfilter: {errno}"))?;
    let hooked = nest(4, &[number(1, hook), number(2, 0)]);
    let policy = number(5, u32::from(!drops));
    let mut batch = message(16, 0, 0, 1, &[]);
    batch.extend(message(TABLES, CREATE, IP, 2, &[text(1, "t"), number(2, 0)]));
    batch.extend(message(
        TABLES | 3,
        CREATE,
        IP,
        3,
        &[text(1, "t"), text(3, "c"), hooked, policy, text(7, "filter")],
    ));
    for rule in rules {
        let expressions = attribute(4 | 0x8000, &rule.0);
        batch.extend(message(TABLES | 6, CREATE | 0x800, IP, 4, &[text(1, "t"), text(2, "c"), expressions]));
    }
    batch.extend(message(17, 0, 0, 5, &[]));
    answered(&socket, &batch, 2 + rules.len())
}

/// Takes the table away.
pub fn clear(network: &OwnedFd) {
    let socket = sockets(rustix::fd::AsFd::as_fd(network), "a network", &[Wanted::Netfilter])
        .expect("a netlink socket");
    let socket = socket.into_iter().next().expect("one").expect("a netlink socket");
    let mut batch = message(16, 0, 0, 1, &[]);
    batch.extend(message((10 << 8) | 2, 0x4, 2, 2, &[text(1, "t")]));
    batch.extend(message(17, 0, 0, 3, &[]));
    answered(&socket, &batch, 1).expect("the table is deleted");
}

/// Sends a batch, and waits for as many acknowledgements.
fn answered(socket: &OwnedFd, batch: &[u8], count: usize) -> Result<(), String> {
    send(socket, batch, SendFlags::empty()).map_err(|errno| format!("send to netfilter: {errno}"))?;
    let mut left = count;
    let mut room = [0u8; 8192];
    while left > 0 {
        let (length, _) =
            recv(socket, &mut room[..], RecvFlags::empty()).map_err(|errno| format!("{errno}"))?;
        let mut rest = &room[..length];
        while rest.len() >= 20 {
            let size = u32::from_ne_bytes(rest[..4].try_into().expect("4 bytes"));
            let errno = i32::from_ne_bytes(rest[16..20].try_into().expect("4 bytes"));
            need::that(errno == 0, &format!("nftables refuses the rules of the test: errno {}", -errno))?;
            left = left.saturating_sub(1);
            let size = usize::try_from(size).expect("a length").next_multiple_of(4);
            rest = rest.get(size..).unwrap_or_default();
        }
    }
    Ok(())
}
