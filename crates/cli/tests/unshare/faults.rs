//! A fault and a sudden death at every step: which one it was is told, and no process, mount or file is left.

use std::process::Command;

use crate::caller::{Caller, EXITS, Ended, ended};
use insula_proof as proof;

by_everyone!(
    without_a_fork,
    with_a_child_that_is_pid_1,
    with_ranges_that_a_deputy_maps,
    with_namespaces_that_are_kept,
);

/// What is injected, and what is said of it.
const FAULTS: [(&str, &str); 2] = [("5", "Input/output error"), ("kill", "killed by signal 9")];

/// The words of insula behind it, as `"$@"`, in a mount namespace of its own; then waits until nothing is mounted on the
/// files of the working directory, and tells it otherwise. A deputy that outlives us takes back what it has mounted, and its
/// guard what it has mounted before it was killed.
const ROOM: &str = r#"touch u n m
[ "$3" != --explain=json ] || exec "$@"
"$@"; code=$?
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    left=$(stat -fc '%n %T' u n m | grep nsfs) || exit $code
    sleep 0.05
done
echo "left: $left"; exit $code"#;

struct Step {
    number: u64,
    name: String,
    what: String,
    by_parent: bool,
}

fn steps(caller: &Caller, words: &[&str]) -> Vec<Step> {
    let said = ended(&mut call(caller, &[&["--explain=json"], words].concat())).said();
    let plan: serde_json::Value = serde_json::from_str(&said).expect("a plan in JSON");
    let text = |step: &serde_json::Value, key: &str| step[key].as_str().expect("a text").to_owned();
    let steps = plan["steps"].as_array().expect("steps").iter().map(|step| Step {
        number: step["number"].as_u64().expect("a number"),
        name: text(step, "step"),
        what: text(step, "what"),
        by_parent: text(step, "who") == "parent",
    });
    steps.collect()
}

/// `insula unshare WORDS…` in the room.
fn call(caller: &Caller, words: &[&str]) -> Command {
    let mut command = caller.command("unshare");
    if !caller.is_root() {
        command.arg("--map-root-user");
    }
    command.args(["--mount", "--propagation", "private", "sh", "-c", ROOM, "sh"]);
    command.args(caller.words(&[&["unshare"], words].concat()));
    command
}

fn every_fault(caller: &Caller, words: &[&str]) {
    let _alone = proof::alone();
    let steps = steps(caller, words);
    let before = caller.census();
    let fork = steps.iter().position(|step| step.name == "fork").unwrap_or(steps.len());
    let mut wrong = Vec::new();
    // The fork itself is no step that is run: who walks is at it, and a child goes on behind it.
    for (at, step) in steps.iter().enumerate().filter(|(_, step)| step.name != "fork") {
        for (fault, said) in FAULTS {
            let mut command = call(caller, words);
            command.env("INSULA_FAULT", format!("{}:{fault}", step.number));
            let end = ended(&mut command);
            let ourselves = fault == "kill" && at < fork && !step.by_parent;
            if !told(step, ourselves, said, &end) {
                let (code, out, err) = (end.code(), end.out.trim_end(), end.err.trim_end());
                wrong.push(format!("{}:{fault} ({}): code {code}, `{out}` `{err}`", step.number, step.what));
            }
        }
    }
    before.assert_equal_within(EXITS);
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
}

fn told(step: &Step, ourselves: bool, said: &str, end: &Ended) -> bool {
    let silent = end.out.is_empty();
    if ourselves {
        // insula itself was killed; the shell of the room may say so.
        return silent && end.code() == 128 + 9 && !end.err.contains("insula");
    }
    let place = format!("insula: error: step {} ({})", step.number, step.what);
    // Pid 1 of a namespace cannot kill itself, and ends as suddenly with the same number.
    let gone = said.contains("killed") && end.err.contains("the process ended with code 137");
    silent && end.code() == 1 && end.err.starts_with(&place) && (gone || end.err.contains(said))
}

fn without_a_fork(caller: &Caller) {
    proof::need!(swift);
    let words =
        ["-rmuT", "--hostname=blue", "--boottime=5", "--try-ipc", "-R/", "-w/etc", "-S0", "--keep-caps"];
    every_fault(caller, &[&words[..], &["true"]].concat());
}

fn with_a_child_that_is_pid_1(caller: &Caller) {
    proof::need!(swift);
    every_fault(caller, &["-rpf", "--mount-proc", "--kill-child", "--domainname=example", "true"]);
}

fn with_ranges_that_a_deputy_maps(caller: &Caller) {
    proof::need!(swift);
    if !caller.is_root() {
        // In the room everyone is root, and may map the one id that the room has.
        every_fault(caller, &["--map-users=0:0:1", "--map-groups=0:0:1", "-u", "true"]);
        return;
    }
    let ranges = ["--map-users=0:5432100:100", "--map-groups=0:5432100:100"];
    every_fault(caller, &[&ranges[..], &["-u", "true"]].concat());
    every_fault(caller, &[&ranges[..], &["-pf", "--setgroups=allow", "true"]].concat());
}

fn with_namespaces_that_are_kept(caller: &Caller) {
    proof::need!(swift);
    every_fault(caller, &["--uts=u", "--net=n", "true"]);
    every_fault(caller, &["--uts=u", "--net=n", "-pf", "true"]);
}
