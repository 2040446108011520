//! `insula ns pid`: a process in two nested pid namespaces, seen from each.

use std::fs;

use crate::caller::{Caller, ended};
use crate::holder::{Holder, json, ns};
use insula_proof as proof;

by_everyone!(
    a_pid_is_told_at_each_level,
    a_pid_is_translated_there_and_back,
    a_process_is_not_visible_beside_or_below,
    bad_words_are_refused,
);

/// A process in a pid namespace in a pid namespace, and one in the outer.
struct Nested {
    _outer: Holder,
    outer: u32,
    inner: u32,
}

impl Nested {
    fn new(caller: &Caller) -> Result<Nested, String> {
        let mut command = caller.command("unshare");
        if !caller.is_root() {
            command.args(["--user", "--map-root-user"]);
        }
        command.args([
            "--pid",
            "--fork",
            "--kill-child",
            "--",
            "unshare",
            "--pid",
            "--fork",
            "--kill-child",
            "--",
        ]);
        command.args(["sh", "-c", "echo ready; exec sleep 120"]);
        let holder = Holder::of(&mut command)?;
        let outer = holder.child();
        let inner = child_of(outer);
        Ok(Nested { _outer: holder, outer, inner })
    }
}

fn child_of(pid: u32) -> u32 {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let children = fs::read_to_string(path).expect("the children of a process");
    children.trim().parse().expect("one child")
}

fn words(pids: &[u32]) -> Vec<String> {
    pids.iter().map(u32::to_string).collect()
}

fn a_pid_is_told_at_each_level(caller: &Caller) {
    let nested = proof::or_skip!(Nested::new(caller));
    let [inner] = &words(&[nested.inner])[..] else { unreachable!() };
    let (code, told) = json(caller, &["pid", inner]);
    assert_eq!(code, 0);
    let status = fs::read_to_string(format!("/proc/{inner}/status")).expect("its status");
    let line = status.lines().find_map(|line| line.strip_prefix("NSpid:")).expect("its pids");
    let pids: Vec<u64> = line.split_whitespace().map(|pid| pid.parse().expect("a number")).collect();
    let levels = told["levels"].as_array().expect("levels");
    assert_eq!(levels.iter().map(|level| level["pid"].as_u64().unwrap_or(0)).collect::<Vec<_>>(), pids);
    assert_eq!(pids.len(), 3);
    for (at, file) in
        ["/proc/self", &format!("/proc/{}", nested.outer), &format!("/proc/{inner}")].iter().enumerate()
    {
        let link = fs::read_link(format!("{file}/ns/pid")).expect("a namespace");
        let shown = format!("pid:[{}]", levels[at]["inode"]);
        assert_eq!(link.to_str(), Some(shown.as_str()), "level {at}");
    }
    let (_, out, _) = ns(caller, &["pid", inner]);
    assert_eq!(out.lines().count(), 4, "{out}");
    assert!(out.starts_with("LEVEL  PID"), "{out}");
}

fn a_pid_is_translated_there_and_back(caller: &Caller) {
    let nested = proof::or_skip!(Nested::new(caller));
    let [outer, inner] = &words(&[nested.outer, nested.inner])[..] else { unreachable!() };
    let file = format!("/proc/{inner}/ns/pid");
    for there in [inner.as_str(), &file] {
        assert_eq!(ns(caller, &["pid", inner, there]), (0, "1\n".into(), String::new()));
        assert_eq!(ns(caller, &["pid", "--from", there, "1"]), (0, format!("{inner}\n"), String::new()));
    }
    assert_eq!(ns(caller, &["pid", outer, outer]).1, "1\n");
    let (code, told) = json(caller, &["pid", inner, outer]);
    assert_eq!((code, &told["pid"], &told["namespace"]), (0, &nested.inner.into(), &outer.as_str().into()));
    let there = told["there"].to_string();
    assert!(there != "1" && there != *inner, "{told}");
    assert_eq!(json(caller, &["pid", "--from", outer, &there]), (0, told));
    assert_eq!(ns(caller, &["pid", inner, "host"]).1, format!("{inner}\n"));
    // From inside of the outer namespace its own number is the one that counts.
    if caller.is_root() {
        let mut enter = caller.command("nsenter");
        enter.args([
            "--target",
            outer,
            "--pid",
            "--mount",
            "--",
            "unshare",
            "--mount",
            "--propagation",
            "private",
        ]);
        let insula = caller.words(&[])[0].clone();
        let script = format!("mount -t proc proc /proc && exec {insula} ns pid {there} /proc/{there}/ns/pid");
        let said = ended(enter.args(["sh", "-c", &script])).said();
        assert_eq!(said, "1");
    }
}

fn a_process_is_not_visible_beside_or_below(caller: &Caller) {
    let nested = proof::or_skip!(Nested::new(caller));
    let beside = proof::or_skip!(Holder::unshared(caller, &["--pid", "--fork", "--kill-child"]));
    let [outer, inner, beside] = &words(&[nested.outer, nested.inner, beside.child()])[..] else {
        unreachable!()
    };
    for (process, there) in [(outer, inner), (outer, beside), (beside, outer)] {
        let (code, out, err) = ns(caller, &["pid", process, there]);
        assert_eq!((code, out.as_str()), (1, ""), "{err}");
        assert!(
            err.contains(&format!(
                "process {process} is not visible in the pid namespace of process {there}"
            ))
        );
        assert!(
            err.contains("hint: a process is visible in its own pid namespace and in those above it only")
        );
    }
    let (code, _, err) = ns(caller, &["pid", "--from", inner, "77"]);
    assert_eq!(code, 1);
    assert!(
        err.contains(&format!("there is no process 77 in the pid namespace of process {inner}")),
        "{err}"
    );
    let (code, _, err) = ns(caller, &["pid", "4194305"]);
    assert_eq!(code, 1);
    assert!(err.contains("there is no process 4194305"), "{err}");
}

fn bad_words_are_refused(caller: &Caller) {
    let table: &[(&[&str], &str)] = &[
        (&["pid"], "required"),
        (&["pid", "0"], "0"),
        (&["pid", "x"], "x"),
        (&["pid", "1", "nope"], "this is no name, pid, inode or id of a namespace, and no file"),
        (&["pid", "1", "/proc/self/status"], "this file is no namespace"),
        (&["pid", "1", "/proc/self/ns/net"], "has no pid namespace"),
        (&["pid", "1", "/nope/at/all"], "No such file or directory"),
        (&["pid", "1", "2", "--from", "3"], "cannot be used with"),
    ];
    for (words, said) in table {
        let (code, out, err) = ns(caller, words);
        assert_eq!((code, out.as_str()), (125, ""), "{words:?}: {err}");
        assert!(err.contains(said), "{words:?}: {err}");
    }
}
