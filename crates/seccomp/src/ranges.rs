//! The decisions of an architecture as ranges of numbers: neighbours with the same decision are one.

use crate::architecture::{ARM_BASE, Architecture, Column};
use crate::decide::{Decided, Decision};
use crate::returns;

/// The numbers from `start` on, up to the next range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The first number.
    pub start: u32,
    /// Which architecture's decisions these are, where the rules of a call are asked.
    pub of: usize,
    /// What is decided.
    pub decision: Decision,
}

/// Ranges in the making.
#[derive(Debug, Default)]
pub struct Ranges(Vec<Range>);

impl Ranges {
    /// From `start` on, this is answered.
    pub fn answer(&mut self, start: u32, answer: u32) {
        self.push(Range { start, of: 0, decision: Decision::Answer(answer) });
    }

    /// From `start` on, the decisions of an architecture, the one with index `of`.
    pub fn of(&mut self, start: u32, on: Architecture, of: usize, decided: &Decided, default: u32) {
        self.answer(start, default);
        let newest = decided.newest.filter(|_| !returns::lets_pass(default));
        // On s390 the kernel shows a large number that it does not know as 0, which nothing calls by itself.
        let unknown = newest.filter(|_| matches!(on.column, Column::S390 | Column::S390x)).map(|_| 0);
        let mut put = |number, decision: Option<Decision>| {
            let undecided = if unknown == Some(number) { returns::NO_SUCH_CALL } else { default };
            let decision = decision.unwrap_or(Decision::Answer(undecided));
            self.push(Range { start: number, of, decision });
        };
        (on.base..).zip(decided.numbers()).for_each(|(number, decision)| put(number, decision));
        let end = on.base + u32::try_from(decided.numbers().count()).unwrap_or(0);
        put(end, None);
        if let Some(zero) = unknown.filter(|zero| *zero == end) {
            // Where nothing is decided, that number is the only one that is unknown.
            put(zero + 1, None);
        }
        if let Some(newest) = newest {
            put(newest + 1, Some(Decision::Answer(returns::NO_SUCH_CALL)));
        }
        if on.column == Column::Arm {
            put(ARM_BASE, None);
            (ARM_BASE..).zip(decided.own()).for_each(|(number, decision)| put(number, decision));
            put(ARM_BASE + u32::try_from(decided.own().count()).unwrap_or(0), None);
        }
    }

    /// A range behind all others; one that begins where the last one does takes its place.
    fn push(&mut self, range: Range) {
        if self.0.last().is_some_and(|last| last.start == range.start) {
            self.0.pop();
        }
        match self.0.last() {
            Some(last) if last.decision == range.decision && (last.of == range.of || is_answer(range)) => {}
            _ => self.0.push(range),
        }
    }

    /// The ranges, from 0 to the greatest number.
    pub fn all(&self) -> &[Range] {
        &self.0
    }
}

fn is_answer(range: Range) -> bool {
    matches!(range.decision, Decision::Answer(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Rules;
    use insula_oci::seccomp::Arch;

    fn ranges(json: &str, arch: Arch) -> Vec<(u32, Decision)> {
        let profile = serde_json::from_str(json).unwrap();
        let rules = Rules::read(&profile, &mut Vec::new());
        let on = Architecture::of(arch);
        let decided = Decided::by(&rules, on, &mut Vec::new());
        let mut ranges = Ranges::default();
        ranges.of(0, on, 0, &decided, rules.default);
        ranges.all().iter().map(|range| (range.start, range.decision)).collect()
    }

    const ALLOW: Decision = Decision::Answer(0x7fff_0000);
    const EPERM: Decision = Decision::Answer(0x0005_0001);
    const ENOSYS: Decision = Decision::Answer(returns::NO_SUCH_CALL);

    fn allowing(names: &str) -> String {
        format!(
            r#"{{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
                {{"names": [{names}], "action": "SCMP_ACT_ALLOW"}}]}}"#
        )
    }

    #[test]
    fn what_is_above_the_profiles_highest_number_does_not_exist() {
        let read_and_exit = allowing(r#""read", "exit""#);
        let expected = [(0, ALLOW), (1, EPERM), (60, ALLOW), (61, ENOSYS)];
        assert_eq!(ranges(&read_and_exit, Arch::X86_64), expected);
        let permissive = read_and_exit.replace("ALLOW", "TRAP").replace("ERRNO", "LOG");
        assert_eq!(ranges(&permissive, Arch::X86_64).last().map(|last| last.0), Some(61));
        assert!(!ranges(&permissive, Arch::X86_64).iter().any(|range| range.1 == ENOSYS));
    }

    #[test]
    fn arms_own_calls_are_far_above_the_highest() {
        let expected =
            [(0, EPERM), (3, ALLOW), (4, ENOSYS), (0xf_0000, EPERM), (0xf_0005, ALLOW), (0xf_0006, EPERM)];
        assert_eq!(ranges(&allowing(r#""read", "set_tls""#), Arch::Arm), expected);
    }

    #[test]
    fn a_call_that_is_behind_another_one_is_known_by_that_ones_number() {
        // i386 has no accept(2) but behind socketcall(2), 102.
        let expected = [(0, EPERM), (3, ALLOW), (4, EPERM), (102, Decision::Ask(0)), (103, ENOSYS)];
        assert_eq!(ranges(&allowing(r#""read", "accept""#), Arch::X86), expected);
    }

    #[test]
    fn on_s390_an_unknown_number_is_shown_as_0() {
        let expected = [(0, ENOSYS), (1, EPERM), (3, ALLOW), (4, ENOSYS)];
        assert_eq!(ranges(&allowing(r#""read""#), Arch::S390x), expected);
        assert_eq!(ranges(&allowing(r#""read""#), Arch::S390), expected);
    }

    #[test]
    fn neighbours_with_one_answer_are_one_range() {
        let mut ranges = Ranges::default();
        for (start, answer) in [(0, 1), (1, 1), (2, 2), (2, 1), (3, 1), (4, 3)] {
            ranges.answer(start, answer);
        }
        let starts: Vec<u32> = ranges.all().iter().map(|range| range.start).collect();
        assert_eq!(starts, [0, 4]);
    }
}
