//! Who runs the tests, and who the ordinary user is.

/// The uid and gid of the ordinary user, where the tests are root: no account, and no subordinate ids.
pub const ORDINARY_ID: u32 = 54_321;

/// Whether the tests run as root.
#[must_use]
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
