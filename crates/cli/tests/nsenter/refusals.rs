//! Bad input: the same exit code as there, at once, in one line that names it, with what to do about it.

use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::both::{Both, Tool};
use crate::caller::{Caller, ended};
use crate::target::{ALL_BUT_USER, Target};
use insula_proof as proof;

/// Each line, with what our error or hint has to name. `FIFO`, `PLAIN` are files; `GONE` a pid that is gone.
const LINES: &[(&[&str], &str)] = &[
    (&["-t", "GONE", "-n"], "no process of this pid"),
    (&["-t", "GONE", "-a"], "no process of this pid"),
    (&["-t", "GONE", "-r"], "no process of this pid"),
    (&["-t", "999999999", "-n"], "no process of this pid"),
    (&["-t", "0", "-n"], "no process id"),
    (&["-t", "-1", "-n"], "no process id"),
    (&["-t", "99999999999999999999", "-n"], "no process id"),
    (&["-t", "four", "-n"], "no process id"),
    (&["-t", "", "-n"], "no process id"),
    (&["-t", "4x", "-n"], "no process id"),
    (&["-n"], "`--target PID` names it"),
    (&["-a"], "`--target PID` names it"),
    (&["-r"], "`--target PID` names it"),
    (&["-w"], "`--target PID` names it"),
    (&["-U", "-m"], "`--target PID` names it"),
    (&["--net=/etc/passwd"], "no namespace"),
    (&["--net=/"], "no namespace"),
    (&["--net=/dev/null"], "no namespace"),
    (&["--net=/proc/self/ns/uts"], "`--uts=/proc/self/ns/uts` enters it"),
    (&["--user=/proc/self/ns/mnt"], "`--mount=/proc/self/ns/mnt` enters it"),
    (&["--net=/no/such/file"], "No such file"),
    (&["--net="], "No such file"),
    (&["--mount=PLAIN"], "no namespace"),
    (&["--user=/proc/self/ns/user"], "own user namespace already"),
    (&["-S", "four", "-u"], "no id"),
    (&["-S", "", "-u"], "no id"),
    (&["-G", "-2", "-u"], "no id"),
    (&["-S", "4294967295"], "no id"),
    (&["-w/etc", "-W/etc"], "contradicts"),
    (&["--wd=/no/such"], "/no/such"),
    (&["--wd=/etc/passwd"], "/etc/passwd"),
    (&["--root=/no/such"], "/no/such"),
    (&["--root=/etc/passwd"], "/etc/passwd"),
    (&["--wdns=/no/such"], "`/no` is not there"),
    (&["-t"], "requires an argument"),
    (&["-S"], "requires an argument"),
    (&["--target"], "requires an argument"),
    (&["-x"], "invalid option"),
    (&["--nothing"], "unrecognized option"),
    (&["--u"], "ambiguous"),
    (&["--set=1"], "ambiguous"),
    (&["--all=1"], "takes no argument"),
    (&["--no-fork=1"], "takes no argument"),
];

#[test]
fn bad_input_has_the_same_exit_code_and_is_told_in_one_line() {
    proof::need!(program "nsenter");
    for caller in [Caller::root(), Caller::user()].into_iter().flatten() {
        let both = Both::new(&caller);
        let plain = caller.write("plain", "");
        let gone = gone();
        for (line, names) in LINES {
            let words: Vec<String> =
                line.iter().map(|word| word.replace("GONE", &gone).replace("PLAIN", &plain)).collect();
            let words: Vec<&str> = words.iter().map(String::as_str).chain(["true"]).collect();
            let words = if words.last() == Some(&"true") && names.contains("requires") {
                &words[..1]
            } else {
                &words[..]
            };
            let start = Instant::now();
            let end = both.same(words);
            assert!(start.elapsed() < insula_proof::patience(Duration::from_secs(5)), "{words:?}");
            assert_eq!((end.code(), end.out.as_str()), (1, ""), "{words:?}");
            told(words, &end.err, names);
        }
    }
}

/// One error, its cause, and hints; under the name that it was called by.
#[track_caller]
fn told(words: &[&str], err: &str, names: &str) {
    let errors = err.lines().filter(|line| line.starts_with("nsenter: error: ")).count();
    let hints = err.lines().filter(|line| line.starts_with("nsenter: hint: ")).count();
    let causes = err.lines().filter(|line| line.starts_with("nsenter: cause: ")).count();
    let lines = errors + causes + hints;
    assert!(errors == 1 && causes <= hints && lines == err.lines().count(), "{words:?}: {err}");
    assert!(err.contains(names), "{words:?}: no `{names}` in: {err}");
}

