//! `devices` on version 2: a BPF program that the kernel asks at each open and mknod of a device (cgroup-v2.rst, "Device
//! controller"; `struct bpf_cgroup_dev_ctx` in linux/bpf.h).
//!
//! It goes through the rules from the last to the first, with the set of accesses that are still to be decided: a rule that
//! matches decides those that it names. A denied one ends it; when none is left, all were allowed. What no rule decides is
//! allowed, as it is without a program. So it says exactly what the specification says, also where version 1 cannot.

use super::device_rule::{Access, MKNOD, READ, Rule, WRITE};
use crate::error::Error;
use insula_oci::resources::{DeviceRule, DeviceRuleKind};

/// The bits of the kernel's `BPF_DEVCG_ACC_*`.
const KERNEL: [(Access, i32); 3] = [(MKNOD, 1), (READ, 2), (WRITE, 4)];
/// `BPF_DEVCG_DEV_BLOCK` and `BPF_DEVCG_DEV_CHAR`.
const BLOCK: i32 = 1;
const CHAR: i32 = 2;

/// Registers: what is decided in, the context, the kind, the accesses left, major and minor.
const R0: u8 = 0;
const CONTEXT: u8 = 1;
const KIND: u8 = 2;
const LEFT: u8 = 3;
const MAJOR: u8 = 4;
const MINOR: u8 = 5;

/// Operations, bpf_insn in Documentation/bpf/standardization: a class, a source and an operation in one byte.
const LOAD_WORD: u8 = 0x61;
const AND: u8 = 0x54;
const SHIFT_RIGHT: u8 = 0x74;
const MOVE: u8 = 0xb4;
const MOVE_REGISTER: u8 = 0xbc;
/// On 32 bits (Linux 5.1): a number of a device may have its highest bit set.
const JUMP_IF_NOT: u8 = 0x56;
const JUMP_IF: u8 = 0x16;
const EXIT: u8 = 0x95;

/// One instruction, as the kernel has it in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Instruction {
    code: u8,
    to: u8,
    from: u8,
    offset: i16,
    value: i32,
}

impl Instruction {
    const fn new(code: u8, to: u8, value: i32) -> Self {
        Self { code, to, from: 0, offset: 0, value }
    }

    const fn load(to: u8, offset: i16) -> Self {
        Self { code: LOAD_WORD, to, from: CONTEXT, offset, value: 0 }
    }

    const fn copy(to: u8, from: u8) -> Self {
        Self { code: MOVE_REGISTER, to, from, offset: 0, value: 0 }
    }

    /// `struct bpf_insn`: the registers share a byte, the first of them in its lower half on little-endian machines.
    fn bits(self) -> u64 {
        let registers =
            if cfg!(target_endian = "little") { self.from << 4 | self.to } else { self.to << 4 | self.from };
        let [a, b] = self.offset.to_ne_bytes();
        let [c, d, e, f] = self.value.to_ne_bytes();
        u64::from_ne_bytes([self.code, registers, a, b, c, d, e, f])
    }
}

/// The program for these rules, each instruction as 8 bytes.
pub fn compile(rules: &[DeviceRule]) -> Result<Vec<u64>, Error> {
    Ok(instructions(rules)?.into_iter().map(Instruction::bits).collect())
}

fn instructions(rules: &[DeviceRule]) -> Result<Vec<Instruction>, Error> {
    let mut program = vec![
        // access_type has the kind in its lower half, the accesses in its upper one.
        Instruction::load(KIND, 0),
        Instruction::copy(LEFT, KIND),
        Instruction::new(AND, KIND, 0xffff),
        Instruction::new(SHIFT_RIGHT, LEFT, 16),
        Instruction::load(MAJOR, 4),
        Instruction::load(MINOR, 8),
    ];
    for rule in rules.iter().rev() {
        program.extend(block(&Rule::read(rule)?));
    }
    program.extend(answer(1));
    Ok(program)
}

/// Leave with this answer.
fn answer(allowed: i32) -> [Instruction; 2] {
    [Instruction::new(MOVE, R0, allowed), Instruction::new(EXIT, 0, 0)]
}

/// One rule: its conditions, each of which leads to the next rule if it does not hold, then what it decides.
fn block(rule: &Rule) -> Vec<Instruction> {
    let mask: i32 = KERNEL.iter().filter(|(bit, _)| rule.access & bit != 0).map(|(_, kernel)| kernel).sum();
    let kind = match rule.kind {
        DeviceRuleKind::All => None,
        DeviceRuleKind::Block => Some(BLOCK),
        DeviceRuleKind::Char => Some(CHAR),
    };
    let numbers =
        [(KIND, kind), (MAJOR, rule.major.map(u32::cast_signed)), (MINOR, rule.minor.map(u32::cast_signed))];
    let mut block: Vec<Instruction> = numbers
        .into_iter()
        .filter_map(|(register, number)| Some(Instruction::new(JUMP_IF_NOT, register, number?)))
        .collect();
    if rule.allow {
        block.push(Instruction::new(AND, LEFT, 7 & !mask));
        block.push(Instruction::new(JUMP_IF_NOT, LEFT, 0));
        block.extend(answer(1));
    } else {
        block.push(Instruction::copy(R0, LEFT));
        block.push(Instruction::new(AND, R0, mask));
        block.push(Instruction::new(JUMP_IF, R0, 0));
        block.extend(answer(0));
    }
    let end = block.len();
    for (at, instruction) in block.iter_mut().enumerate() {
        if matches!(instruction.code, JUMP_IF | JUMP_IF_NOT) {
            // A block has nine instructions at most.
            instruction.offset = i16::try_from(end - at - 1).unwrap_or(0);
        }
    }
    block
}

