//! What only ours has: all kinds in a word, kinds that are tried, names, the status for a supervisor, the plan.

use crate::caller::{Caller, Ended, ended};
use insula_proof as proof;
use serde_json::Value;

by_everyone!(
    all_is_all_eight_with_a_child_that_is_root,
    a_kind_that_is_tried_is_made_where_it_can_be,
    names_are_those_of_a_namespace_of_its_own,
    a_supervisor_hears_of_the_child_and_its_end,
    a_supervisor_hears_of_what_failed,
    a_plan_is_printed_and_nothing_done,
);

fn unshare(caller: &Caller, words: &[&str]) -> Ended {
    ended(&mut caller.insula(&[&["unshare"], words].concat()))
}

/// The kinds of the namespaces that are not the caller's own. Both are looked at in one call: the number of a namespace that has ended is used
/// again, and an account of the tests has a mount namespace for each call.
fn new_kinds(caller: &Caller, words: &[&str]) -> Vec<String> {
    const LOOK: &str = "readlink /proc/self/ns/[cimnptu]*";
    let inside = caller.words(&[&["unshare"], words, &["sh", "-c", LOOK]].concat());
    let script = format!("{LOOK}; echo; exec \"$@\"");
    let said = ended(caller.command("sh").args(["-c", &script, "sh"]).args(inside)).said();
    let (before, now) = said.split_once("\n\n").expect("two lists");
    let before: Vec<&str> = before.lines().collect();
    let new = now.lines().filter(|line| !before.contains(line));
    let kinds = new.map(|line| line.split(':').next().unwrap_or_default().to_owned());
    kinds.collect::<std::collections::BTreeSet<String>>().into_iter().collect()
}

fn all_is_all_eight_with_a_child_that_is_root(caller: &Caller) {
    let eight = ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"];
    assert_eq!(new_kinds(caller, &["--all"]), eight);
    let said = unshare(caller, &["--all", "sh", "-c", "echo $$; id -u; cat /proc/self/uid_map"]).said();
    let words: Vec<&str> = said.split_whitespace().collect();
    assert_eq!(words, ["1", "0", "0", &caller.uid().to_string(), "1"]);
    let said = unshare(caller, &["--all", "--map-current-user", "id", "-u"]).said();
    assert_eq!(said, caller.uid().to_string(), "what is mapped otherwise stays");
}

fn a_kind_that_is_tried_is_made_where_it_can_be(caller: &Caller) {
    let mount_of_the_account = |kinds: Vec<String>| -> Vec<String> {
        // A call of the account has a mount namespace of its own, another each time.
        kinds.into_iter().filter(|kind| kind != "mnt").collect()
    };
    let made = mount_of_the_account(new_kinds(caller, &["--try-net", "--try-uts"]));
    assert_eq!(made, if caller.is_root() { vec!["net", "uts"] } else { Vec::new() });
    let with_user = mount_of_the_account(new_kinds(caller, &["--try-net", "--try-user", "--try-uts"]));
    assert_eq!(with_user, ["net", "user", "uts"], "the user namespace is made first");
    let said = unshare(caller, &["--json=1", "--try-ipc", "true"]).said();
    let started: Value = serde_json::from_str(said.lines().next().expect("a line")).expect("JSON");
    assert_eq!(started["skipped"]["ipc"].is_string(), !caller.is_root(), "{said}");
    assert_eq!(started["ipc-namespace"].is_u64(), caller.is_root(), "{said}");
}

fn names_are_those_of_a_namespace_of_its_own(caller: &Caller) {
    let before = ended(&mut caller.command("hostname")).said();
    let look = "hostname; cat /proc/sys/kernel/domainname";
    let said =
        unshare(caller, &["-r", "--hostname=blue", "--domainname", "example", "sh", "-c", look]).said();
    assert_eq!(said, "blue\nexample");
    assert_eq!(ended(&mut caller.command("hostname")).said(), before);
}

fn a_supervisor_hears_of_the_child_and_its_end(caller: &Caller) {
    let script = "echo $PPID; readlink /proc/self/ns/net; exit 7";
    let end = unshare(caller, &["-rn", "--json", "sh", "-c", script]);
    assert_eq!(end.code(), 7);
    let lines: Vec<Value> = end.err.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 2, "{}", end.err);
    let net = format!("net:[{}]", lines[0]["net-namespace"]);
    assert!(end.out.ends_with(&format!("{net}\n")), "{} {}", end.out, end.err);
    assert!(lines[0]["child-pid"].is_u64() && lines[0]["uts-namespace"].is_null(), "{}", end.err);
    assert_eq!(lines[1], serde_json::json!({ "exit-code": 7 }));
    let end = unshare(caller, &["-r", "--json", "sh", "-c", "kill -TERM $$"]);
    let last: Value = serde_json::from_str(end.err.lines().last().expect("a line")).expect("JSON");
    assert_eq!((end.code(), &last), (143, &serde_json::json!({ "exit-code": 143, "signal": 15 })));
}