/// A pid that nobody has: of a child that has been waited for.
fn gone() -> String {
    let mut child = Command::new("true").spawn().expect("start true");
    let pid = child.id();
    child.wait().expect("wait for it");
    pid.to_string()
}

/// Only ours: theirs waits for a writer, reads a number as another, takes the last of two targets, or has not the flag.
#[test]
fn what_they_take_or_wait_for_is_refused() {
    let caller = proof::or_skip!(Caller::user());
    let both = Both::new(&caller);
    let fifo = caller.home().join("fifo");
    make_fifo(&fifo);
    let fifo = format!("--net={}", fifo.display());
    let table: [(&[&str], &str); 12] = [
        (&[&fifo], "no namespace"),
        (&["-S", "4294967296"], "no id"),
        (&["-t", "1", "-t", "1", "-n"], "given twice"),
        (&["-t", "1:", "-n"], "no process id"),
        (&["-t", "1:0", "-n"], "no process id"),
        (&["-t", "1:x", "-n"], "no process id"),
        (&["--net=:"], "no id"),
        (&["--net=:x"], "no id"),
        (&["-N", "x", "-t", "1"], "no descriptor"),
        (&["-N", "-1", "-t", "1"], "no descriptor"),
        (&["-N", "5"], "`--target PID` names it"),
        (&["--explain=yaml"], "no form"),
    ];
    for (line, names) in table {
        let words = [line, &["true"]].concat();
        let start = Instant::now();
        let end = both.ours(&words);
        assert!(start.elapsed() < insula_proof::patience(Duration::from_secs(5)), "{words:?}");
        assert_eq!((end.code(), end.out.as_str()), (1, ""), "{words:?}: {}", end.err);
        told(&words, &end.err, names);
    }
}

fn make_fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().is_ok_and(|status| status.success()));
}

#[test]
fn what_is_quoted_has_no_control_characters() {
    let caller = proof::or_skip!(Caller::user());
    let end = Both::new(&caller).ours(&["--net=/no\n/\u{1b}[31m\u{202e}x", "true"]);
    let raw = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(end.code() == 1 && !end.err.contains(raw) && end.err.lines().count() == 1, "{:?}", end.err);
}

#[test]
fn a_pid_namespace_whose_first_process_has_ended_takes_no_other() {
    proof::need!(program "nsenter", program "unshare");
    let caller = proof::or_skip!(Caller::root());
    let target = proof::or_skip!(Target::new(&caller, &ALL_BUT_USER));
    // Held open here, it outlives its processes.
    let held = std::fs::File::open(format!("/proc/{}/ns/pid", target.pid())).expect("its pid namespace");
    drop(target);
    let file = format!("--pid=/proc/{}/fd/{}", std::process::id(), held.as_raw_fd());
    let both = Both::new(&caller);
    let end = both.same(&[&file, "true"]);
    assert_eq!(end.code(), 1);
    told(
        &[&file],
        &end.err,
        "the first process of the pid namespace that children would be born in has ended",
    );
}

#[test]
fn a_pid_namespace_that_is_above_ours_cannot_be_entered() {
    proof::need!(program "nsenter", program "unshare");
    let caller = proof::or_skip!(Caller::root());
    let both = Both::new(&caller);
    let held = std::fs::File::open("/proc/self/ns/pid").expect("our pid namespace");
    let file = format!("--pid=/dev/fd/{}", 9);
    for tool in [Tool::Theirs, Tool::Ours] {
        let words = both.words(tool, &[&file, "true"]);
        // Inside of a pid namespace of its own, with ours open as 9.
        let script = format!(
            "exec 9</proc/{}/fd/{}; exec unshare -p -f --mount-proc \"$@\"",
            std::process::id(),
            held.as_raw_fd()
        );
        let mut command = caller.command("sh");
        let end = ended(command.args(["-c", &script, "sh"]).args(words));
        assert_eq!(end.code(), 1, "{tool:?}: {}", end.err);
        assert!(tool == Tool::Theirs || end.err.contains("a process can only go down"), "{}", end.err);
    }
}
