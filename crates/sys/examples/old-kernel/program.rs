//! The table as a classic BPF program.

use insula_sys::seccomp::Instruction;

use super::lacking::{LACKING, LAST_CALL, Lacking, When};

// <linux/bpf_common.h>: load a word at a fixed place, and; jump if equal, if not below; return.
const LOAD: u16 = 0x20;
const AND: u16 = 0x54;
const EQUAL: u16 = 0x15;
const NOT_BELOW: u16 = 0x35;
const ABOVE: u16 = 0x25;
const RETURN: u16 = 0x06;

// `struct seccomp_data`, seccomp(2): number, architecture, instruction pointer, six arguments of eight bytes.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const ARGUMENTS: u32 = 16;

/// `AUDIT_ARCH_*`, <linux/audit.h>: the ELF machine, 64 bits, little-endian.
#[cfg(target_arch = "x86_64")]
const NATIVE: u32 = 0xc000_0000 | 62;
#[cfg(target_arch = "aarch64")]
const NATIVE: u32 = 0xc000_0000 | 183;

/// The filter: what 5.15 lacks is refused, a row of the table with the errno that `answer` gives; all else is allowed.
pub fn program(answer: impl Fn(&Lacking) -> i32) -> Vec<Instruction> {
    let mut program = vec![
        plain(LOAD, NUMBER),
        // A tracer that skips a call sets its number to -1: that is no call.
        jump(EQUAL, u32::MAX, 0, 1),
        plain(RETURN, libc::SECCOMP_RET_ALLOW),
        jump(NOT_BELOW, LAST_CALL + 1, 0, 1),
        refusal(libc::ENOSYS),
        // The numbers below that are each architecture's own; a program of another one has no newer flags.
        plain(LOAD, ARCHITECTURE),
        jump(EQUAL, NATIVE, 1, 0),
        plain(RETURN, libc::SECCOMP_RET_ALLOW),
    ];
    LACKING.iter().for_each(|row| append(&mut program, row, answer(row)));
    program.push(plain(RETURN, libc::SECCOMP_RET_ALLOW));
    program
}

/// One row: if the number and all conditions hold, the refusal; else on behind it.
fn append(program: &mut Vec<Instruction>, row: &Lacking, errno: i32) {
    let mut tests = vec![vec![plain(LOAD, NUMBER)]];
    let number = u32::try_from(row.call).expect("a system call's number is small");
    tests.push(vec![jump(EQUAL, number, 0, 1)]);
    tests.extend(row.when.iter().map(condition));
    let mut code = tests.concat();
    code.push(refusal(errno));
    let end = code.len();
    for (index, instruction) in code.iter_mut().enumerate() {
        // 1 stood for "on behind the row".
        let behind = u8::try_from(end - index - 1).expect("a row is short");
        instruction.jt = if instruction.jt == 1 { behind } else { 0 };
        instruction.jf = if instruction.jf == 1 { behind } else { 0 };
    }
    program.append(&mut code);
}

fn condition(when: &When) -> Vec<Instruction> {
    vec![
        // The low half stands first on little-endian machines, which both of ours are.
        plain(LOAD, ARGUMENTS + 8 * when.argument),
        plain(AND, when.mask),
        jump(NOT_BELOW, when.first, 0, 1),
        jump(ABOVE, when.last, 1, 0),
    ]
}

fn refusal(errno: i32) -> Instruction {
    plain(RETURN, libc::SECCOMP_RET_ERRNO | u32::try_from(errno).expect("an errno is above 0"))
}

fn plain(code: u16, k: u32) -> Instruction {
    jump(code, k, 0, 0)
}

fn jump(code: u16, k: u32, jt: u8, jf: u8) -> Instruction {
    Instruction { code, jt, jf, k }
}
