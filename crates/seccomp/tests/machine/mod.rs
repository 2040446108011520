//! What the kernel does with a program, in twenty lines: an interpreter of classic BPF.

use insula_sys::seccomp::Instruction;

/// A system call as a filter sees it, `struct seccomp_data`.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    /// `AUDIT_ARCH_*`
    pub token: u32,
    pub number: u32,
    pub arguments: [u64; 6],
}

impl Call {
    /// The words of the structure, on a machine with this order of bytes.
    fn words(&self, little: bool) -> [u32; 16] {
        let mut words = [0; 16];
        (words[0], words[1]) = (self.number, self.token);
        for (pair, argument) in words[4..].chunks_mut(2).zip(self.arguments) {
            let [a, b, c, d, e, f, g, h] = argument.to_le_bytes();
            let (low, high) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
            pair.copy_from_slice(&if little { [low, high] } else { [high, low] });
        }
        words
    }
}

/// The answer of `program`. It panics where the kernel would refuse to load it: a jump out of it, an unknown instruction.
pub fn answer(program: &[Instruction], call: &Call, little: bool) -> u32 {
    let words = call.words(little);
    let (mut at, mut loaded) = (0, 0_u32);
    loop {
        let Instruction { code, jt, jf, k } = program[at];
        at += 1;
        let mut jump = |holds: bool| at += usize::from(if holds { jt } else { jf });
        match code {
            0x20 => loaded = words[k as usize / 4],
            0x54 => loaded &= k,
            0x05 => at += k as usize,
            0x15 => jump(loaded == k),
            0x25 => jump(loaded > k),
            0x35 => jump(loaded >= k),
            0x06 => return k,
            other => panic!("instruction {other:#x} at {}", at - 1),
        }
    }
}
