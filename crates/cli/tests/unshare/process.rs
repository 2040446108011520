//! How the program runs: its end is ours, signals, descriptors, environment and words pass as they are.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use crate::both::{Both, TOOLS, Tool};
use crate::caller::{Caller, EXITS, Ended, Started};
use insula_proof as proof;

by_everyone!(
    the_end_of_the_program_is_ours,
    a_program_that_cannot_be_executed_has_a_code_of_its_own,
    descriptors_and_signals_pass_as_they_are,
    the_environment_and_the_words_pass_as_they_are,
    without_a_program_a_login_shell_runs,
    int_and_term_do_not_end_us_before_the_child,
    the_child_is_killed_when_we_are,
);

/// The program itself, a child, and a child that is pid 1.
const WAYS: &[&[&str]] = &[&["-ru"], &["-rf"], &["-rpf"]];

fn the_end_of_the_program_is_ours(caller: &Caller) {
    let both = Both::new(caller);
    for way in WAYS {
        for script in ["exit 0", "exit 1", "exit 7", "exit 255"] {
            both.same(&[*way, &["sh", "-c", script]].concat());
        }
    }
    for signal in ["TERM", "KILL", "INT", "USR1", "HUP", "PIPE", "40"] {
        let script = format!("kill -{signal} $$");
        both.same(&["-ru", "sh", "-c", &script]);
        let words = ["-rf", "sh", "-c", &script];
        // Theirs cannot unblock KILL, and ends with 1.
        let end = if signal == "KILL" { both.ours(&words) } else { both.same(&words) };
        assert!(end.code() > 128 && end.status.code().is_none(), "{signal}: {end:?}");
    }
}

fn a_program_that_cannot_be_executed_has_a_code_of_its_own(caller: &Caller) {
    let both = Both::new(caller);
    let plain = caller.write("plain", "echo ran by a shell");
    fs::set_permissions(&plain, Permissions::from_mode(0o755)).expect("chmod");
    let closed = caller.write("closed", "");
    let programs = [
        ("no-such-program", 127),
        ("/no/such", 127),
        ("/etc", 126),
        (&*closed, 126),
        (&*plain, 0),
        ("", 127),
    ];
    for way in WAYS {
        for (program, code) in programs {
            let end = both.same_by(&["env", "PATH=/usr/bin:/bin"], &[*way, &[program]].concat());
            assert_eq!(end.code(), code, "{program}: {}", end.err);
        }
    }
}

fn descriptors_and_signals_pass_as_they_are(caller: &Caller) {
    let both = Both::new(caller);
    let outer = "trap '' USR1 HUP CHLD; umask 027; exec 7</etc/passwd 9>/dev/null; exec \"$@\"";
    let look = "ls /proc/self/fd; grep -E '^Sig(Ign|Blk)' /proc/self/status; wc -c <&7; umask; ulimit -n";
    for way in [&["-ru"], &["-rf"]] {
        let words = [&way[..], &["sh", "-c", look]].concat();
        both.same_by(&["sh", "-c", outer, "sh"], &words);
        both.same_by(&["env", "--ignore-signal=PIPE", "--block-signal=USR2"], &words[..]);
        both.same_by(&["env", "--default-signal=PIPE", "--block-signal=TERM"], &words[..]);
    }
    // Without a fork it is the same process.
    both.same(&["-ru", "sh", "-c", "echo $PPID"]);
}

fn the_environment_and_the_words_pass_as_they_are(caller: &Caller) {
    let both = Both::new(caller);
    let words = ["sh", "-c", "printf '<%s>' \"$0\" \"$@\"; env", "", "-a", "--", "--user", "ü\n"];
    let set = ["env", "-i", "PATH=/usr/bin:/bin", "EMPTY=", "LINES=a\nb", "LISTEN_FDS=2", "LISTEN_PID=77"];
    for way in WAYS {
        both.same_by(&set, &[*way, &words].concat());
        both.same_by(&set, &[*way, &["--"], &words].concat());
        // Without PATH the directories are those of execvp(3).
        both.same_by(&["env", "-i"], &[*way, &["sh", "-c", "echo found; env"]].concat());
    }
}

fn without_a_program_a_login_shell_runs(caller: &Caller) {
    let both = Both::new(caller);
    let shell =
        caller.write("shell", "#!/bin/sh\necho \"shell <$0> <$#>\"; tr '\\0' ' ' </proc/$$/cmdline\n");
    fs::set_permissions(&shell, Permissions::from_mode(0o755)).expect("chmod");
    for way in WAYS {
        both.same_by(&["env", &format!("SHELL={shell}")], way);
        both.same_by(&["env", "SHELL=/no/such/shell"], way);
    }
}

/// Starts a tool whose program says `ready`, sends a signal to the tool itself, and returns how that ended.
#[track_caller]
fn signalled(both: &Both, tool: Tool, words: &[&str], signal: &str) -> Ended {
    let mut command = both.command(tool, words);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("start the tool");
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    out.read_line(&mut line).expect("read a line");
    assert_eq!(line, "ready\n", "{tool:?} {words:?}");
    let sent = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()), "send {signal}");
    let end = Started::of(child).ended();
    // All that is left of the program holds the pipe.
    out.read_line(&mut line).expect("read to the end");
    Ended { out: line, ..end }
}

fn int_and_term_do_not_end_us_before_the_child(caller: &Caller) {
    let both = Both::new(caller);
    for signal in ["INT", "TERM"] {
        let words = ["-rf", "sh", "-c", "trap '' INT TERM; echo ready; sleep 0.1; echo done; exit 7"];
        let [theirs, ours] = TOOLS.map(|tool| signalled(&both, tool, &words, signal));
        assert_eq!((ours.code(), ours.out.as_str()), (7, "ready\ndone\n"), "{signal}: {}", ours.err);
        assert_eq!((theirs.code(), &theirs.out), (7, &ours.out), "{signal}");
    }
    // Others end us, and the child goes on.
    let words = ["-rf", "sh", "-c", "echo ready; sleep 0.1; echo done"];
    let [theirs, ours] = TOOLS.map(|tool| signalled(&both, tool, &words, "USR1"));
    assert_eq!((ours.status, ours.out), (theirs.status, theirs.out));
}

fn the_child_is_killed_when_we_are(caller: &Caller) {
    let both = Both::new(caller);
    let _alone = proof::alone();
    let before = caller.census();
    for kill in ["--kill-child", "--kill-child=TERM", "--kill-child=SIGUSR1"] {
        // Long past the patience of the test, if it were not killed; and a change of ids clears the signal.
        for words in [["-rf", kill, "-S0"], ["-rf", kill, "-u"]] {
            let words = [&words[..], &["sh", "-c", "echo ready; exec sleep 60"]].concat();
            for tool in TOOLS {
                let end = signalled(&both, tool, &words, "KILL");
                assert_eq!((end.code(), end.out.as_str()), (137, "ready\n"), "{tool:?} {words:?}");
            }
        }
    }
    before.assert_equal_within(EXITS);
}
