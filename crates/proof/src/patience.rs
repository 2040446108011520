//! How long a test waits. A machine that is slow, such as one in software emulation, says in `INSULA_SLOW` how many
//! times slower than others it is; what should take a second there takes so many.

use std::env;
use std::sync::OnceLock;
use std::time::Duration;

/// The time that a test gives on a usual machine, for this one.
///
/// # Panics
///
/// Where `INSULA_SLOW` is set and is no whole number of at least 1.
#[must_use]
pub fn patience(usual: Duration) -> Duration {
    static TIMES: OnceLock<u32> = OnceLock::new();
    usual
        * *TIMES.get_or_init(|| {
            let Some(told) = env::var_os("INSULA_SLOW") else { return 1 };
            let times = told.to_str().and_then(|told| told.parse().ok()).filter(|times| *times > 0);
            times.unwrap_or_else(|| panic!("INSULA_SLOW is `{}`: not a number of times", told.display()))
        })
}
