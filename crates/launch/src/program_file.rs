//! What the kernel needs to execute a file, read from its first bytes: the interpreter of a script, the loader of an ELF
//! file, the machine.
//!
//! Pure, and without allocation: a newborn child asks as well as a parent.

use rustix::fs::{Access, AtFlags, CWD, FileType, Mode, OFlags, accessat, open, stat};
use rustix::io::Errno;
use std::ffi::CStr;

/// How many bytes are looked at: the headers of an ELF file lie in its first page, a `#!` line in its first 256 bytes.
pub const HEAD_BYTES: usize = 4096;
/// `BINPRM_BUF_SIZE`: the kernel reads no further for a `#!` line.
const LINE_BYTES: usize = 256;
/// Scripts whose interpreters are scripts: the kernel follows five.
const DEPTH: usize = 5;

/// What a file asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks<'a> {
    /// An interpreter, by its `#!` line.
    Interpreter(&'a [u8]),
    /// A loader, by its ELF program header `PT_INTERP`.
    Loader(&'a [u8]),
    /// Nothing: a static ELF file.
    Nothing,
    /// An ELF file of another machine, by its number (`EM_*`, elf(5)).
    Machine(u16),
    /// It is neither: only binfmt_misc may know it.
    Unknown,
}

/// `EM_*` of this build, and that of the 32-bit programs that run here as well.
#[cfg(target_arch = "x86_64")]
const MACHINES: [u16; 2] = [62, 3];
#[cfg(target_arch = "aarch64")]
const MACHINES: [u16; 2] = [183, 40];
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const MACHINES: [u16; 2] = [243, 243];

/// What the file with these first bytes asks for.
pub fn asks(head: &[u8]) -> Asks<'_> {
    if let Some(line) = head.strip_prefix(b"#!") {
        let line = &line[..line.len().min(LINE_BYTES)];
        let end = line.iter().position(|byte| *byte == b'\n').unwrap_or(line.len());
        let line = line[..end].trim_ascii_start();
        let end = line.iter().position(|byte| matches!(byte, b' ' | b'\t' | 0)).unwrap_or(line.len());
        return if end == 0 { Asks::Unknown } else { Asks::Interpreter(&line[..end]) };
    }
    if head.starts_with(b"\x7fELF") { elf(head).unwrap_or(Asks::Unknown) } else { Asks::Unknown }
}

/// elf(5). `None`: the header is cut or makes no sense.
fn elf(head: &[u8]) -> Option<Asks<'_>> {
    let number = |at: usize, bytes: usize| {
        let field = head.get(at..at.checked_add(bytes)?)?;
        Some(field.iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte)))
    };
    let at = |at: u64, more: u64| usize::try_from(at.checked_add(more)?).ok();
    let machine = u16::try_from(number(18, 2)?).ok()?;
    // A file of the other byte order has another machine too.
    if !MACHINES.contains(&machine) || head.get(5) != Some(&1) {
        return Some(Asks::Machine(machine));
    }
    let wide = match head.get(4)? {
        1 => false,
        2 => true,
        _ => return None,
    };
    let (table, size, count) = match wide {
        true => (number(32, 8)?, number(54, 2)?, number(56, 2)?),
        false => (number(28, 4)?, number(42, 2)?, number(44, 2)?),
    };
    for i in 0..count {
        let header = table.checked_add(size.checked_mul(i)?)?;
        /// `PT_INTERP`.
        const INTERP: u64 = 3;
        let Some(kind) = number(at(header, 0)?, 4) else { break };
        if kind == INTERP {
            let (from, length) = match wide {
                true => (number(at(header, 8)?, 8)?, number(at(header, 32)?, 8)?),
                false => (number(at(header, 4)?, 4)?, number(at(header, 16)?, 4)?),
            };
            let path = head.get(at(from, 0)?..at(from, length)?)?;
            let end = path.iter().position(|byte| *byte == 0).unwrap_or(path.len());
            return Some(Asks::Loader(&path[..end]));
        }
    }
    Some(Asks::Nothing)
}

