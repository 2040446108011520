//! How long a profile takes to compile and to load: `cargo run --release -p insula-seccomp --example measure [PROFILE]`.
//!
//! Medians of many; each load is on a thread of its own, with a spawn that is not counted.

use insula_oci::CapabilitySet;
use insula_seccomp::profile::{Circumstances, Profile};
use insula_seccomp::{builtin, compile, native};
use insula_sys::seccomp::load;
use std::time::{Duration, Instant};
use std::{env, fs, io::Write, thread};

/// The median of `rounds` measurements.
fn median(rounds: usize, one: impl Fn() -> Duration) -> Duration {
    let mut all: Vec<Duration> = (0..rounds).map(|_| one()).collect();
    all.sort_unstable();
    all[rounds / 2]
}

fn main() {
    let capabilities = CapabilitySet::default();
    let native_arch = native().expect("a known architecture");
    let at = Circumstances { native: native_arch, kernel: (6, 1), capabilities: &capabilities };
    let text = env::args().nth(1).map(|path| fs::read_to_string(path).expect("read the profile"));
    let read = || match &text {
        Some(text) => Profile::read(text).and_then(|profile| profile.resolve(&at)).expect("a profile"),
        None => builtin::profile(&at),
    };
    let profile = read();
    let filter = compile(&profile, native()).expect("it compiles");
    let compiled = median(2001, || {
        let start = Instant::now();
        let filter = compile(&profile, native()).expect("it compiles");
        let took = start.elapsed();
        drop(filter);
        took
    });
    let reading = median(501, || {
        let start = Instant::now();
        let profile = read();
        let took = start.elapsed();
        drop(profile);
        took
    });
    let first = thread::spawn({
        let profile = profile.clone();
        move || {
            let start = Instant::now();
            let filter = compile(&profile, native()).expect("it compiles");
            (start.elapsed(), filter.program.len()).0
        }
    });
    let first = first.join().expect("a compilation");
    let loading = median(501, || {
        let (program, flags) = (filter.program.clone(), filter.flags);
        let one = thread::spawn(move || {
            insula_sys::prctl::no_new_privs().expect("PR_SET_NO_NEW_PRIVS");
            let start = Instant::now();
            load(&program, flags).expect("it loads");
            start.elapsed()
        });
        one.join().expect("a load")
    });
    let mut out = std::io::stdout().lock();
    let count = filter.program.len();
    let _ = writeln!(
        out,
        "{count} instructions; read {reading:?}, compile {compiled:?} (first {first:?}), load {loading:?}"
    );
}
