//! What is decided for each number of one architecture.

use crate::architecture::{ARM_BASE, Architecture};
use crate::condition::{Chain, Condition, Place};
use crate::error::Error;
use crate::names::Name;
use crate::rules::{Named, Rule, Rules};

/// What is decided for a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// This is answered, whatever the arguments are.
    Answer(u32),
    /// The rules of this call are asked, [`Decided::calls`]; where none holds, the default is answered.
    Ask(usize),
}

/// The numbers of a table are below this; arm's own calls stand behind.
const SPAN: usize = 1024;
/// More than the own calls of arm.
const OWN: usize = 16;

/// Nothing is decided for this number.
const NONE: u16 = 0;
/// From here on, the rules of a call are asked.
const ASK: u16 = 0x8000;

/// The decisions of one architecture.
#[derive(Debug)]
pub struct Decided {
    slots: Box<[u16]>,
    answers: Vec<u32>,
    /// The rules of each call that has conditions, in the order in which they are asked.
    pub calls: Vec<Vec<Chain>>,
    /// The highest number that the profile names, arm's own calls aside.
    pub newest: Option<u32>,
}

impl Decided {
    /// Goes through all rules, and puts contradictions into `faults`.
    pub fn by(rules: &Rules<'_>, on: Architecture, faults: &mut Vec<Error>) -> Decided {
        let slots = vec![NONE; SPAN + OWN].into_boxed_slice();
        let mut decided = Decided { slots, answers: Vec::new(), calls: Vec::new(), newest: None };
        for rule in &rules.rules {
            decided.know(rule, on);
            // Such a rule says what is said already. That it is left out is to be seen where it would take the place of
            // another one: runc, crun and libseccomp leave it out.
            if rule.answer != rules.default {
                decided.add(rule, on, faults);
            }
        }
        decided
    }

    fn know(&mut self, rule: &Rule<'_>, on: Architecture) {
        // A call that is behind another one is known by that one's number as well.
        let outer =
            |named: &Named| named.outer.filter(|_| on.multiplexes).and_then(|(call, _)| call.number(on));
        let numbers = rule.names.iter().flat_map(|named| [named.call.number(on), outer(named)]);
        let highest = numbers.flatten().filter(|number| *number < ARM_BASE || on.base >= ARM_BASE).max();
        self.newest = self.newest.max(highest);
    }

    fn add(&mut self, rule: &Rule<'_>, on: Architecture, faults: &mut Vec<Error>) {
        let mut alternatives: Vec<Vec<Condition>> = rule
            .alternatives
            .iter()
            .map(|all| all.iter().filter_map(|arg| Condition::of(arg, on)).collect())
            .collect();
        if alternatives.is_empty() {
            alternatives.push(Vec::new());
        }
        for named in &rule.names {
            for conditions in &alternatives {
                if let (true, Some((call, value))) = (on.multiplexes, named.outer) {
                    let mut outer = vec![Condition::equals(0, value, on)];
                    outer.extend(conditions.iter().filter(|condition| condition.argument != 0));
                    self.put(rule, call, outer, on, faults);
                }
                self.put(rule, named.call, conditions.clone(), on, faults);
            }
        }
    }

    /// One rule for one call. A rule without conditions stands above those with conditions, and above later ones.
    fn put(
        &mut self,
        rule: &Rule<'_>,
        call: Name,
        conditions: Vec<Condition>,
        on: Architecture,
        faults: &mut Vec<Error>,
    ) {
        let Some(slot) = call.number(on).map(|number| slot(number, on)) else { return };
        let now = self.slots[slot];
        if conditions.is_empty() {
            if now == NONE || now >= ASK {
                self.slots[slot] = self.answer(rule.answer);
            }
            return;
        }
        let chain = Chain { conditions, answer: rule.answer, rule: rule.at };
        match now {
            NONE => {
                self.slots[slot] = ASK | index(self.calls.len());
                self.calls.push(vec![chain]);
            }
            ASK.. => {
                if let Err(earlier) = insert(&mut self.calls[usize::from(now & !ASK)], chain) {
                    faults.push(Error::Contradiction {
                        field: format!("linux.seccomp.syscalls[{}]", rule.at),
                        earlier: format!("linux.seccomp.syscalls[{earlier}]"),
                        call: call.text(),
                        arch: on.arch,
                    });
                }
            }
            _ => {}
        }
    }

    fn answer(&mut self, answer: u32) -> u16 {
        let known = self.answers.iter().position(|known| *known == answer);
        index(known.unwrap_or_else(|| {
            self.answers.push(answer);
            self.answers.len() - 1
        })) + 1
    }

    /// What is decided for the number at `slot`; `None`: nothing.
    fn at(&self, slot: usize) -> Option<Decision> {
        match self.slots[slot] {
            NONE => None,
            call @ ASK.. => Some(Decision::Ask(usize::from(call & !ASK))),
            answer => Some(Decision::Answer(self.answers[usize::from(answer) - 1])),
        }
    }

