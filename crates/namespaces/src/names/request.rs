//! What is asked of `insula ns new`, names and words resolved.

use crate::unshare::IdsAsked;
use insula_launch::plan::Kind;
use insula_launch::step::propagation::Mode;
use std::ffi::CString;

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The kinds, each once.
    pub kinds: Vec<Kind>,
    /// The user ids in a user namespace; our own is mapped in any case.
    pub users: IdsAsked,
    /// The group ids.
    pub groups: IdsAsked,
    /// Allow (`true`) or deny setgroups(2) there.
    pub setgroups: Option<bool>,
    /// The host name.
    pub hostname: Option<String>,
    /// The NIS domain name.
    pub domainname: Option<String>,
    /// Seconds that `CLOCK_MONOTONIC` is ahead.
    pub monotonic_s: Option<i64>,
    /// Seconds that `CLOCK_BOOTTIME` is ahead.
    pub boottime_s: Option<i64>,
    /// Bring the loopback device up.
    pub loopback: bool,
    /// Mount a procfs, where there is a new pid namespace for it to show.
    pub proc: bool,
    /// The root directory.
    pub rootfs: Option<CString>,
    /// How mounts spread; `None` leaves it as it is.
    pub propagation: Option<Mode>,
    /// A process holds the namespaces, even where they could be mounted.
    pub keeper: bool,
}