#[cfg(test)]
mod tests {
    use super::super::device_rule::tests::rule;
    use super::*;

    /// What the kernel would do with the program.
    fn run(program: &[Instruction], kind: i32, access: i32, major: i32, minor: i32) -> bool {
        let mut registers = [0_i32; 6];
        let mut at = 0;
        loop {
            let Instruction { code, to, from, offset, value } = program[at];
            let (to, from) = (usize::from(to), usize::from(from));
            at += 1;
            let jump = usize::try_from(offset).unwrap();
            match code {
                LOAD_WORD => {
                    registers[to] = match offset {
                        0 => access << 16 | kind,
                        4 => major,
                        8 => minor,
                        _ => panic!("it reads past the context"),
                    }
                }
                AND => registers[to] &= value,
                SHIFT_RIGHT => registers[to] >>= value,
                MOVE => registers[to] = value,
                MOVE_REGISTER => registers[to] = registers[from],
                JUMP_IF if registers[to] == value => at += jump,
                JUMP_IF_NOT if registers[to] != value => at += jump,
                JUMP_IF | JUMP_IF_NOT => {}
                EXIT => return registers[0] == 1,
                _ => panic!("{code:x}"),
            }
        }
    }

    /// What the specification says: for each access the last rule that matches it.
    fn specified(rules: &[DeviceRule], kind: i32, access: i32, major: i32, minor: i32) -> bool {
        KERNEL.iter().filter(|(_, kernel)| access & kernel != 0).all(|(bit, _)| {
            let decides = |rule: &Rule| {
                let kinds = match rule.kind {
                    DeviceRuleKind::All => true,
                    DeviceRuleKind::Block => kind == BLOCK,
                    DeviceRuleKind::Char => kind == CHAR,
                };
                let is = |wanted: Option<u32>, number: i32| {
                    wanted.is_none_or(|wanted| wanted.cast_signed() == number)
                };
                kinds && is(rule.major, major) && is(rule.minor, minor) && rule.access & bit != 0
            };
            let rules = rules.iter().rev().map(|text| Rule::read(text).unwrap());
            rules.into_iter().find(decides).is_none_or(|rule| rule.allow)
        })
    }

    #[test]
    fn the_program_decides_as_the_specification_says() {
        let lists: &[&[&str]] = &[
            &[],
            &["-a"],
            &["+a"],
            &["-a", "+c 1:3 rwm"],
            &["-a", "+c 1:* rw", "-c 1:3 w"],
            &["-c 1:3 w"],
            &["+a", "-a *:* w", "+b 8:* w"],
            &["-a", "+c *:* m", "+b *:* m", "+c 5:2 rwm"],
            &["-a", "+c 1:3 r", "+c 1:3 w", "-c 1:3 m", "+b 8:0 rwm", "-b *:0 r"],
            &["-a", "+c 4294967295:4294967295 r"],
        ];
        for list in lists {
            let rules: Vec<DeviceRule> = list.iter().map(|text| rule(text)).collect();
            let program = instructions(&rules).unwrap();
            for kind in [BLOCK, CHAR] {
                for access in 1..8 {
                    for (major, minor) in [(1, 3), (1, 5), (5, 2), (8, 0), (8, 3), (-1, -1)] {
                        assert_eq!(
                            run(&program, kind, access, major, minor),
                            specified(&rules, kind, access, major, minor),
                            "{list:?}: kind {kind}, access {access}, {major}:{minor}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn opening_for_both_is_refused_where_one_is_denied() {
        let program = instructions(&[rule("-c 1:3 w")]).unwrap();
        assert!(run(&program, CHAR, 2, 1, 3));
        assert!(!run(&program, CHAR, 4, 1, 3));
        assert!(!run(&program, CHAR, 2 | 4, 1, 3));
    }

    #[test]
    fn an_instruction_is_eight_bytes_of_the_kernel_s() {
        // r3 &= 7 is 54 03 00 00 07 00 00 00, `w3 &= 7` in the words of llvm-objdump.
        if cfg!(target_endian = "little") {
            assert_eq!(Instruction::new(AND, LEFT, 7).bits(), 0x0000_0007_0000_0354);
            assert_eq!(Instruction::load(MINOR, 8).bits(), 0x0008_1561);
        }
    }
}
