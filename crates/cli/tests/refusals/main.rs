//! Bad input of every kind: refused at once, in one line that names it, and nothing is left.

#[macro_use]
#[expect(dead_code, reason = "the other tests use the rest")]
#[path = "../caller/mod.rs"]
mod caller;

mod flags;
mod roots;
mod streams;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use caller::{Caller, Ended, ended};
use insula_proof as proof;

/// A refusal that takes longer has waited for something.
const AT_ONCE: Duration = Duration::from_secs(5);

fn binary() -> PathBuf {
    proof::binary::path()
}

/// Runs `insula WORDS…`, which has to be refused within bounds; `names` is what its error has to hold.
#[track_caller]
fn refused(caller: &Caller, words: &[&str], names: &[&str]) -> Ended {
    let start = Instant::now();
    let end = ended(&mut caller.insula(words));
    let shown: Vec<String> = words.iter().map(|word| word.chars().take(80).collect()).collect();
    assert!(start.elapsed() < proof::patience(AT_ONCE), "{shown:?}: {:?}", start.elapsed());
    assert_eq!((end.code(), end.out.as_str()), (125, ""), "{shown:?}: {}", end.err);
    clean(&end.err);
    assert!(end.err.starts_with("insula: error: "), "{shown:?}: {}", end.err);
    let errors = end.err.lines().filter(|line| line.starts_with("insula: error: ")).count();
    assert!(errors == 1, "{shown:?}: one line tells it: {}", end.err);
    for name in names {
        assert!(end.err.contains(name), "{shown:?}: no `{name}` in: {}", end.err);
    }
    end
}

/// No control characters but line ends.
#[track_caller]
fn clean(text: &str) {
    let raw = text
        .chars()
        .find(|c| (c.is_control() && *c != '\n') || matches!(*c, '\u{2028}' | '\u{2029}' | '\u{202e}'));
    assert_eq!(raw, None, "raw in {text:?}");
}

/// A FIFO that nobody writes: an open of it would wait for ever.
fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().is_ok_and(|status| status.success()));
}
