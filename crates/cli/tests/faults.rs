//! A fault at every step of every kind of plan: insula says which step it was, and leaves nothing.
//!
//! The debug build, which takes faults from `INSULA_FAULT`; it also aborts on any allocation between birth and exec.

#[macro_use]
#[expect(dead_code, reason = "the other tests use the rest")]
mod caller;
mod netns;

use std::path::PathBuf;
use std::process::Command;

use caller::{Caller, EXITS, Ended, ended};
use insula_proof as proof;
use netns::Netns;

/// What is injected: the words for insula, and what it says of them.
const FAULTS: [(&str, &str); 3] = [
    ("5", "Input/output error"),
    ("12", "Cannot allocate memory"),
    ("kill", "the process was killed by signal 9"),
];

fn binary() -> PathBuf {
    env!("CARGO_BIN_EXE_insula").into()
}

struct Step {
    number: u64,
    what: String,
    by_parent: bool,
}

/// The steps that `insula run WORDS…` would take.
fn steps(call: &dyn Fn(&[&str]) -> Command, words: &[&str]) -> Vec<Step> {
    let words = [&["run", "--explain=json"], words].concat();
    let said = ended(&mut call(&words)).said();
    let plan: serde_json::Value = serde_json::from_str(&said).expect("a plan in JSON");
    let text = |step: &serde_json::Value, key: &str| step[key].as_str().expect("a text").to_owned();
    let steps = plan["steps"].as_array().expect("steps").iter().map(|step| Step {
        number: step["number"].as_u64().expect("a number"),
        what: text(step, "what"),
        by_parent: text(step, "who") == "parent",
    });
    steps.collect()
}

/// Lets each step fail in each way. `words` are those of `insula run`.
fn every_fault(caller: &Caller, words: &[&str]) {
    every_fault_of(caller, &|words| caller.insula(words), words);
}

/// The same, where `call` makes the command of insula's words.
fn every_fault_of(caller: &Caller, call: &dyn Fn(&[&str]) -> Command, words: &[&str]) {
    let marked = caller.marked();
    let words = [&[marked[0].as_str(), marked[1].as_str()], words].concat();
    let all = [&["run"], &*words].concat();
    let steps = steps(call, &words);
    assert!(steps.len() > 20, "a plan of {} steps is none of these", steps.len());
    let _alone = proof::alone();
    // What a run makes for the next one, as a directory to keep changes in, is there.
    ended(&mut call(&all)).said();
    let before = caller.census();
    let mut wrong = Vec::new();
    for step in &steps {
        for (fault, said) in FAULTS {
            let mut command = call(&all);
            command.env("INSULA_FAULT", format!("{}:{fault}", step.number));
            let end = ended(&mut command);
            if let Err(words) = told(step, fault == "kill", said, &end) {
                wrong.push(format!("{}:{fault} ({}): {words}", step.number, step.what));
            }
        }
        before.assert_equal_within(EXITS);
    }
    assert!(wrong.is_empty(), "{} of {} faults:\n{}", wrong.len(), steps.len() * 3, wrong.join("\n"));
}

/// Whether insula said what had to be said.
fn told(step: &Step, kill: bool, said: &str, end: &Ended) -> Result<(), String> {
    let is = |right: bool| {
        if right { Ok(()) } else { Err(format!("code {}, `{}`", end.code(), end.err.trim_end())) }
    };
    if kill && step.by_parent {
        // That was insula itself.
        return is(end.code() == 128 + 9 && end.err.is_empty());
    }
    let mut lines = end.err.lines();
    let error = lines.next().unwrap_or_default();
    let place = format!("insula: error: step {} (", step.number);
    is(end.code() == 125 && end.out.is_empty())?;
    is(error.starts_with(&place) && without_ids(error).contains(&without_ids(&step.what)))?;
    // Pid 1 of a namespace cannot kill itself, and ends as suddenly with the same number.
    let gone = kill && error.contains("the process ended with code 137");
    is((gone || error.contains(said)) && lines.all(|line| line.starts_with("insula: hint: ")))
}

