//! The watch over a foreground container, on real terminals, with a shell in the container's place.
//!
//! Signals and the standard streams belong to a process, so that each test starts one: this program again, with the
//! ignored test `watcher` alone. What it writes before its mark, `@PID@`, is the test harness's; after it, the
//! container's.

#[path = "foreground/watched.rs"]
mod watched;

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use rustix::process::Signal;
use watched::{Start, eventually, size};

/// A terminal that controls the watcher's session.
const ON_TERMINAL: &[&str] = &["setsid", "--ctty"];
/// The same, with a shell that leads the session, as there would be.
const UNDER_SHELL: &[&str] =
    &["setsid", "--ctty", "sh", "-c", "\"$@\"; echo \"code $?\"; exec sleep 60", "sh"];
/// For `trap` to be heeded soon. No `wait`: the shell would wait with the mask that it has inherited, which std's
/// `Command` hands on, and in which our signals are blocked. (A launch resets the mask.)
const WAIT: &str = "echo ready; while :; do sleep 0.01; done";

#[test]
#[ignore = "no test of its own: the others start it"]
fn watcher() {
    watched::watch();
}

// Ends and signals, without a console.

#[test]
fn the_exit_code_is_the_programs() {
    let mut watched = Start { program: "echo out; exit 7", ..Start::default() }.piped();
    assert_eq!(watched.code(), 7);
    watched.wait_for("out\n");
}

#[test]
fn a_death_by_signal_is_told() {
    assert_eq!(Start { program: "kill -KILL $$", ..Start::default() }.piped().code(), 137);
}

#[test]
fn every_signal_is_forwarded_real_time_ones_included() {
    for (number, name) in [(1, "HUP"), (3, "QUIT"), (10, "USR1"), (14, "ALRM"), (15, "TERM"), (40, "40")] {
        let program = format!("trap 'exit 42' {name}; {WAIT}");
        let mut watched = Start { program: &program, ..Start::default() }.piped();
        watched.wait_for("ready");
        let kill = Command::new("kill").args([format!("-{number}"), watched.pid().to_string()]).status();
        assert!(kill.expect("kill").success());
        assert_eq!(watched.code(), 42, "{name}");
    }
}

#[test]
fn a_signal_between_birth_and_watch_is_not_lost() {
    let program = format!("trap 'exit 42' TERM; {WAIT}");
    let mut watched = Start { program: &program, flags: "s", ..Start::default() }.piped();
    watched.wait_for("ready");
    watched.kill(Signal::TERM);
    assert_eq!(watched.code(), 42);
}

#[test]
fn a_hangup_that_nohup_ignores_is_not_forwarded() {
    let program = format!("trap 'exit 43' USR1; {WAIT}");
    let mut watched = Start { wrapper: &["nohup", "setsid"], program: &program, ..Start::default() }.piped();
    watched.wait_for("ready");
    watched.kill(Signal::HUP);
    sleep(Duration::from_millis(100));
    watched.kill(Signal::USR1);
    assert_eq!(watched.code(), 43);
}

#[test]
fn the_exit_code_is_kept_where_our_caller_ignores_sigchld() {
    let wrapper = &["env", "--ignore-signal=CHLD", "setsid"];
    assert_eq!(Start { wrapper, program: "exit 7", ..Start::default() }.piped().code(), 7);
}

#[test]
fn the_third_interrupt_in_a_row_kills() {
    let program = format!("trap 'echo no' INT; {WAIT}");
    let mut watched = Start { program: &program, ..Start::default() }.piped();
    watched.wait_for("ready");
    watched.kill(Signal::INT);
    watched.wait_for("no\n");
    watched.kill(Signal::INT);
    watched.wait_for("no\nno\n");
    watched.kill(Signal::INT);
    assert_eq!(watched.code(), 137);
}

#[test]
fn a_timeout_sends_the_stop_signal_and_then_sigkill() {
    let heeds = format!("trap 'echo heard; exit 0' TERM; {WAIT}");
    let mut watched = Start { program: &heeds, timeout_ms: Some(300), ..Start::default() }.piped();
    assert_eq!(watched.code(), 124);
    watched.wait_for("heard");

    let ignores = format!("trap '' TERM; {WAIT}");
    let start = Instant::now();
    let start_it = Start { program: &ignores, timeout_ms: Some(200), grace_ms: 300, ..Start::default() };
    assert_eq!(start_it.piped().code(), 124);
    assert!(
        (Duration::from_millis(500)..insula_proof::patience(Duration::from_secs(5)))
            .contains(&start.elapsed())
    );
}

