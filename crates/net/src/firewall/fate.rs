//! What becomes of a packet at a hook. Pure.

use super::read::Ruleset;
use super::rule::{Chain, Hook, Packet, Part, Rule};
use std::collections::BTreeMap;

/// How deep chains may jump: `NFT_JUMP_STACK_SIZE` of the kernel.
const DEEPEST: usize = 16;

/// Where a packet is stopped, or may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// In words: table, chain, and rule or policy.
    pub place: String,
    /// The hook.
    pub hook: Hook,
    /// It is refused with an answer, not dropped.
    pub rejects: bool,
    /// How many packets the rule has counted, where it counts.
    pub counted: Option<u64>,
    /// It is so; otherwise it depends on something that we do not know.
    pub is_certain: bool,
}

/// How far a chain decides.
enum Decided {
    /// The packet is accepted, as far as this base chain goes.
    Accepted,
    /// It is stopped here.
    Blocked(Blocked),
    /// Nothing is decided.
    Open,
}

/// What is not sure any more, as far as a chain was walked.
#[derive(Default)]
struct Doubt {
    /// A rule may have accepted it.
    may_be_accepted: bool,
    /// The first that may have stopped it.
    may_be_blocked: Option<Blocked>,
}

/// Where a packet is stopped at a hook; `None`: nowhere. Base chains are asked in the order of their priorities, each of
/// them may stop it.
pub fn fate(rules: &Ruleset, hook: Hook, packet: &Packet) -> Option<Blocked> {
    let family = if packet.destination.is_ipv4() { 2 } else { 10 };
    let mut bases: Vec<&Chain> = rules
        .chains
        .iter()
        .filter(|chain| matches!(chain.family, 1) || chain.family == family)
        .filter(|chain| chain.hook.is_some_and(|(at, _)| at == hook))
        .collect();
    bases.sort_by_key(|chain| chain.hook.map(|(_, priority)| priority));
    let mut maybe = None;
    for base in bases {
        let mut doubt = Doubt::default();
        match walk(rules, base, hook, packet, &mut doubt, 0) {
            Decided::Accepted => {}
            Decided::Blocked(blocked) if doubt.may_be_accepted => {
                maybe = maybe.or(Some(Blocked { is_certain: false, ..blocked }));
            }
            Decided::Blocked(blocked) => return Some(blocked),
            Decided::Open if base.drops => {
                let place = format!(
                    "the policy of the chain `{}` in the table `{}`",
                    base.name,
                    table(base.family, &base.table)
                );
                let blocked = Blocked {
                    place,
                    hook,
                    rejects: false,
                    counted: None,
                    is_certain: !doubt.may_be_accepted,
                };
                if blocked.is_certain {
                    return Some(blocked);
                }
                maybe = maybe.or(Some(blocked));
            }
            Decided::Open => {}
        }
        maybe = maybe.or(doubt.may_be_blocked);
    }
    maybe
}

fn walk(
    rules: &Ruleset,
    chain: &Chain,
    hook: Hook,
    packet: &Packet,
    doubt: &mut Doubt,
    depth: usize,
) -> Decided {
    if depth > DEEPEST {
        return Decided::Open;
    }
    for rule in rules.of(chain) {
        let Some(does) = matched(rule, packet) else { continue };
        let blocked =
            |rejects| Blocked { place: place(rule), hook, rejects, counted: counted(rule), is_certain: true };
        let decided = match does.part {
            Part::Accept => Decided::Accepted,
            Part::Drop => Decided::Blocked(blocked(false)),
            Part::Reject => Decided::Blocked(blocked(true)),
            Part::Return if does.is_certain => return Decided::Open,
            Part::Jump(name, leaves) => {
                let target = rules.find(chain, name);
                let mut inner = Doubt::default();
                let decided = target
                    .map_or(Decided::Open, |target| walk(rules, target, hook, packet, &mut inner, depth + 1));
                doubt.may_be_accepted |= inner.may_be_accepted;
                doubt.may_be_blocked = doubt.may_be_blocked.take().or(inner.may_be_blocked);
                if *leaves && does.is_certain && matches!(decided, Decided::Open) {
                    return Decided::Open;
                }
                decided
            }
            _ => Decided::Open,
        };
        match decided {
            Decided::Open => {}
            decided if does.is_certain => return decided,
            Decided::Accepted => doubt.may_be_accepted = true,
            Decided::Blocked(blocked) => {
                let blocked = Blocked { is_certain: false, ..blocked };
                doubt.may_be_blocked = doubt.may_be_blocked.take().or(Some(blocked));
            }
        }
    }
    Decided::Open
}

