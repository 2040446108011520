//! Signals, stops, threads, and processes that outlive the program.

use super::{ended, why};
use crate::caller::{Caller, Started};
use insula_proof as proof;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

/// Far more than any of it takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for a file with a line in it, and returns that.
#[track_caller]
fn line(path: &Path) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match fs::read_to_string(path) {
            Ok(text) if text.ends_with('\n') => return text.trim_end().to_owned(),
            _ => assert!(Instant::now() < deadline, "`{}` does not come", path.display()),
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn pid(text: &str) -> Pid {
    text.parse().ok().and_then(Pid::from_raw).expect("a pid")
}

/// `sh -c SCRIPT` under insula, in a process group of its own; the script says its pid when it is ready.
fn started(caller: &Caller, script: &str) -> (Started, Pid, Pid) {
    let ready = caller.home().join("ready");
    let script = format!("{script}; echo $$ > ready.part; mv ready.part ready; while :; do sleep 0.02; done");
    let mut command = caller.insula(&["why", "--", "sh", "-c", &script]);
    let started = Started::new(command.process_group(0));
    let program = pid(&line(&ready));
    let insula = pid(&started.child.id().to_string());
    (started, insula, program)
}

const TRAPS: &str = "n=0; trap 'n=$((n+1))' INT TERM; trap 'echo $n; exit 3' USR1";

/// How many signals the script has got, a moment after.
fn counted(mut started: Started, program: Pid) -> String {
    // A second one that was passed on would be there by now.
    std::thread::sleep(Duration::from_millis(300));
    kill_process(program, Signal::USR1).expect("signal the program");
    let end = started.ended();
    assert_eq!(end.code(), 3, "{}", end.err);
    end.out.trim_end().to_owned()
}

fn a_signal_to_the_group_comes_once(caller: &Caller) {
    for signal in [Signal::INT, Signal::TERM] {
        let (started, insula, program) = started(caller, TRAPS);
        kill_process_group(insula, signal).expect("signal the group");
        assert_eq!(counted(started, program), "1", "{signal:?}");
        fs::remove_file(caller.home().join("ready")).expect("begin anew");
    }
}

fn a_signal_to_insula_alone_is_passed_on(caller: &Caller) {
    let (started, insula, program) = started(caller, TRAPS);
    kill_process(insula, Signal::TERM).expect("signal insula");
    assert_eq!(counted(started, program), "1");
}

fn a_program_that_stops_goes_on_when_it_is_continued(caller: &Caller) {
    let (mut started, _, program) = started(caller, "trap 'echo on; exit 4' CONT; trap : USR1");
    kill_process(program, Signal::STOP).expect("stop the program");
    let state = || fs::read_to_string(format!("/proc/{}/stat", program.as_raw_nonzero())).unwrap_or_default();
    let deadline = Instant::now() + PATIENCE;
    while !state().contains(") t ") {
        assert!(Instant::now() < deadline, "it does not stop: {}", state());
        std::thread::sleep(Duration::from_millis(2));
    }
    kill_process(program, Signal::CONT).expect("continue the program");
    let end = started.ended();
    assert_eq!((end.code(), end.out.as_str()), (4, "on\n"), "{}", end.err);
}

fn the_end_of_insula_is_the_end_of_the_program(caller: &Caller) {
    let (mut started, insula, program) = started(caller, ":");
    kill_process(insula, Signal::KILL).expect("kill insula");
    assert_eq!(started.ended().code(), 137);
    let deadline = Instant::now() + PATIENCE;
    let alive = || {
        let status = fs::read_to_string(format!("/proc/{}/status", program.as_raw_nonzero()));
        status.is_ok_and(|status| !status.contains("State:\tZ"))
    };
    while alive() {
        assert!(Instant::now() < deadline, "it lives on");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn a_daemon_lives_on_untraced(caller: &Caller) {
    let script = "(trap '' HUP; while ! test -e go; do sleep 0.02; done; grep TracerPid /proc/$(cat daemon)/status > end.part; mv end.part end) \
                  >/dev/null 2>&1 & echo $! > daemon; exit 6";
    let answer = why(caller, &["sh", "-c", script]);
    assert_eq!(answer.end.code(), 6, "{}", answer.end.err);
    let daemon: i64 = line(&caller.home().join("daemon")).parse().expect("a pid");
    let survivors = answer.json["survivors"].as_array().expect("a list").clone();
    assert!(survivors.iter().any(|pid| *pid == daemon), "{survivors:?} has no {daemon}");
    caller.write("go", "");
    assert_eq!(line(&caller.home().join("end")), "TracerPid:\t0");
}

by_everyone! {
    a_signal_to_the_group_comes_once,
    a_signal_to_insula_alone_is_passed_on,
    a_program_that_stops_goes_on_when_it_is_continued,
    the_end_of_insula_is_the_end_of_the_program,
    a_daemon_lives_on_untraced,
}

#[test]
fn threads_and_children_are_followed() {
    proof::need!(program "python3");
    let caller = proof::or_skip!(Caller::user());
    let script = "import os, threading, subprocess\n\
                  def refused():\n\
                  \x20   try: os.mkdir('/sys/by-a-thread')\n\
                  \x20   except OSError: pass\n\
                  threads = [threading.Thread(target=refused) for _ in range(4)]\n\
                  [t.start() for t in threads]; [t.join() for t in threads]\n\
                  subprocess.run(['mkdir', '/sys/by-a-child'], stderr=subprocess.DEVNULL)\n\
                  os._exit(5)\n";
    let answer = why(&caller, &["python3", "-c", script]);
    assert_eq!(answer.end.code(), 5, "{}", answer.end.err);
    let of = |path: &str| {
        let found = answer
            .refused()
            .iter()
            .find(|refused| refused["text"].as_str().unwrap_or_default().contains(path));
        found.unwrap_or_else(|| panic!("no `{path}` in {:#}", answer.json)).clone()
    };
    let (thread, child) = (of("/sys/by-a-thread"), of("/sys/by-a-child"));
    assert_ne!(thread["tid"], thread["pid"]);
    assert_eq!((thread["times"].as_u64(), thread["program"].as_str()), (Some(4), Some("python3")));
    assert_ne!(child["pid"], thread["pid"]);
    assert_eq!(child["program"], "mkdir");
}

#[test]
fn who_is_traced_already_runs_it_untraced_and_says_so() {
    proof::need!(program "strace");
    let caller = proof::or_skip!(Caller::user());
    let words = caller.words(&["why", "--", "sh", "-c", "exit 5"]);
    let end = ended(
        caller.command("strace").args(["-f", "-qq", "-e", "trace=none", "-o", "/dev/null"]).args(&words),
    );
    assert_eq!(end.code(), 5, "{}", end.err);
    assert!(end.err.contains("its calls were not seen"), "{}", end.err);
    assert!(end.err.contains("traces us already"), "{}", end.err);
}

#[test]
fn a_program_that_traces_another_works() {
    proof::need!(program "strace");
    let caller = proof::or_skip!(Caller::user());
    // Its child is traced by us, so that it cannot be traced by it: a refusal that is told as such.
    let answer = why(&caller, &["strace", "-o", "/dev/null", "true"]);
    assert_ne!(answer.end.code(), 0);
    assert!(answer.refused().iter().any(|refused| refused["call"] == "ptrace"), "{:#}", answer.json);
    let cause = answer.fatal()["cause"]["key"].clone();
    assert_eq!(cause, "traced-by-us", "{:#}", answer.json);
}
