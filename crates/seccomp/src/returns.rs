//! What a filter answers: the `SECCOMP_RET_*` values of seccomp(2).

use crate::error::Error;
use insula_oci::seccomp::Action;

/// `SECCOMP_RET_KILL_THREAD`: also what a call of an architecture that is not listed gets.
pub const KILL_THREAD: u32 = 0;

const KILL_PROCESS: u32 = 0x8000_0000;
const TRAP: u32 = 0x0003_0000;
const ERRNO: u32 = 0x0005_0000;
const USER_NOTIF: u32 = 0x7fc0_0000;
const TRACE: u32 = 0x7ff0_0000;
const LOG: u32 = 0x7ffc_0000;
const ALLOW: u32 = 0x7fff_0000;

const EPERM: u32 = 1;

/// `ENOSYS`: the kernel has not this call.
pub const NO_SUCH_CALL: u32 = ERRNO | 38;

/// `MAX_ERRNO`: a greater one the kernel would cut to this.
const GREATEST_ERRNO: u32 = 4095;

/// The answer for `action`, with the errno that stands in `field`.
pub fn value(action: Action, errno: Option<u32>, field: impl FnOnce() -> String) -> Result<u32, Error> {
    let most = match action {
        Action::Errno => GREATEST_ERRNO,
        // 16 bits of data, which the tracer reads as it likes.
        Action::Trace => 0xffff,
        _ => 0,
    };
    match errno {
        Some(_) if most == 0 => return Err(Error::ErrnoUnused { field: field() }),
        Some(errno) if errno > most => return Err(Error::ErrnoTooGreat { field: field(), errno, most }),
        _ => {}
    }
    let errno = errno.unwrap_or(EPERM);
    Ok(match action {
        Action::Kill | Action::KillThread => KILL_THREAD,
        Action::KillProcess => KILL_PROCESS,
        Action::Trap => TRAP,
        Action::Errno => ERRNO | errno,
        Action::Trace => TRACE | errno,
        Action::Allow => ALLOW,
        Action::Log => LOG,
        Action::Notify => USER_NOTIF,
    })
}

/// Whether a call that no rule names goes on: then a newer one does as well. A tracer knows newer calls itself.
pub fn lets_pass(value: u32) -> bool {
    matches!(value & 0xffff_0000, ALLOW | LOG | TRACE)
}

/// Whether an agent decides.
pub fn notifies(value: u32) -> bool {
    value == USER_NOTIF
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_errno_stands_only_where_it_has_a_use_and_a_meaning() {
        let field = || "f".to_owned();
        assert_eq!(value(Action::Errno, None, field).unwrap(), 0x5_0001);
        assert_eq!(value(Action::Errno, Some(38), field).unwrap(), NO_SUCH_CALL);
        assert_eq!(value(Action::Trace, Some(7), field).unwrap(), 0x7ff0_0007);
        assert!(matches!(value(Action::Allow, Some(1), field), Err(Error::ErrnoUnused { .. })));
        assert!(matches!(value(Action::Errno, Some(4096), field), Err(Error::ErrnoTooGreat { .. })));
        assert!(matches!(value(Action::Trace, Some(0x1_0000), field), Err(Error::ErrnoTooGreat { .. })));
    }
}