#[test]
fn stopping_and_continuing_are_passed_on() {
    let program = format!("trap 'echo stop' TSTP; trap 'echo go' CONT; {WAIT}");
    // Under a shell of the same session: an orphaned process group would not be stopped (setpgid(2)).
    let wrapper = &["setsid", "bash", "-c", "set -m; \"$@\" & exec sleep 60", "bash"];
    let watched = Start { wrapper, program: &program, ..Start::default() }.piped();
    watched.wait_for("ready");
    watched.kill(Signal::TSTP);
    assert!(eventually(|| watched.is_stopped()));
    watched.wait_for("stop");
    watched.kill(Signal::CONT);
    watched.wait_for("go");
    assert!(eventually(|| !watched.is_stopped()));
    watched.kill(Signal::KILL);
}

// The console.

#[test]
fn a_terminal_has_to_be_one() {
    let mut watched = Start { flags: "it", ..Start::default() }.piped();
    assert_eq!(watched.code(), 125);
    watched.wait_for("the input device is not a TTY; leave out `-t`");
}

#[test]
fn keys_go_in_and_output_comes_out() {
    let program = "tty; read line; echo \"got $line\"; exit 3";
    let mut watched = Start { wrapper: ON_TERMINAL, flags: "it", program, ..Start::default() }.on_terminal();
    watched.wait_for("/dev/pts/");
    watched.types("hello\r");
    assert_eq!(watched.code(), 3);
    // Once echoed by the container's terminal alone: ours is raw.
    watched.wait_for("hello\r\ngot hello\r\n");
    assert_eq!(watched.text().matches("hello").count(), 2);
}

#[test]
fn ctrl_c_is_the_containers_own() {
    let program = format!("trap 'exit 9' INT; {WAIT}");
    let start = Start { wrapper: ON_TERMINAL, flags: "it", program: &program, ..Start::default() };
    let mut watched = start.on_terminal();
    watched.wait_for("ready");
    watched.types("\x03");
    assert_eq!(watched.code(), 9);
}

#[test]
fn without_i_input_is_not_taken_and_ctrl_c_is_a_signal() {
    let program = format!("trap 'exit 9' INT; {WAIT}");
    let start = Start { wrapper: ON_TERMINAL, flags: "t", program: &program, ..Start::default() };
    let mut watched = start.on_terminal();
    watched.wait_for("ready");
    assert!(watched.is_cooked());
    watched.types("\x03");
    assert_eq!(watched.code(), 9);
}

#[test]
fn the_size_is_ours_at_first_and_follows() {
    let program = "stty size; trap 'stty size; exit 5' WINCH; echo ready; while :; do sleep 0.01; done";
    let mut watched = Start { wrapper: ON_TERMINAL, flags: "it", program, ..Start::default() }.on_terminal();
    watched.wait_for("ready");
    // The shell may have asked before the watch had begun: WINCH comes then as well.
    rustix::termios::tcsetwinsize(watched.terminal(), size(20, 77)).expect("size");
    assert_eq!(watched.code(), 5);
    assert!(watched.text().contains("33 111") || watched.text().contains("20 77"), "{}", watched.text());
}

#[test]
fn ten_megabytes_arrive_whole_on_a_terminal_and_in_a_pipe() {
    let program = "seq 1 1450000";
    let mut expected = String::new();
    (1..=1_450_000).for_each(|n| expected.extend([n.to_string().as_str(), "\r\n"]));
    assert!(expected.len() > 10_000_000);
    let start = Start { wrapper: ON_TERMINAL, flags: "it", program, ..Start::default() };
    for mut watched in [start.on_terminal(), Start { flags: "t", program, ..Start::default() }.piped()] {
        assert_eq!(watched.code(), 0);
        assert!(eventually(|| watched.seen().len() >= expected.len()), "{} bytes", watched.seen().len());
        assert!(watched.seen() == expected.as_bytes(), "altered");
    }
}