/// Is it a regular file that this user may execute?
pub fn usable(path: &CStr) -> Result<(), Errno> {
    if FileType::from_raw_mode(stat(path)?.st_mode) != FileType::RegularFile {
        return Err(Errno::ACCESS);
    }
    accessat(CWD, path, Access::EXEC_OK, AtFlags::EACCESS)
}

/// Would the kernel execute it, as far as that can be seen? Looks at the file, its interpreter and its loader.
///
/// NOEXEC: it is of another machine, or has no `#!` line.
pub fn executable(path: &CStr) -> Result<(), Errno> {
    let mut next = [0_u8; LINE_BYTES + 1];
    usable(path)?;
    let mut head = [0_u8; HEAD_BYTES];
    let Some(mut read) = self::head(path, &mut head) else { return Ok(()) };
    for _ in 0..DEPTH {
        let (interpreter, is_script) = match asks(&head[..read]) {
            Asks::Nothing => return Ok(()),
            Asks::Machine(_) | Asks::Unknown => return Err(Errno::NOEXEC),
            Asks::Interpreter(path) => (path, true),
            Asks::Loader(path) => (path, false),
        };
        let length = interpreter.len().min(LINE_BYTES);
        next.fill(0);
        next[..length].copy_from_slice(&interpreter[..length]);
        let path = CStr::from_bytes_until_nul(&next).map_err(|_| Errno::NAMETOOLONG)?;
        usable(path)?;
        if !is_script {
            return Ok(());
        }
        read = match self::head(path, &mut head) {
            Some(read) => read,
            None => return Ok(()),
        };
    }
    Err(Errno::LOOP)
}

/// The first bytes. `None`: it may be executed, but not read.
fn head(path: &CStr, into: &mut [u8; HEAD_BYTES]) -> Option<usize> {
    // O_NONBLOCK: what was a file a moment ago may be a FIFO by now.
    let file = open(path, OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK, Mode::empty()).ok()?;
    rustix::io::read(&file, &mut into[..]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_names_its_interpreter() {
        let table: [(&[u8], Asks<'_>); 7] = [
            (b"#!/bin/sh\necho", Asks::Interpreter(b"/bin/sh")),
            (b"#! \t/usr/bin/env -S x\n", Asks::Interpreter(b"/usr/bin/env")),
            (b"#!/bin/sh\r\n", Asks::Interpreter(b"/bin/sh\r")),
            (b"#!/bin/sh", Asks::Interpreter(b"/bin/sh")),
            (b"#!\n", Asks::Unknown),
            (b"echo", Asks::Unknown),
            (b"", Asks::Unknown),
        ];
        for (head, expected) in table {
            assert_eq!(asks(head), expected);
        }
    }

    #[test]
    fn our_own_file_is_of_this_machine_and_another_is_not() {
        let mut head = std::fs::read("/proc/self/exe").unwrap();
        head.truncate(HEAD_BYTES);
        assert!(
            matches!(asks(&head), Asks::Loader(path) if path.starts_with(b"/"))
                || asks(&head) == Asks::Nothing
        );
        head[18] = 8;
        assert_eq!(asks(&head), Asks::Machine(8));
    }

    #[test]
    fn a_header_that_lies_is_unknown_or_nothing_and_no_panic() {
        let mut head = std::fs::read("/proc/self/exe").unwrap();
        head.truncate(HEAD_BYTES);
        for at in 0..64 {
            let mut bad = head.clone();
            bad[at] ^= 0xff;
            let _ = asks(&bad);
            let _ = asks(&bad[..at]);
        }
        head[32..40].fill(0xff);
        assert!(matches!(asks(&head), Asks::Unknown | Asks::Nothing));
    }

    #[test]
    fn what_may_be_executed() {
        assert_eq!(executable(c"/bin/sh"), Ok(()));
        assert_eq!(executable(c"/"), Err(Errno::ACCESS));
        assert_eq!(executable(c"/no/such"), Err(Errno::NOENT));
        assert_eq!(executable(c"/etc/passwd"), Err(Errno::ACCESS));
    }
}
