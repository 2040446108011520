//! A filter that only its tests can notice.

use insula_sys::seccomp::Instruction;

/// A number that no kernel gives to a call.
const UNUSED: u32 = 0x7777;

/// `SECCOMP_RET_ALLOW`, seccomp(2).
pub const ALLOW: u32 = 0x7fff_0000;

pub fn instruction(code: u16, k: u32, jf: u8) -> Instruction {
    Instruction { code, jt: 0, jf, k }
}

/// Answers EXDEV to [`UNUSED`], and allows the rest.
pub fn one_refused() -> [Instruction; 4] {
    let refused = 0x0005_0000 | libc::EXDEV.unsigned_abs();
    [
        instruction(0x20, 0, 0),      // load the number
        instruction(0x15, UNUSED, 1), // is it this one
        instruction(0x06, refused, 0),
        instruction(0x06, ALLOW, 0),
    ]
}

/// What the call of that number is answered.
pub fn unused() -> Option<i32> {
    // SAFETY: no kernel has a call of this number, so nothing is done.
    let done = unsafe { libc::syscall(UNUSED.into()) };
    (done == -1).then(std::io::Error::last_os_error).and_then(|error| error.raw_os_error())
}
