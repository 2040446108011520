//! A fault at every step: which one it was is told, and nothing is left.

use std::process::Command;

use crate::caller::{Caller, EXITS, Ended, ended};
use crate::target::{ALL_BUT_USER, Target};
use insula_proof as proof;

/// What is injected, and what is said of it.
const FAULTS: [(&str, &str); 3] = [
    ("5", "Input/output error"),
    ("12", "Cannot allocate memory"),
    ("kill", "the process was killed by signal 9"),
];

struct Step {
    number: u64,
    name: String,
    what: String,
}

fn steps(caller: &Caller, words: &[&str]) -> Vec<Step> {
    let words = [&["nsenter", "--explain=json"], words].concat();
    let plan: serde_json::Value =
        serde_json::from_str(&ended(&mut caller.insula(&words)).said()).expect("a plan in JSON");
    let steps = plan["steps"].as_array().expect("steps").iter().map(|step| Step {
        number: step["number"].as_u64().expect("a number"),
        name: step["step"].as_str().expect("a text").to_owned(),
        what: step["what"].as_str().expect("a text").to_owned(),
    });
    steps.collect()
}

fn every_fault(caller: &Caller, words: &[&str]) {
    let _alone = proof::alone();
    let steps = steps(caller, words);
    let before = caller.census();
    let fork = steps.iter().position(|step| step.name == "fork").unwrap_or(steps.len());
    let mut wrong = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        // Where a fork goes on, the child's first step comes after it; the fork itself is no step that is run.
        if step.name == "fork" {
            continue;
        }
        for (fault, said) in FAULTS {
            let mut command = caller.insula(&[&["nsenter"], words].concat());
            command.env("INSULA_FAULT", format!("{}:{fault}", step.number));
            let end = ended(&mut command);
            if !told(step, fault == "kill", at < fork, said, &end) {
                wrong.push(format!(
                    "{}:{fault} ({}): code {}, `{}`",
                    step.number,
                    step.what,
                    end.code(),
                    end.err.trim_end()
                ));
            }
        }
    }
    before.assert_equal_within(EXITS);
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
}

fn told(step: &Step, kill: bool, by_itself: bool, said: &str, end: &Ended) -> bool {
    if kill && by_itself {
        // insula itself was killed: before the fork there is nobody else.
        return end.code() == 128 + 9 && end.err.is_empty() && end.out.is_empty();
    }
    let place = format!("insula: error: step {} ({})", step.number, step.what);
    end.code() == 1 && end.out.is_empty() && end.err.starts_with(&place) && end.err.contains(said)
}

fn both_ways(caller: &Caller) -> Result<(), String> {
    let target = Target::new(caller, &[&["-r"], &ALL_BUT_USER[..]].concat())?;
    let pid = target.pid();
    let keep = if caller.is_root() { "--keep-caps" } else { "--preserve-credentials" };
    every_fault(caller, &["-t", pid, "-a", "-r", "-w", keep, "--", "true"]);
    every_fault(caller, &["-t", pid, "-a", "-F", "-W/", keep, "--", "true"]);
    Ok(())
}

#[test]
fn by_root() {
    proof::need!(swift, program "unshare");
    let caller = proof::or_skip!(Caller::root());
    proof::or_skip!(both_ways(&caller));
}

#[test]
fn by_a_user() {
    proof::need!(swift, program "unshare");
    let caller = proof::or_skip!(Caller::user());
    proof::or_skip!(both_ways(&caller));
}

#[test]
fn a_word_of_faults_means_nothing_to_a_plan_without_that_step() {
    let caller = proof::or_skip!(Caller::user());
    let mut command: Command = caller.insula(&["nsenter", "--", "echo", "ran"]);
    assert_eq!(ended(command.env("INSULA_FAULT", "99:5")).said(), "ran");
}
