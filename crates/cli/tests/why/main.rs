//! `insula why`: real programs that are really refused something, by root and by ordinary users; the plans of our own
//! commands, rehearsed; and programs that do all they can to be hard to trace.
#![forbid(unsafe_code)]

#[macro_use]
#[expect(dead_code, reason = "the other tests use the rest")]
#[path = "../caller/mod.rs"]
mod caller;

mod causes;
mod hostile;
mod own;
mod signals;
mod streams;

use caller::{Caller, Ended, ended};
use serde_json::Value;
use std::fs;

/// The debug build: it aborts on any allocation between birth and exec.
fn binary() -> std::path::PathBuf {
    env!("CARGO_BIN_EXE_insula").into()
}

/// Directories that every user may pass: a closed one in a search is EACCES.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A traced run: how it ended, and the answer.
struct Answer {
    end: Ended,
    json: Value,
}

impl Answer {
    /// The refused calls.
    fn refused(&self) -> &[Value] {
        self.json["refused"].as_array().expect("a list of refused calls")
    }

    /// The one that is taken for the end's reason.
    #[track_caller]
    fn fatal(&self) -> &Value {
        let fatal: Vec<&Value> =
            self.refused().iter().filter(|refused| refused["outcome"] == "fatal").collect();
        let [fatal] = fatal[..] else { panic!("one call is fatal: {:#}\n{}", self.json, self.end.err) };
        fatal
    }
}

/// `insula why --json -o FILE -- WORDS…`.
#[track_caller]
fn why(caller: &Caller, words: &[&str]) -> Answer {
    why_with(caller, &[], words)
}

/// The same with more flags.
#[track_caller]
fn why_with(caller: &Caller, flags: &[&str], words: &[&str]) -> Answer {
    let file = caller.home().join("answer.json");
    let to = file.to_str().expect("a path in UTF-8");
    let all = [&["why", "--json", "-o", to], flags, &["--"], words].concat();
    let end = ended(caller.insula(&all).env("PATH", PATH));
    let text = fs::read_to_string(&file).expect("read the answer");
    let json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}\n{}", end.err));
    Answer { end, json }
}

/// No control characters but line ends.
#[track_caller]
fn clean(text: &str) {
    let raw = text.chars().find(|c| c.is_control() && *c != '\n');
    assert_eq!(raw, None, "raw in {text:?}");
}
