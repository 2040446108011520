//! How the container hangs on its caller.

/// What the caller decides and a spec cannot say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attachment {
    /// Replace standard input by /dev/null.
    pub null_stdin: bool,
    /// End with the caller: the process is killed when the caller dies.
    pub die_with_parent: bool,
    /// The working directory was not asked for: `/` will do where it is missing.
    pub cwd_is_default: bool,
    /// Descriptors from 3 on that the program inherits.
    pub preserve_fds: u32,
}
