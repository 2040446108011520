//! Reads the chains and rules of nf_tables, by its netlink (linux/netfilter/nf_tables.h). Numbers are big-endian there.

use super::rule::{Chain, Hook, Loaded, Part, Rule};
use crate::error::Error;
use crate::message::{Answer, Malformed, Request, attributes, text, u8_at};
use crate::socket::Socket;

/// `NFNL_SUBSYS_NFTABLES` and the messages of a list and its entries.
const SUBSYSTEM: u16 = 10 << 8;
const NFT_MSG_NEWCHAIN: u16 = SUBSYSTEM | 3;
const NFT_MSG_GETCHAIN: u16 = SUBSYSTEM | 4;
const NFT_MSG_NEWRULE: u16 = SUBSYSTEM | 6;
const NFT_MSG_GETRULE: u16 = SUBSYSTEM | 7;
/// The length of `struct nfgenmsg`.
const STRUCTURE: usize = 4;

/// All chains and rules of a namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ruleset {
    /// The chains.
    pub chains: Vec<Chain>,
    /// The rules, in the order of each chain.
    pub rules: Vec<Rule>,
}

impl Ruleset {
    /// The rules of a chain.
    pub(super) fn of<'r>(&'r self, chain: &'r Chain) -> impl Iterator<Item = &'r Rule> {
        self.rules.iter().filter(move |rule| {
            rule.family == chain.family && rule.table == chain.table && rule.chain == chain.name
        })
    }

    /// A chain by its name, in the table of another.
    pub(super) fn find(&self, beside: &Chain, name: &str) -> Option<&Chain> {
        self.chains
            .iter()
            .find(|chain| chain.family == beside.family && chain.table == beside.table && chain.name == name)
    }
}

/// Loads them; the socket is of `NETLINK_NETFILTER`. EPERM: it wants CAP_NET_ADMIN over the namespace; EINVAL: the kernel
/// has no nf_tables, or they were never used.
pub fn load(socket: &mut Socket) -> Result<Ruleset, Error> {
    let request = |kind| Request::new(kind, 0, &[0; STRUCTURE]);
    let chains = socket.list("list the chains of nftables", &mut request(NFT_MSG_GETCHAIN), |answer| {
        (answer.kind == NFT_MSG_NEWCHAIN).then(|| chain(answer)).transpose()
    })?;
    if chains.is_empty() {
        return Ok(Ruleset::default());
    }
    let rules = socket.list("list the rules of nftables", &mut request(NFT_MSG_GETRULE), |answer| {
        (answer.kind == NFT_MSG_NEWRULE).then(|| rule(answer)).transpose()
    })?;
    Ok(Ruleset { chains, rules })
}

fn be32(bytes: &[u8]) -> Result<u32, Malformed> {
    bytes.first_chunk().map(|bytes| u32::from_be_bytes(*bytes)).ok_or(Malformed("a number"))
}

fn be64(bytes: &[u8]) -> Result<u64, Malformed> {
    bytes.first_chunk().map(|bytes| u64::from_be_bytes(*bytes)).ok_or(Malformed("a number"))
}

/// `NFTA_CHAIN_…`: table 1, name 3, hook 4, policy 5.
fn chain(answer: &Answer<'_>) -> Result<Chain, Malformed> {
    let mut chain = Chain {
        family: u8_at(answer.payload, 0)?,
        table: String::new(),
        name: String::new(),
        hook: None,
        drops: false,
    };
    for attribute in attributes(answer.payload, STRUCTURE) {
        match attribute? {
            (1, value) => chain.table = text(value),
            (3, value) => chain.name = text(value),
            (4, value) => chain.hook = hook(value)?,
            (5, value) => chain.drops = be32(value)? == 0,
            _ => {}
        }
    }
    // The policy of a chain without a hook says nothing.
    chain.drops &= chain.hook.is_some();
    Ok(chain)
}

/// `NFTA_HOOK_…`: number 1, priority 2.
fn hook(value: &[u8]) -> Result<Option<(Hook, i32)>, Malformed> {
    let (mut number, mut priority) = (u32::MAX, 0);
    for attribute in attributes(value, 0) {
        match attribute? {
            (1, value) => number = be32(value)?,
            (2, value) => priority = be32(value)?.cast_signed(),
            _ => {}
        }
    }
    Ok(Hook::from_number(number).map(|hook| (hook, priority)))
}

/// `NFTA_RULE_…`: table 1, chain 2, handle 3, expressions 4.
fn rule(answer: &Answer<'_>) -> Result<Rule, Malformed> {
    let mut rule = Rule {
        family: u8_at(answer.payload, 0)?,
        table: String::new(),
        chain: String::new(),
        handle: 0,
        parts: Vec::new(),
    };
    for attribute in attributes(answer.payload, STRUCTURE) {
        match attribute? {
            (1, value) => rule.table = text(value),
            (2, value) => rule.chain = text(value),
            (3, value) => rule.handle = be64(value)?,
            (4, value) => {
                for element in attributes(value, 0) {
                    rule.parts.push(part(element?.1)?);
                }
            }
            _ => {}
        }
    }
    Ok(rule)
}

