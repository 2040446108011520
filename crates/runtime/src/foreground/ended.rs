//! How a watch ends.

/// How the container ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Its pid 1 exited with this code: the program's own, or 128 and the signal that ended the program.
    Exited(u8),
    /// Its pid 1 itself was ended by this signal, which is SIGKILL as a rule.
    Signaled(i32),
    /// `timeout` passed, and we ended it, whatever the code. Callers exit with 124, as timeout(1).
    TimedOut,
}
