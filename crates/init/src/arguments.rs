//! What the runtime asks for: the words on our initial stack, as execve(2) lays them out.
use crate::filter::Filter;
use crate::hold::Held;
use crate::label::Label;
use crate::notify::Agent;
use crate::program::Program;
use crate::report::Report;
use crate::syscall::MOST_FDS;

/// What argv\[1\] says, with what belongs to it.
pub enum Mode {
    /// `exec`: become the program, argv\[4..\] and the environment, under the filter of argv\[3\]. `exec-as`: with the label
    /// of argv\[4\] and argv\[5\], and so the program at argv\[6..\].
    Exec(Program, Option<Filter>, Option<Label>),
    /// `init`, `init-as`: start it, and watch over it.
    Init(Program, Option<Filter>, Option<Label>),
    /// `hold`: hold namespaces, by the descriptors of argv\[3..\].
    Hold(Held),
}

/// The command line, read.
pub struct Arguments {
    /// argv\[1\]
    pub mode: Mode,
    /// argv\[2\]
    pub report: Report,
}

impl Arguments {
    /// Reads the stack; None if it is not a call that the runtime makes.
    ///
    /// # Safety
    /// `stack` points at argc, argv and envp as execve(2) placed them; nobody has written there since.
    pub unsafe fn read(stack: *const usize) -> Option<Self> {
        // SAFETY: the first word is argc (System V ABI, "initial process stack").
        let argc = unsafe { *stack };
        if argc < 4 {
            return None;
        }
        // SAFETY: argc is followed by argc + 1 pointers (the last NULL), those by envp; argc >= 4, so all of
        // them exist.
        let (argv, envp, word, report) = unsafe {
            let argv = stack.add(1).cast::<*const u8>();
            (argv, argv.add(argc + 1), *argv.add(1), *argv.add(2))
        };
        // SAFETY: elements of argv below argc are NUL-terminated strings.
        let report = unsafe { read_report(report)? };
        // SAFETY: as above; argv has argc of them.
        unsafe {
            if equals(word, b"hold\0") {
                return Some(Self { mode: Mode::Hold(read_held(argv, argc)?), report });
            }
        }
        // SAFETY: `word` is such a string.
        let (is_init, is_labelled) = unsafe {
            let is_init = equals(word, b"init\0") || equals(word, b"init-as\0");
            let is_labelled = equals(word, b"init-as\0") || equals(word, b"exec-as\0");
            if !is_init && !is_labelled && !equals(word, b"exec\0") {
                return None;
            }
            (is_init, is_labelled)
        };
        let at = if is_labelled { 6 } else { 4 };
        if argc < at + 2 {
            return None;
        }
        // SAFETY: argc >= at + 2, so that all of them are such strings, which live as long as the process.
        let (filter, path, label) = unsafe {
            let label = if is_labelled {
                Some(Label::new(read_fd(*argv.add(4))?, bytes(*argv.add(5))))
            } else {
                None
            };
            (read_filter(*argv.add(3))?, *argv.add(at), label)
        };
        // SAFETY: path is such a string; argv + at + 1 and envp are NULL-terminated arrays of them. They lie on
        // the initial stack, which this program never writes to and which lives as long as the process.
        let program = unsafe { Program::new(path, argv.add(at + 1), envp, report) };
        let mode =
            if is_init { Mode::Init(program, filter, label) } else { Mode::Exec(program, filter, label) };
        Some(Self { mode, report })
    }
}

/// `LIFELINE [SOCKET NAMESPACE…]`, from argv\[3\] on.
///
/// # Safety
/// `argv` has `argc` NUL-terminated strings, and argc is 4 at least.
unsafe fn read_held(argv: *const *const u8, argc: usize) -> Option<Held> {
    let mut held = Held { lifeline: -1, socket: -1, namespaces: [-1; MOST_FDS], count: 0 };
    for at in 3..argc {
        // SAFETY: at < argc, and our contract.
        let fd = unsafe { read_fd(*argv.add(at))? };
        match at {
            3 => held.lifeline = fd,
            4 => held.socket = fd,
            _ => {
                *held.namespaces.get_mut(held.count)? = fd;
                held.count += 1;
            }
        }
    }
    Some(held)
}

/// # Safety
/// `word` is a NUL-terminated string.
unsafe fn read_report(word: *const u8) -> Option<Report> {
    // SAFETY: handed on from our own contract.
    if unsafe { equals(word, b"-\0") } {
        return Some(Report::NONE);
    }
    // SAFETY: our contract.
    unsafe { read_fd(word) }.map(Report::to)
}

/// A number and nothing behind it.
///
/// # Safety
/// `word` is a NUL-terminated string.
unsafe fn read_fd(word: *const u8) -> Option<i32> {
    // SAFETY: our contract.
    let (fd, end) = unsafe { read_number(word)? };
    // SAFETY: `end` is in the string, at its NUL at the most.
    (unsafe { *end } == 0).then_some(fd)
}

/// `-`, or three numbers with colons between them, or six.
///
/// # Safety
/// `word` is a NUL-terminated string.
unsafe fn read_filter(word: *const u8) -> Option<Option<Filter>> {
    // SAFETY: our contract.
    if unsafe { equals(word, b"-\0") } {
        return Some(None);
    }
    let mut at = word;
    let mut numbers = [0; 6];
    let (mut count, mut ended) = (0, false);
    for number in &mut numbers {
        // SAFETY: `at` is in the string.
        let (read, end) = unsafe { read_number(at)? };
        *number = read;
        count += 1;
        // SAFETY: `end` is in the string, at its NUL at the most.
        match unsafe { *end } {
            0 => {
                ended = true;
                break;
            }
            b':' => {}
            _ => return None,
        }
        // The string goes on, as its NUL was not here.
        at = end.wrapping_add(1);
    }
    let [fd, instructions, flags, socket, state, length] = numbers;
    let agent = match (count, ended) {
        (3, true) => None,
        (6, true) => Some(Agent::new(socket, state, usize::try_from(length).ok()?)),
        _ => return None,
    };
    Some(Some(Filter::new(fd, u16::try_from(instructions).ok()?, u32::try_from(flags).ok()?, agent)))
}

/// The number at `word`, of one digit at least, and what comes behind it.
///
/// # Safety
/// `word` is a NUL-terminated string.
unsafe fn read_number(word: *const u8) -> Option<(i32, *const u8)> {
    let mut number: i32 = 0;
    let mut at = word;
    loop {
        // SAFETY: every byte before `at` was a digit, so `at` is at most at the NUL.
        let byte = unsafe { *at };
        match byte {
            b'0'..=b'9' => number = number.checked_mul(10)?.checked_add(i32::from(byte - b'0'))?,
            _ if at != word => return Some((number, at)),
            _ => return None,
        }
        // SAFETY: `*at` was a digit, so the string goes on.
        at = unsafe { at.add(1) };
    }
}

/// The string without its NUL. Volatile reads, or the compiler makes of the loop a call of strlen(3), which is not here.
///
/// # Safety
/// `string` is NUL-terminated, and stays so for as long as the process lives.
unsafe fn bytes(string: *const u8) -> &'static [u8] {
    let mut length = 0;
    // SAFETY: no byte before `length` was the NUL, so that this one is in the string.
    while unsafe { string.add(length).read_volatile() } != 0 {
        length += 1;
    }
    // SAFETY: `length` bytes of the string stand before its NUL, and our contract.
    unsafe { core::slice::from_raw_parts(string, length) }
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
