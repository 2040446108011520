//! `insula-init` as a file: what each container maps, and what an attacker would find mapped.
use std::fs;

const BLOB: &str = env!("INSULA_INIT_PATH");

fn word(bytes: &[u8], at: usize, width: usize) -> u64 {
    bytes[at..at + width].iter().rev().fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
}

#[test]
fn the_file_is_small_static_and_has_no_segment_both_writable_and_executable() {
    const PT_LOAD: u64 = 1;
    const PT_DYNAMIC: u64 = 2;
    const PT_INTERP: u64 = 3;
    const PT_GNU_STACK: u64 = 0x6474_e551;
    let elf = fs::read(BLOB).unwrap();
    assert!(elf.len() <= 12 * 1024, "{} bytes", elf.len());
    assert_eq!(&elf[..6], b"\x7fELF\x02\x01", "64 bit, little endian");
    assert_eq!(word(&elf, 16, 2), 2, "ET_EXEC: no relocation at start");
    let (table, size, count) = (word(&elf, 32, 8), word(&elf, 54, 2), word(&elf, 56, 2));
    let mut stack = false;
    for entry in 0..count {
        let at = usize::try_from(table + entry * size).unwrap();
        let (kind, flags) = (word(&elf, at, 4), word(&elf, at + 4, 4));
        assert!(kind != PT_INTERP && kind != PT_DYNAMIC, "linked dynamically");
        assert!(flags & 0b11 != 0b11, "segment {entry} is writable and executable");
        assert!(
            kind != PT_LOAD || flags & 0b10 == 0,
            "segment {entry} is data, which each container would pay for"
        );
        stack |= kind == PT_GNU_STACK;
    }
    assert!(stack, "without PT_GNU_STACK the stack is executable");
}