/// On a descriptor of its own, which the program does not get.
fn a_supervisor_hears_of_what_failed(caller: &Caller) {
    let words = caller.words(&["unshare", "-r", "--json=9"]).join(" ");
    let script = format!("{words} no-such-program 9>status; echo $?; {words} ls /proc/self/fd 9>&1 >seen");
    let end = ended(caller.command("sh").args(["-c", &script]).env("PATH", "/usr/bin:/bin"));
    let status = std::fs::read_to_string(caller.home().join("status")).expect("the status");
    let status: Value = serde_json::from_str(&status).expect("one line of JSON");
    assert_eq!((&status["exit-code"], end.out.lines().next()), (&127.into(), Some("127")), "{}", end.out);
    assert!(status["error"].as_str().is_some_and(|error| error.contains("no-such-program")), "{status}");
    assert!(status["hint"].is_string(), "{status}");
    let seen = std::fs::read_to_string(caller.home().join("seen")).expect("the descriptors");
    assert!(seen.lines().all(|line| line != "9") && seen.contains('0'), "{seen}");
}

fn a_plan_is_printed_and_nothing_done(caller: &Caller) {
    let words = ["-rpf", "--mount-proc", "--hostname=blue", "sh", "-c", "touch here"];
    let text = unshare(caller, &[&["--explain"], &words[..]].concat()).said();
    for part in ["new namespaces: user mnt pid uts", "`blue`", "fork", "procfs on `/proc`", "program `sh`"] {
        assert!(text.contains(part), "{part} in: {text}");
    }
    let json = unshare(caller, &[&["--explain=json"], &words[..]].concat()).said();
    let plan: Value = serde_json::from_str(&json).expect("JSON");
    let steps = plan["steps"].as_array().expect("steps");
    assert_eq!(steps.last().map(|step| &step["step"]), Some(&"execvp".into()));
    assert!(!caller.home().join("here").exists());
}

/// The maps that the program finds, in one line.
fn maps(caller: &Caller, words: &[&str]) -> String {
    let look = "echo $(cat /proc/self/uid_map) / $(cat /proc/self/gid_map) / $(cat /proc/self/setgroups)";
    unshare(caller, &[words, &["sh", "-c", look]].concat()).said()
}

#[test]
fn an_owner_is_who_made_the_namespace_and_the_caller_is_mapped() {
    let caller = proof::or_skip!(Caller::root());
    let owner = ["--owner=54321:54322", "--map-root-user"];
    assert_eq!(maps(&caller, &owner), "0 0 1 / 0 0 1 / allow");
    assert_eq!(
        unshare(&caller, &[&owner[..], &["id", "-u"]].concat()).said(),
        "65534",
        "an id that is not mapped"
    );
    let lines = maps(&caller, &["--owner=54321:54322", "--map-users=0:54321:2", "--map-groups=0:54322:2"]);
    assert_eq!(lines, "0 54321 2 / 0 54322 2 / allow");
}

#[test]
fn root_maps_any_range_by_itself() {
    let caller = proof::or_skip!(Caller::root());
    let ranges = ["--map-users=0:5432100:100", "--map-users=100:7:1", "--map-groups=5432100,7,9"];
    assert_eq!(maps(&caller, &ranges), "0 5432100 100 100 7 1 / 7 5432100 9 / allow");
    // The range loses its topmost id to the own one.
    let lines = maps(&caller, &["-r", "--map-users=0:5432100:100", "--map-groups=1:5432100:100"]);
    assert_eq!(lines, "0 0 1 1 5432100 99 / 0 0 1 1 5432100 100 / allow");
}

#[test]
fn subordinate_ids_are_all_there_behind_the_own_one() {
    let caller = proof::or_skip!(Caller::user_with_subuids());
    let own = caller.uid();
    let said = maps(&caller, &["-r", "--map-auto"]);
    if proof::id::is_root() {
        assert_eq!(said, format!("0 {own} 1 1 5432100 65536 / 0 {own} 1 1 5432100 65536 / allow"));
        let said = maps(&caller, &["--map-subids"]);
        assert_eq!(said, "5432100 5432100 65536 / 5432100 5432100 65536 / allow");
    } else {
        assert!(said.starts_with(&format!("0 {own} 1 1 ")) && said.ends_with("allow"), "{said}");
    }
}

/// A map of the own group denies it anyway; theirs then fails to say so again.
#[test]
fn to_deny_what_is_denied_is_no_failure() {
    let caller = proof::or_skip!(Caller::user());
    let own = caller.uid();
    assert_eq!(maps(&caller, &["-r", "--setgroups", "deny"]), format!("0 {own} 1 / 0 {own} 1 / deny"));
}
