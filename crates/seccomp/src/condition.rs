//! Conditions on arguments, and the order in which the rules of one call are asked.

use crate::architecture::Architecture;
use insula_oci::seccomp::{Arg, Operator};
use std::cmp::Ordering;

/// A condition on one argument, as one architecture sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condition {
    /// Which argument, 0 to 5.
    pub argument: u32,
    /// How it is compared.
    pub op: Operator,
    /// What is looked at of the argument: all of it, but for [`Operator::MaskedEq`].
    pub mask: u64,
    /// What it is compared with.
    pub datum: u64,
}

impl Condition {
    /// The condition as `on` sees it; `None`: it always holds.
    pub fn of(arg: &Arg, on: Architecture) -> Option<Condition> {
        let (mask, datum) = match arg.op {
            Operator::MaskedEq => (arg.value, arg.value_two),
            _ => (u64::MAX, arg.value),
        };
        let mask = if on.wide { mask } else { mask & 0xffff_ffff };
        (mask != 0).then_some(Condition { argument: arg.index, op: arg.op, mask, datum: datum & mask })
    }

    /// The argument is `value`.
    pub fn equals(argument: u32, value: u64, on: Architecture) -> Condition {
        let mask = if on.wide { u64::MAX } else { 0xffff_ffff };
        Condition { argument, op: Operator::Eq, mask, datum: value & mask }
    }

    /// libseccomp's rank of the operators, of which the greater comes first.
    fn rank(&self) -> u8 {
        match self.op {
            Operator::Eq | Operator::Ne | Operator::MaskedEq => 3,
            Operator::Lt | Operator::Le => 2,
            Operator::Ge | Operator::Gt => 1,
        }
    }

    /// Whether this one is asked before `other`; equal where neither is.
    fn order(&self, other: &Condition) -> Ordering {
        let by_argument = other.argument.cmp(&self.argument).then(other.rank().cmp(&self.rank()));
        if by_argument.is_ne() {
            return by_argument;
        }
        // Half by half, as libseccomp does it. Halves under unlike masks have no order: who came first, is first.
        for shift in [32, 0] {
            let half = |value: u64| value >> shift & 0xffff_ffff;
            let (a, b) = (half(self.datum), half(other.datum));
            // The narrower one first: the smaller bound from above, the greater one from below.
            let by_datum = if self.rank() == 2 { a.cmp(&b) } else { b.cmp(&a) };
            if by_datum.is_ne() || half(self.mask) != half(other.mask) {
                return by_datum;
            }
        }
        Ordering::Equal
    }
}

/// One rule of a call: conditions that all must hold, each on another argument, by the argument's number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// The conditions; never none.
    pub conditions: Vec<Condition>,
    /// The answer where they hold.
    pub answer: u32,
    /// Which entry of `syscalls` it is from.
    pub rule: usize,
}

/// Where a rule stands towards another one of the same call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It is asked first.
    Before,
    /// It is asked later.
    After,
    /// It has the same conditions.
    Same,
}

impl Chain {
    /// Where this rule, which came later, stands towards `earlier`.
    ///
    /// This is the order of libseccomp's tree: a rule on a higher argument first, then what is narrower: equalities before
    /// bounds, a tighter bound before a looser one, and a rule whose conditions are only the first ones of another's before
    /// that, so that the other one is never reached. Where nothing of this tells, the earlier one is first.
    pub fn place(&self, earlier: &Chain) -> Place {
        let mut pairs = self.conditions.iter().zip(&earlier.conditions);
        let differing = pairs.find(|(ours, theirs)| ours != theirs);
        match differing {
            Some((ours, theirs)) if ours.order(theirs).is_lt() => Place::Before,
            Some(_) => Place::After,
            None => match self.conditions.len().cmp(&earlier.conditions.len()) {
                Ordering::Less => Place::Before,
                Ordering::Equal => Place::Same,
                Ordering::Greater => Place::After,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use insula_oci::seccomp::Arch;

    fn arg(index: u32, op: Operator, value: u64, value_two: u64) -> Arg {
        Arg { index, value, value_two, op }
    }

    fn chain(args: &[Arg]) -> Chain {
        let on = Architecture::of(Arch::X86_64);
        let conditions = args.iter().filter_map(|arg| Condition::of(arg, on)).collect();
        Chain { conditions, answer: 0, rule: 0 }
    }

    #[test]
    fn a_narrow_architecture_looks_at_the_lower_half() {
        let arg = arg(0, Operator::Eq, 0x1_0000_0002, 0);
        assert_eq!(Condition::of(&arg, Architecture::of(Arch::X86)).unwrap().datum, 2);
        assert_eq!(Condition::of(&arg, Architecture::of(Arch::X32)).unwrap().datum, 2);
        assert_eq!(Condition::of(&arg, Architecture::of(Arch::X86_64)).unwrap().datum, 0x1_0000_0002);
    }

    #[test]
    fn an_empty_mask_is_no_condition() {
        let always = arg(0, Operator::MaskedEq, 0, 7);
        assert_eq!(Condition::of(&always, Architecture::of(Arch::X86_64)), None);
        let high = arg(0, Operator::MaskedEq, 0xff_0000_0000, 7);
        assert_eq!(Condition::of(&high, Architecture::of(Arch::Arm)), None);
        assert!(Condition::of(&high, Architecture::of(Arch::Aarch64)).is_some());
    }

    #[test]
    fn the_narrower_rule_is_asked_first() {
        use Operator::{Eq, Ge, Gt, Le, Lt, MaskedEq};
        let in_order = [
            chain(&[arg(1, Eq, 1, 0)]),
            chain(&[arg(0, Eq, 9, 0)]),
            chain(&[arg(0, Eq, 2, 0)]),
            chain(&[arg(0, Eq, 2, 0), arg(1, Eq, 0, 0)]),
            chain(&[arg(0, Lt, 3, 0)]),
            chain(&[arg(0, Le, 5, 0)]),
            chain(&[arg(0, Gt, 8, 0)]),
            chain(&[arg(0, Ge, 7, 0)]),
        ];
        for (i, first) in in_order.iter().enumerate() {
            assert_eq!(first.place(first), Place::Same);
            for second in &in_order[i + 1..] {
                assert_eq!(first.place(second), Place::Before, "{first:?} {second:?}");
                assert_eq!(second.place(first), Place::After, "{first:?} {second:?}");
            }
        }
        let (masked, equal) = (chain(&[arg(0, MaskedEq, 0xf, 2)]), chain(&[arg(0, Eq, 2, 0)]));
        assert_eq!(masked.place(&equal), Place::After);
        assert_eq!(equal.place(&masked), Place::After);
    }
}