#[test]
fn large_input_is_not_lost_to_a_slow_program() {
    // Raw on both sides: a terminal's line buffer of 4 KiB would drop the rest (termios(3)).
    let program = "stty raw -echo; echo ready; sleep 0.5; head -c 300000 | cksum";
    let mut watched = Start { wrapper: ON_TERMINAL, flags: "it", program, ..Start::default() }.on_terminal();
    watched.wait_for("ready");
    let keys = "0123456789".repeat(30_000);
    File::from(watched.terminal().try_clone().expect("dup")).write_all(keys.as_bytes()).expect("type");
    assert_eq!(watched.code(), 0);
    let same = "yes 0123456789 | tr -d '\\n' | head -c 300000 | cksum";
    let sum = Command::new("sh").args(["-c", same]).output().expect("cksum").stdout;
    watched.wait_for(String::from_utf8_lossy(&sum).trim());
}

#[test]
fn a_reader_that_stands_still_stops_the_output_and_nothing_else() {
    let program = "trap 'exit 6' TERM; echo ready; yes & while :; do sleep 0.01; done";
    let start = Start { wrapper: ON_TERMINAL, flags: "it", program, ..Start::default() };
    let (mut watched, shared) = start.on_unread_terminal();
    sleep(Duration::from_millis(700));
    // Not through the mark, which nobody has read.
    let pid = rustix::process::Pid::from_raw(watched.child.id().cast_signed()).expect("pid");
    let flags = rustix::fs::fcntl_getfl(&shared).expect("getfl");
    assert!(!flags.contains(OFlags::NONBLOCK), "the shell's reads would fail");
    rustix::process::kill_process(pid, Signal::TERM).expect("kill");
    sleep(Duration::from_millis(300));
    assert!(watched.child.try_wait().expect("wait").is_none(), "it does not wait for the slow reader");
    watched.collect(watched.terminal().try_clone().expect("dup"));
    assert_eq!(watched.code(), 6);
    watched.wait_for("ready\r\ny\r\ny\r\n");
    drop(shared);
}

#[test]
fn after_a_timeout_a_reader_that_stands_still_is_given_up() {
    let program = "yes";
    let wrapper = ON_TERMINAL;
    let start = Start { wrapper, flags: "it", program, timeout_ms: Some(300), ..Start::default() };
    let (mut watched, _shared) = start.on_unread_terminal();
    assert_eq!(watched.code(), 124);
}

#[test]
fn a_console_that_nobody_has_open_is_not_the_end() {
    let program =
        "tty=$(tty); exec </dev/null >/dev/null 2>&1; sleep 0.3; echo again >\"$tty\"; sleep 0.3; exit 4";
    let mut watched = Start { wrapper: ON_TERMINAL, flags: "it", program, ..Start::default() }.on_terminal();
    assert_eq!(watched.code(), 4);
    watched.wait_for("again");
}

#[test]
fn a_reader_that_is_gone_hangs_the_console_up() {
    let program = format!("trap 'exit 8' HUP; trap '' TTOU; {WAIT}; ");
    let program = program.replace("sleep 0.01", "echo line; sleep 0.01");
    let (read, write) = std::io::pipe().expect("pipe");
    let mut watched =
        Start { flags: "t", program: &program, ..Start::default() }.piped_to(Stdio::null(), write);
    let mut some = [0; 100];
    File::from(OwnedFd::from(read)).read_exact(&mut some).expect("the first bytes");
    assert_eq!(watched.code(), 8);
}

#[test]
fn a_terminal_that_is_gone_hangs_the_console_up() {
    let program = "trap 'exit 8' HUP; while :; do sleep 0.01; done";
    let start = Start { wrapper: ON_TERMINAL, flags: "it", program, ..Start::default() };
    let (mut watched, shared) = start.on_unread_terminal();
    drop(shared);
    sleep(Duration::from_millis(300));
    watched.hang_up();
    assert_eq!(watched.code(), 8);
}

#[test]
fn the_end_of_a_file_is_the_end_for_the_program() {
    for text in ["", "whole\n", "half"] {
        let (read, mut write) = std::io::pipe().expect("pipe");
        write.write_all(text.as_bytes()).expect("write");
        drop(write);
        let (out, write) = std::io::pipe().expect("pipe");
        let start = Start { flags: "itc", program: "cat; exit 2", ..Start::default() };
        let mut watched = start.piped_to(read, write);
        watched.collect(OwnedFd::from(out));
        assert_eq!(watched.code(), 2, "{text:?}");
        watched.wait_for(text.trim_end());
    }
}