    /// The numbers of the table in order, up to the last for which something is decided.
    pub fn numbers(&self) -> impl Iterator<Item = Option<Decision>> {
        let end = self.slots[..SPAN].iter().rposition(|slot| *slot != NONE).map_or(0, |last| last + 1);
        (0..end).map(|slot| self.at(slot))
    }

    /// Arm's own calls, likewise.
    pub fn own(&self) -> impl Iterator<Item = Option<Decision>> {
        let own = &self.slots[SPAN..];
        let end = own.iter().rposition(|slot| *slot != NONE).map_or(0, |last| last + 1);
        (SPAN..SPAN + end).map(|slot| self.at(slot))
    }
}

/// Where a number of the table stands.
fn slot(number: u32, on: Architecture) -> usize {
    let number = number - on.base;
    if number < ARM_BASE { number as usize } else { SPAN + (number - ARM_BASE) as usize }
}

/// There are fewer answers and calls than numbers.
fn index(of: usize) -> u16 {
    u16::try_from(of).unwrap_or(ASK - 2).min(ASK - 2)
}

/// Puts a rule where it is asked. `Err`: an earlier rule contradicts it.
fn insert(chains: &mut Vec<Chain>, chain: Chain) -> Result<(), usize> {
    for (at, earlier) in chains.iter().enumerate() {
        match chain.place(earlier) {
            Place::Same if earlier.answer == chain.answer => return Ok(()),
            Place::Same => return Err(earlier.rule),
            Place::Before => {
                chains.insert(at, chain);
                return Ok(());
            }
            Place::After => {}
        }
    }
    chains.push(chain);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use insula_oci::seccomp::Arch;

    fn decided(syscalls: &str, arch: Arch) -> (Decided, Vec<String>) {
        let json = format!(r#"{{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": {syscalls}}}"#);
        let profile = serde_json::from_str(&json).unwrap();
        let mut faults = Vec::new();
        let rules = Rules::read(&profile, &mut faults);
        let decided = Decided::by(&rules, Architecture::of(arch), &mut faults);
        (decided, faults.iter().map(ToString::to_string).collect())
    }

    /// The conditions on a number, as argument and value.
    fn conditions(decided: &Decided, number: usize) -> Vec<Vec<(u32, u64)>> {
        let Some(Decision::Ask(call)) = decided.at(number) else { return Vec::new() };
        let chain = |chain: &Chain| chain.conditions.iter().map(|one| (one.argument, one.datum)).collect();
        decided.calls[call].iter().map(chain).collect()
    }

    const SOCKET: &str = r#"[{"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [
        {"index": 2, "value": 9, "op": "SCMP_CMP_EQ"}, {"index": 0, "value": 16, "op": "SCMP_CMP_EQ"}]}]"#;

    #[test]
    fn behind_socketcall_the_first_argument_says_which_call_is_meant_and_the_others_stay() {
        let (on_x86, _) = decided(SOCKET, Arch::X86);
        assert_eq!(conditions(&on_x86, 102), [[(0, 1), (2, 9)]]);
        assert_eq!(conditions(&on_x86, 359), [[(0, 16), (2, 9)]]);
        let (on_x86_64, _) = decided(SOCKET, Arch::X86_64);
        assert_eq!(conditions(&on_x86_64, 102), [[]; 0]);
        assert_eq!(conditions(&on_x86_64, 41), [[(0, 16), (2, 9)]]);
    }

    #[test]
    fn a_contradiction_is_refused_and_a_repetition_is_not() {
        let rule = |action: &str, value: u64| {
            format!(
                r#"{{"names": ["read"], "action": "{action}", "args": [
                    {{"index": 0, "value": {value}, "op": "SCMP_CMP_EQ"}}]}}"#
            )
        };
        let two = |a: String, b: String| format!("[{a}, {b}]");
        let same = two(rule("SCMP_ACT_ALLOW", 1), rule("SCMP_ACT_ALLOW", 1));
        assert_eq!(decided(&same, Arch::X86_64).1, [""; 0]);
        let contradiction = two(rule("SCMP_ACT_ALLOW", 1), rule("SCMP_ACT_LOG", 1));
        assert_eq!(
            decided(&contradiction, Arch::X86_64).1,
            [
                "linux.seccomp.syscalls[1]: `read` has the same conditions and another action in linux.seccomp.syscalls[0] \
              (as X86_64 sees them): leave one out"
            ]
        );
        // The same to 32 bits only.
        let halves = two(rule("SCMP_ACT_ALLOW", 1), rule("SCMP_ACT_LOG", 0x1_0000_0001));
        assert_eq!(decided(&halves, Arch::X86_64).1, [""; 0]);
        assert_eq!(decided(&halves, Arch::X86).1.len(), 1);
    }
}
