//! A profile becomes a program.

use crate::architecture::{Architecture, Column, X32_BIT};
use crate::assemble::{Assembler, Target, Test};
use crate::condition::{Chain, Condition};
use crate::decide::{Decided, Decision};
use crate::error::Error;
use crate::ranges::{Range, Ranges};
use crate::returns::KILL_THREAD;
use crate::rules::Rules;
use insula_oci::Seccomp;
use insula_oci::seccomp::{Arch, Flag, Operator};
use insula_sys::seccomp::{Flags, Instruction};

/// `BPF_MAXINSNS`, <linux/bpf_common.h>.
const LONGEST: usize = 4096;

/// Where the number and the architecture stand in `struct seccomp_data`.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;

/// A compiled profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The program, of 4,096 instructions at most.
    pub program: Vec<Instruction>,
    /// What it is loaded with, but for the listener.
    pub flags: Flags,
    /// Some calls are an agent's to decide: it is to be loaded with [`Flags::NEW_LISTENER`].
    pub notifies: bool,
}

/// Compiles `profile` for a machine of the architecture `native`, whose calls are always among those that are filtered.
///
/// Errors: all faults of the profile, each with its field of config.json. No I/O.
pub fn compile(profile: &Seccomp, native: Option<Arch>) -> Result<Filter, Vec<Error>> {
    let mut faults = Vec::new();
    let Some(native) = native else { return Err(vec![Error::UnknownMachine]) };
    let rules = Rules::read(profile, &mut faults);
    let notifies = rules.notifies();
    let flags = flags(profile, notifies, &mut faults);
    let architectures = architectures(profile, native, &mut faults);
    let decided: Vec<Decided> =
        architectures.iter().map(|on| Decided::by(&rules, *on, &mut faults)).collect();
    if !faults.is_empty() {
        return Err(faults);
    }
    let program = program(&architectures, &decided, rules.default);
    if program.len() > LONGEST {
        return Err(vec![Error::TooLong { instructions: program.len() }]);
    }
    Ok(Filter { program, flags, notifies })
}

/// The machine's own architecture, then those that are listed, each once.
fn architectures(profile: &Seccomp, native: Arch, faults: &mut Vec<Error>) -> Vec<Architecture> {
    let mut all = vec![Architecture::of(native)];
    for (at, arch) in profile.architectures.iter().enumerate() {
        let on = Architecture::of(*arch);
        if on.little() != all[0].little() {
            let field = format!("linux.seccomp.architectures[{at}]");
            faults.push(Error::OtherByteOrder { field, native });
        } else if !all.contains(&on) {
            all.push(on);
        }
    }
    all
}

/// What the kernel is told beside the program. Without a word on it, the mitigation of speculative store bypass is not
/// forced upon the process (`SPEC_ALLOW`), as runc and crun have it: the kernel itself no longer does so since 5.16.
fn flags(profile: &Seccomp, notifies: bool, faults: &mut Vec<Error>) -> Flags {
    let Some(asked) = &profile.flags else { return Flags::SPEC_ALLOW };
    asked.iter().enumerate().fold(Flags::default(), |flags, (at, flag)| {
        flags.and(match flag {
            Flag::Tsync => Flags::ALL_THREADS,
            Flag::Log => Flags::LOG,
            Flag::SpecAllow => Flags::SPEC_ALLOW,
            Flag::WaitKillableRecv => {
                if !notifies {
                    faults.push(Error::FlagWithoutNotify { field: format!("linux.seccomp.flags[{at}]") });
                }
                Flags::WAIT_KILLABLE_RECV
            }
        })
    })
}

