//! How large a configuration may be.

/// The largest `config.json` that is read: 4 MiB.
pub const MAX_BYTES: usize = 4 << 20;

/// How deep arrays and objects may stand in one another.
pub const MAX_DEPTH: usize = 128;