/// `NFTA_EXPR_…`: name 1, data 2.
fn part(value: &[u8]) -> Result<Part, Malformed> {
    let (mut name, mut data) = (String::new(), &[][..]);
    for attribute in attributes(value, 0) {
        match attribute? {
            (1, value) => name = text(value),
            (2, value) => data = value,
            _ => {}
        }
    }
    Ok(match name.as_str() {
        "immediate" => immediate(data)?,
        "reject" => Part::Reject,
        "counter" => Part::Counter(find(data, 2)?.map_or(Ok(0), be64)?),
        "payload" => payload(data)?,
        "meta" => meta(data)?,
        "ct" => ct(data)?,
        "cmp" => compare(data)?,
        "bitwise" => bitwise(data)?,
        "log" | "notrack" | "objref" => Part::Aside,
        // Sets, limits, and extensions of iptables that have no other form.
        _ => Part::Unknown,
    })
}

/// The value of an attribute.
fn find(data: &[u8], kind: u16) -> Result<Option<&[u8]>, Malformed> {
    for attribute in attributes(data, 0) {
        let (found, value) = attribute?;
        if found == kind {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

fn number(data: &[u8], kind: u16) -> Result<u32, Malformed> {
    find(data, kind)?.map_or(Ok(0), be32)
}

/// `NFTA_DATA_VALUE` in an attribute.
fn value(data: &[u8], kind: u16) -> Result<Vec<u8>, Malformed> {
    let nested = find(data, kind)?.unwrap_or_default();
    Ok(find(nested, 1)?.unwrap_or_default().to_vec())
}

/// `NFTA_IMMEDIATE_DATA` 2, `NFTA_DATA_VERDICT` 2, `NFTA_VERDICT_CODE` 1, `NFTA_VERDICT_CHAIN` 2.
fn immediate(data: &[u8]) -> Result<Part, Malformed> {
    let Some(verdict) = find(find(data, 2)?.unwrap_or_default(), 2)? else { return Ok(Part::Unknown) };
    let chain = || Ok::<_, Malformed>(find(verdict, 2)?.map(text).unwrap_or_default());
    Ok(match number(verdict, 1)?.cast_signed() {
        0 => Part::Drop,
        1 => Part::Accept,
        -3 => Part::Jump(chain()?, false),
        -4 => Part::Jump(chain()?, true),
        -5 => Part::Return,
        -1 => Part::Aside,
        _ => Part::Unknown,
    })
}

/// `NFTA_PAYLOAD_…`: register 1, base 2 (1 network, 2 transport), offset 3, length 4; 5 and more: it writes.
fn payload(data: &[u8]) -> Result<Part, Malformed> {
    if find(data, 5)?.is_some() {
        return Ok(Part::Aside);
    }
    let place = (number(data, 2)?, number(data, 3)?, number(data, 4)?);
    let loaded = match place {
        (1, 9, 1) => Loaded::Protocol,
        (1, 12, 4) | (1, 8, 16) => Loaded::Source,
        (1, 16, 4) | (1, 24, 16) => Loaded::Destination,
        (2, 0, 2) => Loaded::SourcePort,
        (2, 2, 2) => Loaded::DestinationPort,
        _ => Loaded::Other,
    };
    Ok(Part::Load(number(data, 1)?, loaded))
}

/// `NFTA_META_…`: register 1, key 2, source register 3: it writes.
fn meta(data: &[u8]) -> Result<Part, Malformed> {
    if find(data, 3)?.is_some() {
        return Ok(Part::Aside);
    }
    let loaded = match number(data, 2)? {
        6 => Loaded::InputDevice,
        7 => Loaded::OutputDevice,
        15 => Loaded::Family,
        16 => Loaded::Protocol,
        _ => Loaded::Other,
    };
    Ok(Part::Load(number(data, 1)?, loaded))
}

/// `NFTA_CT_…`: register 1, key 2 (0: state), source register 4: it writes.
fn ct(data: &[u8]) -> Result<Part, Malformed> {
    if find(data, 4)?.is_some() {
        return Ok(Part::Aside);
    }
    let loaded = if number(data, 2)? == 0 { Loaded::State } else { Loaded::Other };
    Ok(Part::Load(number(data, 1)?, loaded))
}

/// `NFTA_CMP_…`: register 1, operation 2 (0 equal, 1 not), data 3.
fn compare(data: &[u8]) -> Result<Part, Malformed> {
    let register = number(data, 1)?;
    Ok(match number(data, 2)? {
        0 => Part::Compare(register, true, value(data, 3)?),
        1 => Part::Compare(register, false, value(data, 3)?),
        _ => Part::Unknown,
    })
}

/// `NFTA_BITWISE_…`: source 1, destination 2, mask 4, xor 5, operation 6 (0: mask and xor).
fn bitwise(data: &[u8]) -> Result<Part, Malformed> {
    let (from, to) = (number(data, 1)?, number(data, 2)?);
    Ok(match number(data, 6)? {
        0 => Part::Mask(from, to, value(data, 4)?, value(data, 5)?),
        _ => Part::Load(to, Loaded::Other),
    })
}