/// The whole program: which architecture, then which number, then which arguments.
fn program(architectures: &[Architecture], decided: &[Decided], default: u32) -> Vec<Instruction> {
    let mut assembler = Assembler::default();
    let mut start = Target::Answer(KILL_THREAD);
    // Written backwards, so that the machine's own architecture is asked first.
    for (of, on) in architectures.iter().enumerate().rev() {
        // x86_64 and x32 have one token, and are told apart by a bit of the number. The first of the two does for both.
        if architectures[..of].iter().any(|other| other.token == on.token) {
            continue;
        }
        let sharing = |column| architectures.iter().position(|o| o.token == on.token && o.column == column);
        let mut ranges = Ranges::default();
        match (sharing(Column::X86_64), sharing(Column::X32)) {
            (None, None) => ranges.of(0, *on, of, &decided[of], default),
            (wide, narrow) => {
                match wide {
                    Some(of) => ranges.of(0, architectures[of], of, &decided[of], default),
                    None => ranges.answer(0, KILL_THREAD),
                }
                match narrow {
                    Some(of) => ranges.of(X32_BIT, architectures[of], of, &decided[of], default),
                    None => {
                        ranges.answer(X32_BIT, KILL_THREAD);
                        // A tracer that wants a call passed over makes its number -1, seccomp(2).
                        ranges.answer(u32::MAX, default);
                    }
                }
            }
        }
        let mut writer = Writer { assembler: &mut assembler, architectures, decided, default };
        let tree = writer.tree(ranges.all());
        let tree = assembler.load(NUMBER, tree);
        start = assembler.test(Test::Equal, on.token, tree, start);
    }
    let start = assembler.load(ARCHITECTURE, start);
    assembler.finish(start)
}

/// Writes the decisions of one token.
struct Writer<'a> {
    assembler: &'a mut Assembler,
    architectures: &'a [Architecture],
    decided: &'a [Decided],
    default: u32,
}

impl Writer<'_> {
    /// Finds the range by halving. The number is loaded.
    fn tree(&mut self, ranges: &[Range]) -> Target {
        match ranges {
            [] => Target::Answer(self.default),
            [only] => self.decision(*only),
            // One number among others of one answer.
            [before, number, after]
                if before.decision == after.decision && number.start.checked_add(1) == Some(after.start) =>
            {
                let (yes, no) = (self.decision(*number), self.decision(*before));
                self.assembler.test(Test::Equal, number.start, yes, no)
            }
            _ => {
                let (lower, upper) = ranges.split_at(ranges.len() / 2);
                let (upper_start, upper) = (upper[0].start, self.tree(upper));
                let lower = self.tree(lower);
                self.assembler.test(Test::AtLeast, upper_start, upper, lower)
            }
        }
    }

    fn decision(&mut self, range: Range) -> Target {
        match range.decision {
            Decision::Answer(answer) => Target::Answer(answer),
            Decision::Ask(call) => {
                let on = self.architectures[range.of];
                let chains = &self.decided[range.of].calls[call];
                chains.iter().rev().fold(Target::Answer(self.default), |no, chain| self.chain(chain, on, no))
            }
        }
    }

    /// One rule: if all of it holds, its answer.
    fn chain(&mut self, chain: &Chain, on: Architecture, no: Target) -> Target {
        let conditions = chain.conditions.iter().rev();
        conditions.fold(Target::Answer(chain.answer), |yes, condition| self.condition(condition, on, yes, no))
    }

    fn condition(&mut self, condition: &Condition, on: Architecture, yes: Target, no: Target) -> Target {
        let (test, yes, no) = match condition.op {
            Operator::Eq | Operator::MaskedEq => (Test::Equal, yes, no),
            Operator::Ne => (Test::Equal, no, yes),
            Operator::Gt => (Test::Above, yes, no),
            Operator::Le => (Test::Above, no, yes),
            Operator::Ge => (Test::AtLeast, yes, no),
            Operator::Lt => (Test::AtLeast, no, yes),
        };
        let half = |value: u64, shift: u32| u32::try_from(value >> shift & 0xffff_ffff).unwrap_or(0);
        let (low, high) = on.halves(condition.argument);
        let mut start = yes;
        let mask = half(condition.mask, 0);
        if mask != 0 {
            start = self.assembler.test(test, half(condition.datum, 0), yes, no);
            start = self.assembler.mask(mask, start);
            start = self.assembler.load(low, start);
        }
        let mask = half(condition.mask, 32);
        if mask == 0 {
            return start;
        }
        // The lower half counts only where the higher ones are equal.
        let datum = half(condition.datum, 32);
        let elsewhere = match test {
            Test::Equal => no,
            Test::Above | Test::AtLeast => self.assembler.test(Test::Above, datum, yes, no),
        };
        start = self.assembler.test(Test::Equal, datum, start, elsewhere);
        start = self.assembler.mask(mask, start);
        self.assembler.load(high, start)
    }
}
