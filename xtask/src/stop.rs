//! How a task ends early.

/// Why the task ended without its work done. Each is already in words.
pub enum Stop {
    /// The command line was not understood.
    Usage(String),
    /// Something failed; the words say what.
    Failed(String),
    /// A child ended so, and said itself why.
    Code(u8),
}
