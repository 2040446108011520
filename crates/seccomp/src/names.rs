//! Finds a system call by its name, and its number on an architecture.
//!
//! A profile names some four hundred; so they are found by a hash that is made at compile time.

use crate::architecture::{ARM_BASE, Architecture};
use crate::table::{NO, TABLE};

/// Twice as many places as names, and a power of two.
const PLACES: usize = 2048;

/// An empty place.
const EMPTY: u16 = u16::MAX;

static PLACE: [u16; PLACES] = places();

/// One call of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name(u16);

impl Name {
    /// The call of this name; `None` where no architecture has it.
    pub fn find(name: &str) -> Option<Name> {
        let mut at = hash(name.as_bytes());
        loop {
            let row = PLACE[at % PLACES];
            if row == EMPTY {
                return None;
            }
            if TABLE[usize::from(row)].0 == name {
                return Some(Name(row));
            }
            at += 1;
        }
    }

    /// Its number on `on`, with the architecture's base; `None` where that has not the call.
    pub fn number(self, on: Architecture) -> Option<u32> {
        match TABLE[usize::from(self.0)].1[on.column as usize] {
            NO => None,
            // The numbers of the table are below 1024, but for arm's own.
            own @ 0xf000.. => Some(ARM_BASE + u32::from(own - 0xf000)),
            number => Some(on.base + u32::from(number)),
        }
    }

    /// Its name.
    pub fn text(self) -> &'static str {
        TABLE[usize::from(self.0)].0
    }
}

/// The names of all system calls that are known, on whichever architecture, sorted.
pub fn known() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|row| row.0)
}

/// FNV-1a of 32 bits, whose lower bits are mixed well enough for short names.
const fn hash(name: &[u8]) -> usize {
    let mut hash: u32 = 0x811c_9dc5;
    let mut at = 0;
    while at < name.len() {
        hash = (hash ^ name[at] as u32).wrapping_mul(0x0100_0193);
        at += 1;
    }
    (hash ^ hash >> 15) as usize
}

#[expect(clippy::cast_possible_truncation, reason = "a row of a table that is half as long as PLACES")]
const fn places() -> [u16; PLACES] {
    let mut places = [EMPTY; PLACES];
    let mut row = 0;
    while row < TABLE.len() {
        let mut at = hash(TABLE[row].0.as_bytes());
        while places[at % PLACES] != EMPTY {
            at += 1;
        }
        places[at % PLACES] = row as u16;
        row += 1;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use insula_oci::seccomp::Arch;

    #[test]
    fn every_name_is_found_and_no_other() {
        for name in known() {
            assert_eq!(Name::find(name).map(Name::text), Some(name));
        }
        assert_eq!(Name::find(""), None);
        assert_eq!(Name::find("reed"), None);
    }

    #[test]
    fn names_are_sorted_and_each_stands_once() {
        assert!(TABLE.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn no_number_of_an_architecture_has_two_names() {
        for arch in crate::architecture::tests::ALL {
            let on = Architecture::of(*arch);
            let names = known().filter_map(Name::find);
            let mut numbers: Vec<u32> = names.filter_map(|name| name.number(on)).collect();
            let count = numbers.len();
            numbers.sort_unstable();
            numbers.dedup();
            assert_eq!(numbers.len(), count, "{arch:?}");
        }
    }

    #[test]
    fn numbers_have_their_base() {
        let number = |name, arch| Name::find(name).unwrap().number(Architecture::of(arch));
        assert_eq!(number("read", Arch::X86_64), Some(0));
        assert_eq!(number("read", Arch::X32), Some(0x4000_0000));
        assert_eq!(number("execve", Arch::X32), Some(0x4000_0208));
        assert_eq!(number("read", Arch::Mips), Some(4003));
        assert_eq!(number("read", Arch::Mipsel64n32), Some(6000));
        assert_eq!(number("set_tls", Arch::Arm), Some(0xf_0005));
        assert_eq!(number("open", Arch::Aarch64), None);
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn this_machines_numbers_are_those_of_its_headers() {
        let number = |name| Name::find(name).unwrap().number(Architecture::of(Arch::X86_64)).map(i64::from);
        assert_eq!(number("execveat"), Some(libc_number::EXECVEAT));
        assert_eq!(number("seccomp"), Some(libc_number::SECCOMP));
        assert_eq!(number("clone3"), Some(libc_number::CLONE3));
    }

    /// <asm/unistd_64.h>
    #[cfg(target_arch = "x86_64")]
    mod libc_number {
        pub const EXECVEAT: i64 = 322;
        pub const SECCOMP: i64 = 317;
        pub const CLONE3: i64 = 435;
    }
}