/// What a rule does with a packet.
struct Does<'r> {
    part: &'r Part,
    /// Every test was one that we know.
    is_certain: bool,
}

/// The verdict of a rule; `None`: the packet is not meant, or the rule decides nothing.
fn matched<'r>(rule: &'r Rule, packet: &Packet) -> Option<Does<'r>> {
    let mut registers: BTreeMap<u32, Option<Vec<u8>>> = BTreeMap::new();
    let mut is_certain = true;
    for part in &rule.parts {
        match part {
            Part::Load(register, loaded) => drop(registers.insert(*register, packet.load(*loaded))),
            Part::Mask(from, to, mask, turn) => {
                let masked = registers.get(from).cloned().flatten().map(|bytes| {
                    let bits = bytes.iter().zip(mask).zip(turn.iter().chain(std::iter::repeat(&0)));
                    bits.map(|((byte, mask), turn)| (byte & mask) ^ turn).collect()
                });
                registers.insert(*to, masked);
            }
            Part::Compare(register, equal, value) => match registers.get(register).cloned().flatten() {
                // A name with a wildcard is compared up to it.
                Some(bytes) if bytes.len() >= value.len() => {
                    if (bytes[..value.len()] == value[..]) != *equal {
                        return None;
                    }
                }
                _ => is_certain = false,
            },
            Part::Unknown => is_certain = false,
            Part::Counter(_) | Part::Aside => {}
            part => return Some(Does { part, is_certain }),
        }
    }
    None
}

fn counted(rule: &Rule) -> Option<u64> {
    rule.parts.iter().find_map(|part| match part {
        Part::Counter(packets) => Some(*packets),
        _ => None,
    })
}

fn place(rule: &Rule) -> String {
    let table = table(rule.family, &rule.table);
    format!("the rule {} of the chain `{}` in the table `{table}`", rule.handle, rule.chain)
}

fn table(family: u8, name: &str) -> String {
    let family = match family {
        1 => "inet",
        2 => "ip",
        10 => "ip6",
        _ => "other",
    };
    format!("{family} {name}")
}

#[cfg(test)]
mod tests {
    use super::super::rule::Loaded;
    use super::*;

    fn packet() -> Packet {
        Packet {
            source: Some("10.0.0.1".parse().unwrap()),
            destination: "10.0.0.2".parse().unwrap(),
            protocol: 6,
            source_port: None,
            destination_port: Some(80),
            input: Some("eth0".to_owned()),
            output: None,
            is_answer: false,
        }
    }

    fn chain(name: &str, hook: Option<Hook>, drops: bool) -> Chain {
        Chain {
            family: 1,
            table: "t".to_owned(),
            name: name.to_owned(),
            hook: hook.map(|hook| (hook, 0)),
            drops,
        }
    }

    fn rule(chain: &str, handle: u64, parts: Vec<Part>) -> Rule {
        Rule { family: 1, table: "t".to_owned(), chain: chain.to_owned(), handle, parts }
    }

    fn port(port: u16) -> [Part; 2] {
        [Part::Load(1, Loaded::DestinationPort), Part::Compare(1, true, port.to_be_bytes().to_vec())]
    }

    fn with(parts: impl IntoIterator<Item = Part>, last: Part) -> Vec<Part> {
        parts.into_iter().chain([last]).collect()
    }

    fn at_input(drops: bool, rules: Vec<Rule>) -> Option<Blocked> {
        let chains = vec![chain("in", Some(Hook::Input), drops), chain("sub", None, false)];
        fate(&Ruleset { chains, rules }, Hook::Input, &packet())
    }

