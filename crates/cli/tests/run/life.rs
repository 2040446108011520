//! The life of a container: signals, time limits, orphans, and that it ends with its insula.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::caller::{Caller, EXITS, Started, ended};

by_everyone!(
    a_signal_to_insula_is_the_programs,
    a_timeout_ends_it_with_124,
    a_killed_insula_takes_the_container_along,
    what_the_program_leaves_ends_with_it,
    thousands_of_orphans_are_reaped,
    many_run_at_once,
);

/// A script that says `ready` and waits; `sleep` is short, so that a trap is heeded soon.
const WAIT: &str = "echo ready; while :; do sleep 0.01; done";

/// Starts it, and waits until it is ready.
fn ready(caller: &Caller, flags: &[&str], script: &str) -> Started {
    let words = [&["run"], flags, &["--", "sh", "-c", script]].concat();
    let mut child = caller.insula(&words).stdout(Stdio::piped()).spawn().expect("start insula");
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    out.read_line(&mut line).expect("what it says");
    let started = Started::of(child);
    assert_eq!(line, "ready\n");
    // The pipe stays open: a program that writes on is not killed by it.
    std::thread::spawn(move || out.lines().count());
    started
}

fn kill(signal: &str, pid: u32) {
    let status = Command::new("kill").args(["-s", signal, &pid.to_string()]).status();
    assert!(status.expect("kill").success());
}

fn a_signal_to_insula_is_the_programs(caller: &Caller) {
    for (signal, code) in [("TERM", 42), ("USR1", 43)] {
        let mut started = ready(caller, &[], &format!("trap 'exit {code}' {signal}; {WAIT}"));
        kill(signal, started.child.id());
        assert_eq!(started.ended().code(), code, "{signal}");
    }
    let mut started = ready(caller, &[], &format!("exec sh -c '{WAIT}'"));
    kill("TERM", started.child.id());
    assert_eq!(started.ended().code(), 143, "without a trap, by the signal");
}

fn a_timeout_ends_it_with_124(caller: &Caller) {
    let before = caller.census();
    let ignores = format!("trap '' TERM; {WAIT}");
    let heeds = format!("trap 'exit 3' INT; {WAIT}");
    let table: [(&[&str], &str, u64); 3] = [
        (&["--timeout", "0.2"], WAIT, 200),
        (&["--timeout", "0.2", "--stop-timeout", "0.3"], &ignores, 500),
        (&["--timeout", "200ms", "--stop-signal", "INT"], &heeds, 200),
    ];
    for (flags, script, ms) in table {
        let start = Instant::now();
        let end = ended(&mut caller.insula(&[&["run"], flags, &["--", "sh", "-c", script]].concat()));
        assert_eq!(end.code(), 124, "{flags:?}: {}", end.err);
        let took = start.elapsed();
        assert!(
            (Duration::from_millis(ms)..insula_proof::patience(Duration::from_secs(5))).contains(&took),
            "{flags:?}: {took:?}"
        );
    }
    assert_eq!(ended(&mut caller.insula(&["run", "--timeout", "10", "--", "sh", "-c", "exit 7"])).code(), 7);
    before.assert_equal_within(EXITS);
}

fn a_killed_insula_takes_the_container_along(caller: &Caller) {
    let marked = caller.marked();
    let before = caller.census();
    let daemons = "(sleep 60 &); (setsid sleep 60 &);";
    // With the host's pid namespace nothing but a cgroup could find what has left the program's process tree.
    let table: [(&[&str], &str); 5] = [
        (&[], daemons),
        (&["--init=false"], daemons),
        (&["-t"], daemons),
        (&["-u", "0:0"], daemons),
        (&["--pid", "host"], ""),
    ];
    for (more, first) in table {
        let flags = [&[marked[0].as_str(), marked[1].as_str()], more].concat();
        let script = format!("{first} {WAIT}");
        let words = [&["run"], &*flags, &["--", "sh", "-c", &script]].concat();
        let mut child = caller.insula(&words).stdout(Stdio::piped()).spawn().expect("start insula");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("what it says");
        assert_eq!(line.trim_end(), "ready", "{more:?}");
        kill("KILL", child.id());
        child.wait().expect("wait for insula");
        before.assert_equal_within(Duration::from_secs(1));
    }
}

fn what_the_program_leaves_ends_with_it(caller: &Caller) {
    let marked = caller.marked();
    let before = caller.census();
    let flags = [marked[0].as_str(), marked[1].as_str()];
    assert_eq!(
        caller.sh(&flags, "sleep 60 & (setsid sleep 60 &); nohup sleep 60 > /dev/null & echo out"),
        "out"
    );
    before.assert_equal_within(Duration::from_secs(1));
}

fn thousands_of_orphans_are_reaped(caller: &Caller) {
    let script = "i=0; while [ $i -lt 2000 ]; do (true &); i=$((i+1)); done; \
                  n=0; set -- /proc/[0-9]*; while [ $# -gt 2 ] && [ $n -lt 100 ]; do \
                  sleep 0.05; n=$((n+1)); set -- /proc/[0-9]*; done; echo \"$@\"";
    assert_eq!(caller.sh(&[], script), "/proc/1 /proc/2");
}

fn many_run_at_once(caller: &Caller) {
    let before = caller.census();
    let mut all: Vec<Started> = (0..16)
        .map(|i| Started::new(&mut caller.insula(&["run", "--", "sh", "-c", &format!("echo {i}; exit {i}")])))
        .collect();
    for (i, started) in all.iter_mut().enumerate() {
        let end = started.ended();
        assert_eq!(
            (end.code(), end.out),
            (i32::try_from(i).expect("small"), format!("{i}\n")),
            "{}",
            end.err
        );
    }
    before.assert_equal_within(EXITS);
}