/// The ids that root maps are others at each run.
fn without_ids(text: &str) -> String {
    text.chars().filter(|c| !c.is_ascii_digit()).collect()
}

fn a_view_of_the_host(caller: &Caller) {
    every_fault(caller, &["--", "true"]);
}

fn a_root_directory(caller: &Caller) {
    let root = caller.busybox_root().expect("a root of busybox");
    every_fault(caller, &[&root, "true"]);
}

fn a_terminal(caller: &Caller) {
    every_fault(caller, &["-t", "--", "true"]);
}

fn clocks_that_are_off(caller: &Caller) {
    every_fault(caller, &["--time-offset", "monotonic=5,boottime=-5", "--", "true"]);
}

fn changes_that_are_kept(caller: &Caller) {
    let keep = caller.directory("keep");
    every_fault(caller, &["--keep", &keep, "--", "true"]);
}

fn volumes_limits_and_parameters(caller: &Caller) {
    let volume = format!("{}:/deep/er", caller.directory("volume"));
    let more = ["--ulimit", "nofile=64", "--sysctl", "net.ipv4.ip_forward=1", "--no-new-privileges"];
    let mounts = ["-v", &volume, "--tmpfs", "/opt:size=1m", "--read-only", "--domainname", "example"];
    every_fault(caller, &[&more[..], &mounts[..], &["-u", "0:0", "--", "true"]].concat());
}

by_everyone!(
    a_view_of_the_host,
    a_terminal,
    clocks_that_are_off,
    changes_that_are_kept,
    volumes_limits_and_parameters
);

mod of_busybox {
    use super::a_root_directory;
    use crate::caller::Caller;
    use insula_proof::{need, or_skip};

    #[test]
    fn by_root() {
        need!(program "busybox");
        a_root_directory(&or_skip!(Caller::root()));
    }

    #[test]
    fn by_a_user() {
        need!(program "busybox");
        a_root_directory(&or_skip!(Caller::user()));
    }

    #[test]
    fn by_a_user_with_subuids() {
        need!(program "busybox");
        a_root_directory(&or_skip!(Caller::user_with_subuids()));
    }
}

#[test]
fn a_named_network_that_a_porter_enters() {
    proof::need!(root, program "ip");
    let caller = proof::or_skip!(Caller::root());
    let blue = proof::or_skip!(Netns::new(&caller));
    every_fault_of(
        &caller,
        &|words| blue.around(&caller, caller.words(words)),
        &["--net", blue.name(), "--", "true"],
    );
}

#[test]
fn no_user_namespace() {
    let caller = proof::or_skip!(Caller::root());
    every_fault(&caller, &["--userns", "host", "--", "true"]);
}

#[test]
fn the_hosts_namespaces() {
    let caller = proof::or_skip!(Caller::root());
    let hosts = ["--net", "host", "--pid", "host", "--ipc", "host", "--uts", "host", "--cgroupns", "host"];
    every_fault(&caller, &[&hosts[..], &["--", "true"]].concat());
}

#[test]
fn a_program_that_is_not_there_is_127_and_one_that_may_not_be_executed_126() {
    let caller = proof::or_skip!(Caller::user());
    let before = caller.census();
    let plain = caller.write("plain", "#!/bin/sh\n");
    for (program, code) in [("no-such-program", 127), ("/no/such", 127), ("/etc", 126), (&plain, 126)] {
        let end = ended(&mut caller.insula(&["run", "--", program]));
        assert_eq!(end.code(), code, "{program}: {}", end.err);
        assert!(end.err.contains("find the program") && end.err.contains(program), "{}", end.err);
    }
    std::fs::remove_file(plain).expect("remove the file");
    before.assert_equal_within(EXITS);
}
