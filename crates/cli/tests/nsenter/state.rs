//! What the program finds: namespaces, ids, groups, capabilities, root and working directory, environment.

use crate::both::{Both, they_have};
use crate::caller::Caller;
use crate::target::{ALL_BUT_USER, Target};
use insula_proof as proof;
use std::process::Command;

/// All that a program can see of what was made for it, in a few calls.
const LOOK: &str = "exec 2>&1; readlink /proc/self/ns/* /proc/self/root; pwd; [ $PPID = 0 ] && echo from outside; ls -di / .; \
                    grep -E '^(Uid|Gid|Groups|Cap...|NoNewPrivs|SigIgn|SigBlk|Seccomp):' /proc/self/status; \
                    ls /proc/self/fd; cat /proc/self/cgroup; env | grep -E '^(OF_TARGET|PATH|HOME|USER|SHELL)='";

/// The flags, with `PID` for the target. Each is given to both tools.
const LINES: &[&[&str]] = &[
    &["-t", "PID", "-a"],
    &["-tPID", "-a", "--preserve-credentials"],
    &["--target", "PID", "--all", "--no-fork"],
    &["--tar=PID", "-aF", "--pres"],
    &["-t", "PID", "-m"],
    &["-t", "PID", "-u"],
    &["-t", "PID", "-i"],
    &["-t", "PID", "-n"],
    &["-t", "PID", "-p"],
    &["-t", "PID", "-pF"],
    &["-t", "PID", "-C"],
    &["-t", "PID", "-T"],
    &["-t", "PID", "-U"],
    &["-t", "PID", "-U", "--preserve-credentials"],
    &["-t", "PID", "-Un", "--preserve-credentials"],
    &["-t", "PID", "-mU", "--preserve-credentials"],
    &["-t", "PID", "-mpU", "-S", "0", "-G", "0"],
    &["-t", "PID", "-m", "-p", "-S0"],
    &["-t", "PID", "-u", "-G", "7", "-S", "7"],
    &["-t", "PID", "-u", "-S", "7"],
    &["-t", "PID", "-u", "--setgid=7"],
    &["-t", "PID", "-mr"],
    &["-t", "PID", "-mrw"],
    &["-t", "PID", "-m", "-w"],
    &["-t", "PID", "-m", "-w/etc"],
    &["-t", "PID", "-m", "--wd=/etc"],
    &["-t", "PID", "-m", "-W/etc"],
    &["-t", "PID", "-m", "--wdns=/etc"],
    &["-t", "PID", "-m", "--root=/", "--wdns=/etc"],
    &["-t", "PID", "-r", "-u"],
    &["-u/proc/PID/ns/uts"],
    &["--uts=/proc/PID/ns/uts", "-t", "PID", "-u", "-i"],
    &["-t", "PID", "-a", "--net=/proc/self/ns/net"],
    &["-t", "PID", "-a", "--user=/proc/PID/ns/user"],
    &["--user=/proc/PID/ns/user", "--net=/proc/PID/ns/net", "--preserve-credentials"],
    &["--net=/proc/PID/ns/net", "--user=/proc/PID/ns/user", "--mount=/proc/PID/ns/mnt"],
    &["-t", "PID", "-u", "-Z"],
];

/// No namespace at all: from util-linux 2.42 on that is an error there.
const NONE: &[&[&str]] = &[
    &["-t", "PID", "-w"],
    &["-t", "PID", "-r"],
    &["-t", "PID"],
    &["-t", "999999999"],
    &["-S", "7"],
    &["-G", "7"],
    &["-w/etc"],
    &["-F"],
    &[],
];

/// Flags that nsenter(1) did not always have.
const NEWER: &[(&str, &[&str])] = &[
    ("--env", &["-t", "PID", "-u", "-e"]),
    ("--env", &["-t", "PID", "-a", "-e", "-w"]),
    ("--keep-caps", &["-t", "PID", "-U", "--keep-caps", "--preserve-credentials"]),
    ("--keep-caps", &["-t", "PID", "-U", "--keep-caps"]),
    ("--env", &["-t", "PID", "-U", "-S", "follow", "-G", "follow"]),
    ("--user-parent", &["-t", "PID", "--user-parent"]),
];

/// What nsenter(1) of 2.41 does otherwise than that of 2.38 and its manual: `--keep-caps` keeps none, and with `--all` a
/// user namespace that is given by a file is not entered by one who has no rights outside of it.
fn does_it_otherwise(line: &[&str]) -> bool {
    let version = Command::new("nsenter").arg("--version").output().expect("start nsenter(1)");
    let is_newer = !String::from_utf8_lossy(&version.stdout).contains(" 2.38");
    let differs = line.contains(&"--keep-caps")
        || line.contains(&"-a") && line.iter().any(|word| word.starts_with("--user="));
    is_newer && differs
}

fn every_line(caller: &Caller, target: &Target, look: &str) {
    let both = Both::new(caller);
    let newer = NEWER.iter().filter(|(flag, _)| they_have(flag)).map(|(_, words)| *words);
    let none = if both.they_take(&["true"]) { NONE } else { &[] };
    let lines = LINES.iter().chain(none).copied().chain(newer);
    for line in lines.filter(|line| !does_it_otherwise(line)) {
        let flags = target.words(line);
        let words: Vec<&str> = flags.iter().map(String::as_str).chain(["sh", "-c", look]).collect();
        both.same(&words);
    }
}

fn a_user_namespace_and_all_that_it_owns(caller: &Caller) -> Result<(), String> {
    let target = Target::new(caller, &[&["-r"], &ALL_BUT_USER[..]].concat())?;
    every_line(caller, &target, LOOK);
    Ok(())
}

#[test]
fn a_user_namespace_and_all_that_it_owns_by_root() {
    proof::need!(program "nsenter", program "unshare");
    let caller = proof::or_skip!(Caller::root());
    proof::or_skip!(a_user_namespace_and_all_that_it_owns(&caller));
}

#[test]
fn a_user_namespace_and_all_that_it_owns_by_a_user() {
    proof::need!(program "nsenter", program "unshare");
    let caller = proof::or_skip!(Caller::user());
    proof::or_skip!(a_user_namespace_and_all_that_it_owns(&caller));
}

#[test]
fn a_user_namespace_with_many_ids_by_a_user() {
    proof::need!(program "nsenter", program "unshare");
    let caller = proof::or_skip!(Caller::user_with_subuids());
    let flags = [&["-r", "--map-auto"], &ALL_BUT_USER[..]].concat();
    // Each call of such a user has a mount namespace of its own, with its account in it.
    let look = LOOK.replace("/ns/*", "/ns/[!m]*");
    every_line(&caller, &proof::or_skip!(Target::new(&caller, &flags)), &look);
}

#[test]
fn namespaces_of_the_hosts_user_namespace_by_root() {
    proof::need!(program "nsenter", program "unshare");
    let caller = proof::or_skip!(Caller::root());
    every_line(&caller, &proof::or_skip!(Target::new(&caller, &ALL_BUT_USER)), LOOK);
}

#[test]
fn a_process_that_has_the_callers_own_namespaces() {
    proof::need!(program "nsenter", program "unshare");
    for caller in [Caller::root(), Caller::user()].into_iter().flatten() {
        let target = Target::of(caller.command(Target::wait()[0]).args(&Target::wait()[1..]), false);
        every_line(&caller, &target.expect("a process"), LOOK);
    }
}
