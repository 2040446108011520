//! Writes a classic BPF program from its end to its beginning.
//!
//! Jumps only lead forward, so what is jumped to is there before the jump, and its distance is known. A test reaches 255
//! instructions far; what is farther gets a stepping stone: the answer itself once more, or a jump without a test, which
//! reaches as far as one likes.

use insula_sys::seccomp::Instruction;

/// `BPF_LD | BPF_W | BPF_ABS`: a word of `struct seccomp_data`.
const LOAD: u16 = 0x20;
/// `BPF_ALU | BPF_AND | BPF_K`
const AND: u16 = 0x54;
/// `BPF_JMP | BPF_JA`
const JUMP: u16 = 0x05;
/// `BPF_RET | BPF_K`
const RETURN: u16 = 0x06;

/// The reach of a test, in instructions between it and its target.
const REACH: usize = 255;

/// A test of what was loaded, against a number: `BPF_JMP | … | BPF_K`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Test {
    Equal = 0x15,
    Above = 0x25,
    AtLeast = 0x35,
}

/// Where the program goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// It ends with this answer.
    Answer(u32),
    /// At the instruction that was written with this index, counted from the end.
    At(usize),
}

/// A program in the making, its last instruction first.
#[derive(Debug, Default)]
pub struct Assembler {
    back: Vec<Instruction>,
    /// Answers and stepping stones: what each does, and where the one stands that is nearest to the beginning.
    nearest: Vec<(Target, usize)>,
}

impl Assembler {
    fn push(&mut self, code: u16, k: u32) -> usize {
        self.back.push(Instruction { code, jt: 0, jf: 0, k });
        self.back.len() - 1
    }

    /// How many instructions lie between the one at `at` and one that is written after `more` others.
    fn distance(&self, at: usize, more: usize) -> usize {
        self.back.len() + more - at - 1
    }

    fn write_answer(&mut self, answer: u32) -> usize {
        let at = self.push(RETURN, answer);
        self.remember(Target::Answer(answer), at)
    }

    fn write_jump(&mut self, to: usize) -> usize {
        // A program of more than 4,096 instructions is refused in the end, so that the distance fits.
        let distance = u32::try_from(self.distance(to, 0)).unwrap_or(u32::MAX);
        let at = self.push(JUMP, distance);
        self.remember(Target::At(to), at)
    }

    fn remember(&mut self, target: Target, at: usize) -> usize {
        match self.nearest.iter_mut().find(|known| known.0 == target) {
            Some(known) => known.1 = at,
            None => self.nearest.push((target, at)),
        }
        at
    }

    /// An instruction that does what `target` does and that a test can reach which is written after `more` others at most.
    fn within_reach(&mut self, target: Target, more: usize) -> usize {
        let itself = match target {
            Target::Answer(_) => None,
            Target::At(at) => Some(at),
        };
        let nearest = self.nearest.iter().find(|known| known.0 == target).map(|known| known.1).or(itself);
        match (nearest, target) {
            (Some(at), _) if self.distance(at, more) <= REACH => at,
            (_, Target::Answer(answer)) => self.write_answer(answer),
            (_, Target::At(at)) => self.write_jump(at),
        }
    }

    /// Tests what was loaded.
    pub fn test(&mut self, test: Test, k: u32, yes: Target, no: Target) -> Target {
        if yes == no {
            return yes;
        }
        let yes = self.within_reach(yes, 1);
        let no = self.within_reach(no, 0);
        let offset = |at: usize| u8::try_from(self.distance(at, 0)).unwrap_or(u8::MAX);
        let (jt, jf) = (offset(yes), offset(no));
        self.back.push(Instruction { code: test as u16, jt, jf, k });
        Target::At(self.back.len() - 1)
    }

    /// Sees to it that the next instruction written is followed by `next`.
    fn before(&mut self, next: Target) {
        match next {
            Target::Answer(answer) => {
                self.write_answer(answer);
            }
            Target::At(at) if at + 1 == self.back.len() => {}
            Target::At(at) => {
                self.write_jump(at);
            }
        }
    }

    /// Loads the word at this offset of `struct seccomp_data`, then goes on.
    pub fn load(&mut self, offset: u32, next: Target) -> Target {
        self.before(next);
        Target::At(self.push(LOAD, offset))
    }

    /// Keeps these bits of what was loaded, then goes on.
    pub fn mask(&mut self, mask: u32, next: Target) -> Target {
        if mask == u32::MAX {
            return next;
        }
        self.before(next);
        Target::At(self.push(AND, mask))
    }

    /// The program that begins with `start`.
    pub fn finish(mut self, start: Target) -> Vec<Instruction> {
        self.before(start);
        self.back.reverse();
        self.back
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_without_a_choice_is_left_out() {
        let mut assembler = Assembler::default();
        let start = assembler.test(Test::Equal, 1, Target::Answer(7), Target::Answer(7));
        assert_eq!(assembler.finish(start), [Instruction { code: RETURN, jt: 0, jf: 0, k: 7 }]);
    }

    #[test]
    fn what_is_too_far_gets_a_stepping_stone() {
        let mut assembler = Assembler::default();
        let end = assembler.load(0, Target::Answer(9));
        let mut next = Target::Answer(1);
        for k in 0..600 {
            // The yes of each leads to the far end.
            next = assembler.test(Test::Equal, k, end, next);
        }
        let program = assembler.finish(next);
        let jumps = program.iter().filter(|instruction| instruction.code == JUMP).count();
        assert_eq!(jumps, 2, "a stepping stone serves all tests that reach it");
        for (at, instruction) in program.iter().enumerate().filter(|(_, i)| i.code == Test::Equal as u16) {
            let mut to = at + 1 + usize::from(instruction.jt);
            while program[to].code == JUMP {
                to += 1 + program[to].k as usize;
            }
            assert_eq!(program[to], Instruction { code: LOAD, jt: 0, jf: 0, k: 0 });
        }
    }
}
