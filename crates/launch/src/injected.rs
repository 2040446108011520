//! Faults that tests put into a plan: debug builds only, by the environment variable `INSULA_FAULT`.
//!
//! `N:ERRNO` lets step N fail with that errno before it begins, `N:kill` kills the process that performs it. `skip:NAME`
//! leaves every step of that name out in silence: so a test that names a step shows that it would miss it
//! (`cargo xtask mutate`). `INSULA_EXPOSED` takes defences away, for tests that have to notice: `process` leaves a joiner
//! dumpable, `file` leaves our own file where it can be written, both by `process,file`. A release build has none of this.

use crate::fault::Fault;

#[cfg(not(debug_assertions))]
#[expect(clippy::unnecessary_wraps, reason = "the debug build's version fails")]
pub(crate) fn at(_step: usize) -> Result<(), Fault> {
    Ok(())
}

/// Is the step of this name left out?
#[cfg(not(debug_assertions))]
pub fn skips(_name: &str) -> bool {
    false
}

#[cfg(not(debug_assertions))]
pub(crate) const fn exposes_file() -> bool {
    false
}

#[cfg(not(debug_assertions))]
pub(crate) const fn exposes_process() -> bool {
    false
}

#[cfg(debug_assertions)]
pub use debug::{arm, skips};
#[cfg(debug_assertions)]
pub(crate) use debug::{at, exposes_file, exposes_process};

#[cfg(debug_assertions)]
mod debug {
    use super::Fault;
    use crate::fault::Call;
    use rustix::io::Errno;
    use rustix::process::{Signal, getpid, kill_process};
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering::Relaxed};

    static STEP: AtomicUsize = AtomicUsize::new(0);
    static ERRNO: AtomicI32 = AtomicI32::new(0);
    static SKIPPED: OnceLock<Option<String>> = OnceLock::new();

    static EXPOSES_PROCESS: AtomicBool = AtomicBool::new(false);

    /// Is our own file to be left where a container can write it?
    pub(crate) fn exposes_file() -> bool {
        exposes("file")
    }

    /// Are joiners to be left dumpable?
    pub(crate) fn exposes_process() -> bool {
        EXPOSES_PROCESS.load(Relaxed)
    }

    fn exposes(what: &str) -> bool {
        std::env::var("INSULA_EXPOSED").is_ok_and(|list| list.split(',').any(|word| word == what))
    }

    /// Reads the order, before the birth: the child may not look at the environment.
    pub fn arm() {
        skipped();
        EXPOSES_PROCESS.store(exposes("process"), Relaxed);
        let Ok(order) = std::env::var("INSULA_FAULT") else { return };
        let Some((step, what)) = order.split_once(':').filter(|(step, _)| *step != "skip") else { return };
        ERRNO.store(what.parse().unwrap_or(-1), Relaxed);
        STEP.store(step.parse().unwrap_or(0), Relaxed);
    }

    /// The name of the steps that are left out. In the child it is known already, from [`arm`].
    fn skipped() -> Option<&'static str> {
        let order = || std::env::var("INSULA_FAULT").ok()?.strip_prefix("skip:").map(str::to_owned);
        SKIPPED.get_or_init(order).as_deref()
    }

    /// Is the step of this name left out?
    pub fn skips(name: &str) -> bool {
        skipped() == Some(name)
    }

    /// Fails or dies here, if that was ordered.
    pub(crate) fn at(step: usize) -> Result<(), Fault> {
        if STEP.load(Relaxed) != step + 1 {
            return Ok(());
        }
        match ERRNO.load(Relaxed) {
            -1 => {
                let _ = kill_process(getpid(), Signal::KILL);
                // Pid 1 of a namespace cannot kill itself (pid_namespaces(7)); it ends as suddenly without a word.
                insula_sys::birth::exit_now(137)
            }
            errno => Err(Fault { call: Call::Check, errno: Errno::from_raw_os_error(errno) }),
        }
    }
}
