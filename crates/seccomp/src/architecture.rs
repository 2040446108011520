//! What an architecture is to a filter: its token, its word, where its numbers begin.

use insula_oci::seccomp::Arch;

/// `X32_SYSCALL_BIT`, <asm/unistd.h> of x86: the bit that the numbers of x32 have, and those of x86_64 have not.
pub const X32_BIT: u32 = 0x4000_0000;

/// `__ARM_NR_BASE`, <asm/unistd.h> of arm: where the calls that are arm's own begin.
pub const ARM_BASE: u32 = 0xf_0000;

/// The architectures in the order of a row of the table of numbers. Some have their numbers in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    X86,
    X86_64,
    X32,
    Arm,
    Aarch64,
    Loongarch64,
    M68k,
    Mips,
    Mips64,
    Mips64n32,
    Parisc,
    Parisc64,
    Ppc,
    Ppc64,
    Riscv64,
    S390,
    S390x,
    Sh,
}

/// What the compiler knows of an architecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Architecture {
    /// Its name in config.json.
    pub arch: Arch,
    /// Its token, `AUDIT_ARCH_*` of <linux/audit.h>: the ELF machine, and whether it is 64-bit and little-endian.
    pub token: u32,
    /// Its column in the table.
    pub column: Column,
    /// What is added to its numbers in the table.
    pub base: u32,
    /// Its arguments have 64 bits. Of one with 32, and of x32, the lower half is compared.
    pub wide: bool,
    /// Sockets and System V IPC are also behind one call each, socketcall(2) and ipc(2).
    pub multiplexes: bool,
}

const WIDE: u32 = 0x8000_0000;
const LITTLE: u32 = 0x4000_0000;
const N32: u32 = 0x2000_0000;

impl Architecture {
    /// The facts of `arch`.
    pub const fn of(arch: Arch) -> Self {
        let (machine, column) = match arch {
            Arch::X86 => (3, Column::X86),
            Arch::X86_64 => (62, Column::X86_64),
            Arch::X32 => (62, Column::X32),
            Arch::Arm => (40, Column::Arm),
            Arch::Aarch64 => (183, Column::Aarch64),
            Arch::Loongarch64 => (258, Column::Loongarch64),
            Arch::M68k => (4, Column::M68k),
            Arch::Mips | Arch::Mipsel => (8, Column::Mips),
            Arch::Mips64 | Arch::Mipsel64 => (8, Column::Mips64),
            Arch::Mips64n32 | Arch::Mipsel64n32 => (8 | N32, Column::Mips64n32),
            Arch::Parisc => (15, Column::Parisc),
            Arch::Parisc64 => (15, Column::Parisc64),
            Arch::Ppc => (20, Column::Ppc),
            Arch::Ppc64 | Arch::Ppc64le => (21, Column::Ppc64),
            Arch::Riscv64 => (243, Column::Riscv64),
            Arch::S390 => (22, Column::S390),
            Arch::S390x => (22, Column::S390x),
            Arch::Sh | Arch::Sheb => (42, Column::Sh),
        };
        let base = match column {
            Column::X32 => X32_BIT,
            Column::Mips => 4000,
            Column::Mips64 => 5000,
            Column::Mips64n32 => 6000,
            _ => 0,
        };
        let wide = matches!(
            column,
            Column::X86_64
                | Column::Aarch64
                | Column::Loongarch64
                | Column::Mips64
                | Column::Parisc64
                | Column::Ppc64
                | Column::Riscv64
                | Column::S390x
        );
        // The kernel's word of the token is that of the registers: x32 and n32 have those of their wide sisters.
        let registers = wide || matches!(column, Column::X32 | Column::Mips64n32);
        let little = if is_little(arch) { LITTLE } else { 0 };
        let multiplexes = matches!(
            column,
            Column::X86
                | Column::M68k
                | Column::Mips
                | Column::Ppc
                | Column::Ppc64
                | Column::S390
                | Column::S390x
                | Column::Sh
        );
        let token = machine | little | if registers { WIDE } else { 0 };
        Self { arch, token, column, base, wide, multiplexes }
    }

    /// Its bytes stand with the lowest first.
    pub const fn little(self) -> bool {
        is_little(self.arch)
    }

    /// Where the lower and the higher half of an argument stand in `struct seccomp_data`, seccomp(2).
    pub const fn halves(self, argument: u32) -> (u32, u32) {
        let at = 16 + 8 * argument;
        if self.little() { (at, at + 4) } else { (at + 4, at) }
    }
}

