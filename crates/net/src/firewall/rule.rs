//! A chain and its rules as data, and the packet that they are asked about.

use std::net::IpAddr;

/// Where in the kernel's way a base chain is asked: `NF_INET_…` of linux/netfilter.h.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hook {
    /// What has come in.
    Prerouting,
    /// What is for this namespace.
    Input,
    /// What is sent on.
    Forward,
    /// What begins here.
    Output,
    /// What leaves.
    Postrouting,
}

impl Hook {
    pub(super) fn from_number(number: u32) -> Option<Hook> {
        let all = [Hook::Prerouting, Hook::Input, Hook::Forward, Hook::Output, Hook::Postrouting];
        all.get(usize::try_from(number).ok()?).copied()
    }

    /// Its name in nft(8).
    pub fn name(self) -> &'static str {
        match self {
            Hook::Prerouting => "prerouting",
            Hook::Input => "input",
            Hook::Forward => "forward",
            Hook::Output => "output",
            Hook::Postrouting => "postrouting",
        }
    }
}

/// A chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// The table's family: 1 inet, 2 ip, 10 ip6; others are not asked.
    pub family: u8,
    /// The table.
    pub table: String,
    /// Its name.
    pub name: String,
    /// Where it is asked, and in which order; `None`: another chain jumps here.
    pub hook: Option<(Hook, i32)>,
    /// What no rule decides about is dropped.
    pub drops: bool,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The table's family.
    pub family: u8,
    /// The table.
    pub table: String,
    /// The chain.
    pub chain: String,
    /// Its number in the table: `nft -a list ruleset` shows it.
    pub handle: u64,
    /// What it does, in order; a test that fails ends it.
    pub parts: Vec<Part>,
}

/// A part of a rule: an expression of nf_tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A register gets something of the packet.
    Load(u32, Loaded),
    /// A register is masked, and bits of it are turned.
    Mask(u32, u32, Vec<u8>, Vec<u8>),
    /// A register is compared with a value: equal, or not.
    Compare(u32, bool, Vec<u8>),
    /// A test that we do not know.
    Unknown,
    /// It counts: how many packets.
    Counter(u64),
    /// The packet is accepted.
    Accept,
    /// It is dropped.
    Drop,
    /// It is refused with an answer.
    Reject,
    /// Another chain is asked; `true`: and this one not any more.
    Jump(String, bool),
    /// The rest of the chain is left out.
    Return,
    /// Something that decides nothing: a log, a mark.
    Aside,
}

/// What of a packet a register gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loaded {
    /// The protocol: `meta l4proto`, or the field of the IP header.
    Protocol,
    /// The family: `meta nfproto`.
    Family,
    /// The name of the device that it came in by.
    InputDevice,
    /// The name of the device that it leaves by.
    OutputDevice,
    /// The source address.
    Source,
    /// The destination address.
    Destination,
    /// The source port.
    SourcePort,
    /// The destination port.
    DestinationPort,
    /// The state of the connection, `ct state`.
    State,
    /// Something else.
    Other,
}

/// The packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// Where from; `None`: not chosen yet.
    pub source: Option<IpAddr>,
    /// Where to.
    pub destination: IpAddr,
    /// `IPPROTO_…`.
    pub protocol: u8,
    /// The port of its source, if it is known.
    pub source_port: Option<u16>,
    /// The port of its destination, if it is known.
    pub destination_port: Option<u16>,
    /// The devices' names.
    pub input: Option<String>,
    /// The same of that which it leaves by.
    pub output: Option<String>,
    /// It answers one that went the other way.
    pub is_answer: bool,
}

impl Packet {
    /// What a register gets; `None`: we do not know.
    pub(super) fn load(&self, loaded: Loaded) -> Option<Vec<u8>> {
        let octets = |address: IpAddr| match address {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        let device = |name: &Option<String>| {
            // IFNAMSIZ, padded with NUL.
            let mut bytes = name.as_ref()?.as_bytes().to_vec();
            bytes.resize(16, 0);
            Some(bytes)
        };
        let port = |port: Option<u16>| port.map(|port| port.to_be_bytes().to_vec());
        match loaded {
            Loaded::Protocol => Some(vec![self.protocol]),
            Loaded::Family => Some(vec![if self.destination.is_ipv4() { 2 } else { 10 }]),
            Loaded::InputDevice => device(&self.input),
            Loaded::OutputDevice => device(&self.output),
            Loaded::Source => self.source.map(octets),
            Loaded::Destination => Some(octets(self.destination)),
            Loaded::SourcePort => port(self.source_port),
            Loaded::DestinationPort => port(self.destination_port),
            // NF_CT_STATE_BIT: new is 8, established 2.
            Loaded::State => Some((if self.is_answer { 2u32 } else { 8 }).to_ne_bytes().to_vec()),
            Loaded::Other => None,
        }
    }
}