    #[test]
    fn a_rule_for_another_port_is_not_to_blame() {
        assert_eq!(at_input(false, vec![rule("in", 2, with(port(81), Part::Drop))]), None);
        let found = at_input(false, vec![rule("in", 2, with(port(80), Part::Drop))]).expect("dropped");
        assert_eq!((found.is_certain, found.rejects), (true, false));
        assert_eq!(found.place, "the rule 2 of the chain `in` in the table `inet t`");
        let found = at_input(false, vec![rule("in", 2, with(port(80), Part::Reject))]).expect("refused");
        assert!(found.rejects);
    }

    #[test]
    fn a_policy_drops_what_no_rule_accepts() {
        let found = at_input(true, vec![rule("in", 2, with(port(22), Part::Accept))]).expect("dropped");
        assert!(found.is_certain && found.place.starts_with("the policy of the chain `in`"), "{found:?}");
        assert_eq!(at_input(true, vec![rule("in", 2, with(port(80), Part::Accept))]), None);
        let other = fate(
            &Ruleset { chains: vec![chain("in", Some(Hook::Input), true)], rules: vec![] },
            Hook::Output,
            &packet(),
        );
        assert_eq!(other, None, "another hook");
    }

    #[test]
    fn what_we_do_not_know_is_a_maybe() {
        let found = at_input(false, vec![rule("in", 2, vec![Part::Unknown, Part::Drop])]).expect("perhaps");
        assert!(!found.is_certain);
        let found = at_input(true, vec![rule("in", 2, vec![Part::Unknown, Part::Accept])]).expect("perhaps");
        assert!(!found.is_certain);
        let both = vec![rule("in", 2, vec![Part::Unknown, Part::Accept]), rule("in", 3, vec![Part::Drop])];
        assert!(!at_input(false, both).expect("perhaps").is_certain);
    }

    #[test]
    fn a_first_packet_is_new_and_an_answer_is_established() {
        let established = |last| {
            let mask = 6u32.to_ne_bytes().to_vec();
            let state = [
                Part::Load(1, Loaded::State),
                Part::Mask(1, 1, mask, vec![0; 4]),
                Part::Compare(1, false, vec![0; 4]),
            ];
            with(state, last)
        };
        let rules = vec![rule("in", 2, established(Part::Accept))];
        assert!(at_input(true, rules.clone()).is_some_and(|found| found.is_certain));
        let chains = vec![chain("in", Some(Hook::Input), true)];
        let answer = Packet { is_answer: true, ..packet() };
        assert_eq!(fate(&Ruleset { chains, rules }, Hook::Input, &answer), None);
    }

    #[test]
    fn a_jump_comes_back_and_a_goto_does_not() {
        let jump = |leaves| {
            vec![
                rule("in", 2, vec![Part::Jump("sub".to_owned(), leaves)]),
                rule("in", 3, vec![Part::Drop]),
                rule("sub", 4, with(port(22), Part::Accept)),
            ]
        };
        assert!(at_input(false, jump(false)).is_some());
        assert_eq!(at_input(false, jump(true)), None);
        let circle = vec![
            rule("sub", 2, vec![Part::Jump("sub".to_owned(), false)]),
            rule("in", 3, vec![Part::Jump("sub".to_owned(), false)]),
        ];
        assert_eq!(at_input(false, circle), None);
    }

    #[test]
    fn a_device_is_compared_by_its_name_or_its_beginning() {
        let named = |name: &[u8]| {
            let load = [Part::Load(1, Loaded::InputDevice), Part::Compare(1, true, name.to_vec())];
            at_input(false, vec![rule("in", 2, with(load, Part::Drop))])
        };
        assert!(named(b"eth0\0\0\0\0\0\0\0\0\0\0\0\0").is_some());
        assert!(named(b"eth").is_some());
        assert!(named(b"eth1\0\0\0\0\0\0\0\0\0\0\0\0").is_none());
    }
}