// The terminal is restored.

#[test]
fn the_terminal_is_raw_meanwhile_and_restored_at_the_end() {
    let start = Start { wrapper: UNDER_SHELL, flags: "it", program: "read line; exit 3", ..Start::default() };
    let watched = start.on_terminal();
    assert!(eventually(|| watched.is_raw()));
    assert!(eventually(|| watched.guards().len() == 1));
    watched.types("\r");
    watched.wait_for("code 3");
    assert!(watched.is_cooked());
}

#[test]
fn the_terminal_is_restored_after_an_error() {
    let start = Start { wrapper: UNDER_SHELL, flags: "itb", program: "sleep 1", ..Start::default() };
    let watched = start.on_terminal();
    watched.wait_for("code 99");
    assert!(watched.is_cooked());
}

#[test]
fn the_terminal_is_restored_after_sigkill_and_the_guard_goes() {
    let start = Start { wrapper: UNDER_SHELL, flags: "it", program: "sleep 2", ..Start::default() };
    let watched = start.on_terminal();
    assert!(eventually(|| watched.is_raw()));
    // By its name, which it gives itself a moment after the terminal is raw.
    assert!(eventually(|| watched.guards().len() == 1));
    let guards = watched.guards();
    watched.kill(Signal::KILL);
    watched.wait_for("code 137");
    assert!(eventually(|| watched.is_cooked()));
    // A zombie is gone as well: whether the machine's init reaps is not ours.
    let lives = |pid: &String| {
        std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z"))
    };
    assert!(eventually(|| !guards.iter().any(lives)));
}

#[test]
fn the_guard_leaves_alone_what_the_shell_has_set() {
    let shell = "\"$@\" & sleep 1; stty raw echo; kill -KILL $!; sleep 0.5; echo done; exec sleep 60";
    let wrapper = &["setsid", "--ctty", "sh", "-c", shell, "sh"];
    // No `i`-less shell job: without job control the background has the terminal's foreground group, and /dev/tty.
    let wrapper_tty: Vec<_> =
        wrapper.iter().map(|word| word.replace("\"$@\" &", "\"$@\" </dev/tty &")).collect();
    let words: Vec<_> = wrapper_tty.iter().map(String::as_str).collect();
    let watched =
        Start { wrapper: &words, flags: "it", program: "sleep 3", ..Start::default() }.on_terminal();
    assert!(eventually(|| watched.is_raw()));
    watched.wait_for("done");
    let modes = rustix::termios::tcgetattr(watched.terminal()).expect("modes").local_modes;
    assert!(modes.contains(rustix::termios::LocalModes::ECHO));
    assert!(!modes.contains(rustix::termios::LocalModes::ICANON));
}

#[test]
fn suspended_the_terminal_is_the_shells_and_continued_it_is_raw_again() {
    let program = format!("trap 'echo go' CONT; {WAIT}");
    let wrapper = &["setsid", "--ctty", "bash", "-c", "set -m; \"$@\"; sleep 0.3; fg; exec sleep 60", "bash"];
    let start = Start { wrapper, flags: "it", program: &program, ..Start::default() };
    let watched = start.on_terminal();
    watched.wait_for("ready");
    assert!(eventually(|| watched.is_raw()));
    watched.kill(Signal::TSTP);
    assert!(eventually(|| watched.is_stopped() && watched.is_cooked()));
    assert_eq!(watched.guards().len(), 0);
    // The shell's `fg`.
    watched.wait_for("go");
    assert!(eventually(|| watched.is_raw()));
    watched.kill(Signal::KILL);
}

#[test]
fn in_the_background_the_watcher_stops_until_it_is_in_the_foreground() {
    let wrapper = &["setsid", "--ctty", "bash", "-c", "set -m; \"$@\" & sleep 1; fg; exec sleep 60", "bash"];
    let start = Start { wrapper, flags: "it", program: "read line; echo \"got $line\"", ..Start::default() };
    let watched = start.on_terminal();
    assert!(eventually(|| watched.is_stopped()));
    assert!(watched.is_cooked());
    assert!(eventually(|| watched.is_raw()));
    watched.types("key\r");
    watched.wait_for("got key");
    assert!(eventually(|| watched.is_cooked()));
}