const fn is_little(arch: Arch) -> bool {
    match arch {
        Arch::X86
        | Arch::X86_64
        | Arch::X32
        | Arch::Arm
        | Arch::Aarch64
        | Arch::Loongarch64
        | Arch::Mipsel
        | Arch::Mipsel64
        | Arch::Mipsel64n32
        | Arch::Ppc64le
        | Arch::Riscv64
        | Arch::Sh => true,
        Arch::M68k
        | Arch::Mips
        | Arch::Mips64
        | Arch::Mips64n32
        | Arch::Parisc
        | Arch::Parisc64
        | Arch::Ppc
        | Arch::Ppc64
        | Arch::S390
        | Arch::S390x
        | Arch::Sheb => false,
    }
}

/// The architecture that this program is built for; `None`: one that the specification does not name.
pub const fn native() -> Option<Arch> {
    let little = cfg!(target_endian = "little");
    let wide = cfg!(target_pointer_width = "64");
    let arch = if cfg!(target_arch = "x86_64") {
        // A program of x32 runs on the kernel of x86_64.
        Arch::X86_64
    } else if cfg!(target_arch = "x86") {
        Arch::X86
    } else if cfg!(target_arch = "aarch64") {
        Arch::Aarch64
    } else if cfg!(target_arch = "arm") && little {
        Arch::Arm
    } else if cfg!(target_arch = "riscv64") {
        Arch::Riscv64
    } else if cfg!(target_arch = "loongarch64") {
        Arch::Loongarch64
    } else if cfg!(target_arch = "s390x") && wide {
        Arch::S390x
    } else if cfg!(target_arch = "powerpc64") {
        if little { Arch::Ppc64le } else { Arch::Ppc64 }
    } else if cfg!(target_arch = "powerpc") {
        Arch::Ppc
    } else if cfg!(target_arch = "mips64") && wide {
        if little { Arch::Mipsel64 } else { Arch::Mips64 }
    } else if cfg!(target_arch = "mips") {
        if little { Arch::Mipsel } else { Arch::Mips }
    } else if cfg!(target_arch = "m68k") {
        Arch::M68k
    } else {
        return None;
    };
    Some(arch)
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Every architecture that the specification names.
    pub const ALL: &[Arch] = &[
        Arch::X86,
        Arch::X86_64,
        Arch::X32,
        Arch::Arm,
        Arch::Aarch64,
        Arch::Loongarch64,
        Arch::M68k,
        Arch::Mips,
        Arch::Mips64,
        Arch::Mips64n32,
        Arch::Mipsel,
        Arch::Mipsel64,
        Arch::Mipsel64n32,
        Arch::Ppc,
        Arch::Ppc64,
        Arch::Ppc64le,
        Arch::S390,
        Arch::S390x,
        Arch::Sh,
        Arch::Sheb,
        Arch::Parisc,
        Arch::Parisc64,
        Arch::Riscv64,
    ];

    #[test]
    fn tokens_are_those_of_the_kernels_header() {
        // <linux/audit.h>, from `AUDIT_ARCH_X86_64` on.
        for (arch, token) in [
            (Arch::X86_64, 0xc000_003e),
            (Arch::X32, 0xc000_003e),
            (Arch::X86, 0x4000_0003),
            (Arch::Arm, 0x4000_0028),
            (Arch::Aarch64, 0xc000_00b7),
            (Arch::Loongarch64, 0xc000_0102),
            (Arch::M68k, 0x0000_0004),
            (Arch::Mips, 0x0000_0008),
            (Arch::Mipsel, 0x4000_0008),
            (Arch::Mips64, 0x8000_0008),
            (Arch::Mips64n32, 0xa000_0008),
            (Arch::Mipsel64, 0xc000_0008),
            (Arch::Mipsel64n32, 0xe000_0008),
            (Arch::Parisc, 0x0000_000f),
            (Arch::Parisc64, 0x8000_000f),
            (Arch::Ppc, 0x0000_0014),
            (Arch::Ppc64, 0x8000_0015),
            (Arch::Ppc64le, 0xc000_0015),
            (Arch::Riscv64, 0xc000_00f3),
            (Arch::S390, 0x0000_0016),
            (Arch::S390x, 0x8000_0016),
            (Arch::Sheb, 0x0000_002a),
            (Arch::Sh, 0x4000_002a),
        ] {
            assert_eq!(Architecture::of(arch).token, token, "{arch:?}");
        }
    }

    #[test]
    fn arguments_are_read_with_the_machines_order_of_bytes() {
        assert_eq!(Architecture::of(Arch::X86_64).halves(1), (24, 28));
        assert_eq!(Architecture::of(Arch::S390x).halves(1), (28, 24));
    }
}
