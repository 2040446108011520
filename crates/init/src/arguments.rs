//! What the runtime asks for: the words on our initial stack, as execve(2) lays them out.
use crate::program::Program;
use crate::report::Report;

/// Become the program, or stay and watch over it.
#[derive(Clone, Copy)]
pub enum Mode {
    /// `exec`
    Exec,
    /// `init`
    Init,
}

/// The command line, read.
pub struct Arguments {
    /// argv\[1\]
    pub mode: Mode,
    /// argv\[2\]
    pub report: Report,
    /// argv\[3..\], and the environment
    pub program: Program,
}

impl Arguments {
    /// Reads the stack; None if it is not a call that the runtime makes.
    ///
    /// # Safety
    /// `stack` points at argc, argv and envp as execve(2) placed them; nobody has written there since.
    pub unsafe fn read(stack: *const usize) -> Option<Self> {
        // SAFETY: the first word is argc (System V ABI, "initial process stack").
        let argc = unsafe { *stack };
        if argc < 5 {
            return None;
        }
        // SAFETY: argc is followed by argc + 1 pointers (the last NULL), those by envp; argc >= 5, so all of
        // them exist.
        let (argv, envp, mode, report, path) = unsafe {
            let argv = stack.add(1).cast::<*const u8>();
            (argv.add(4), argv.add(argc + 1), *argv.add(1), *argv.add(2), *argv.add(3))
        };
        // SAFETY: elements of argv below argc are NUL-terminated strings.
        let (mode, report) = unsafe { (read_mode(mode)?, read_report(report)?) };
        // SAFETY: path is such a string; argv + 4 and envp are NULL-terminated arrays of them. They lie on
        // the initial stack, which this program never writes to and which lives as long as the process.
        let program = unsafe { Program::new(path, argv, envp, report) };
        Some(Self { mode, report, program })
    }
}

/// # Safety
/// `word` is a NUL-terminated string.
unsafe fn read_mode(word: *const u8) -> Option<Mode> {
    // SAFETY: handed on from our own contract.
    unsafe {
        if equals(word, b"init\0") {
            Some(Mode::Init)
        } else if equals(word, b"exec\0") {
            Some(Mode::Exec)
        } else {
            None
        }
    }
}

/// # Safety
/// `word` is a NUL-terminated string.
unsafe fn read_report(word: *const u8) -> Option<Report> {
    // SAFETY: handed on from our own contract.
    if unsafe { equals(word, b"-\0") } {
        return Some(Report::NONE);
    }
    let mut fd: i32 = 0;
    let mut at = word;
    loop {
        // SAFETY: every byte before `at` was a digit, so `at` is at most at the NUL.
        let byte = unsafe { *at };
        match byte {
            b'0'..=b'9' => fd = fd.checked_mul(10)?.checked_add(i32::from(byte - b'0'))?,
            0 if at != word => return Some(Report::to(fd)),
            _ => return None,
        }
        // SAFETY: `*at` was a digit, so the string goes on.
        at = unsafe { at.add(1) };
    }
}

/// Whether the string is `word`, which ends in its NUL.
///
/// # Safety
/// `string` is NUL-terminated.
unsafe fn equals(string: *const u8, word: &[u8]) -> bool {
    let mut at = string;
    for &byte in word {
        // SAFETY: all bytes before `at` equalled those of `word`, whose only NUL is its last: `at` is at most
        // at the NUL.
        if unsafe { *at } != byte {
            return false;
        }
        // One past the NUL at the most, and then not read.
        at = at.wrapping_add(1);
    }
    true
}
