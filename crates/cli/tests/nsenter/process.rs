//! How the program runs: its end is ours, it stops and goes on with us, descriptors and signals pass.

use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::both::{Both, TOOLS, Tool};
use crate::caller::{Caller, Started, ended};
use crate::target::{ALL_BUT_USER, Target};

const PATIENCE: Duration = Duration::from_secs(10);

/// A target that both root and a user can enter, pid namespace and all.
fn with_target(caller: Result<Caller, String>, test: impl Fn(&Both, &Target)) -> Result<(), String> {
    let caller = caller?;
    let target = Target::new(&caller, &[&["-r"], &ALL_BUT_USER[..]].concat())?;
    test(&Both::new(&caller), &target);
    Ok(())
}

macro_rules! by_both {
    ($($test:ident),+ $(,)?) => {
        mod by_root {
            $(#[test] fn $test() {
                insula_proof::need!(program "nsenter", program "unshare");
                insula_proof::or_skip!(super::with_target(crate::caller::Caller::root(), super::$test));
            })+
        }
        mod by_a_user {
            $(#[test] fn $test() {
                insula_proof::need!(program "nsenter", program "unshare");
                insula_proof::or_skip!(super::with_target(crate::caller::Caller::user(), super::$test));
            })+
        }
    };
}

by_both!(
    the_end_of_the_program_is_ours,
    a_program_that_cannot_be_executed_has_a_code_of_its_own,
    a_stop_of_the_child_stops_us_and_it_goes_on_with_us,
    descriptors_and_signals_pass_as_they_are,
    the_environment_and_the_arguments_pass_as_they_are,
    without_a_program_a_login_shell_runs,
);

/// With a fork, and without.
fn ways(target: &Target) -> [Vec<String>; 2] {
    let keep = "--preserve-credentials";
    [
        target.words(&["-t", "PID", "-U", "-p", "-m", keep]),
        target.words(&["-t", "PID", "-U", "-m", "-n", keep]),
    ]
}

fn with<'a>(way: &'a [String], program: &[&'a str]) -> Vec<&'a str> {
    way.iter().map(String::as_str).chain(program.iter().copied()).collect()
}

fn the_end_of_the_program_is_ours(both: &Both, target: &Target) {
    for way in ways(target) {
        for script in [
            "exit 0",
            "exit 1",
            "exit 255",
            "kill -TERM $$",
            "kill -KILL $$",
            "kill -USR1 $$",
            "kill -HUP $$",
        ] {
            both.same(&with(&way, &["sh", "-c", script]));
        }
        // Real-time signals too.
        both.same(&with(&way, &["sh", "-c", "kill -40 $$"]));
    }
}

fn a_program_that_cannot_be_executed_has_a_code_of_its_own(both: &Both, target: &Target) {
    let plain = both.caller.write("plain", "echo ran by a shell");
    fs::set_permissions(&plain, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("chmod");
    let closed = both.caller.write("closed", "");
    for way in ways(target) {
        for (program, code) in [
            ("no-such-program", 127),
            ("/no/such", 127),
            ("/etc", 126),
            (&*closed, 126),
            (&*plain, 0),
            ("", 127),
        ] {
            let end = both.same_by(&["env", "PATH=/usr/bin:/bin"], &with(&way, &[program]));
            assert_eq!(end.code(), code, "{program}");
        }
        // A part of the path that is no directory: there it is "not executable".
        both.same(&with(&way, &["/etc/passwd/x"]));
    }
}

fn a_stop_of_the_child_stops_us_and_it_goes_on_with_us(both: &Both, target: &Target) {
    let [forks, _] = ways(target);
    for tool in TOOLS {
        let words = with(&forks, &["sh", "-c", "kill -STOP $$; echo went on"]);
        let mut command = both.command(tool, &words);
        let mut started = Started::new(&mut command);
        let pid = started.child.id();
        wait_for(|| state(pid) == Some('T'), &format!("{tool:?} stops"));
        let signalled = Command::new("kill").args(["-CONT", &pid.to_string()]).status();
        assert!(signalled.is_ok_and(|status| status.success()));
        assert_eq!(started.ended().said(), "went on", "{tool:?}");
    }
}

/// The state in /proc/PID/stat.
fn state(pid: u32) -> Option<char> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    text.rsplit_once(") ")?.1.chars().next()
}

#[track_caller]
fn wait_for(done: impl Fn() -> bool, what: &str) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < insula_proof::patience(PATIENCE), "{what}: not after {PATIENCE:?}");
        sleep(Duration::from_millis(2));
    }
}

fn descriptors_and_signals_pass_as_they_are(both: &Both, target: &Target) {
    // Ignored signals, a blocked one by way of env(1), and open descriptors with gaps.
    let outer = "trap '' USR1 HUP CHLD; exec 7</etc/passwd 9>/dev/null; exec \"$@\"";
    let look =
        "ls /proc/self/fd; grep -E '^Sig(Ign|Blk)' /proc/self/status; cat <&7 | wc -c; umask; ulimit -n";
    // Without a fork it is the same process: the parent is the caller.
    both.same(&with(&ways(target)[1], &["sh", "-c", "echo $PPID"]));
    for way in ways(target) {
        both.same_by(&["sh", "-c", outer, "sh"], &with(&way, &["sh", "-c", look]));
        both.same_by(
            &["env", "--block-signal=USR2", "--ignore-signal=PIPE"],
            &with(&way, &["sh", "-c", look]),
        );
    }
}

fn the_environment_and_the_arguments_pass_as_they_are(both: &Both, target: &Target) {
    for way in ways(target) {
        let words =
            with(&way, &["sh", "-c", "printf '<%s>' \"$0\" \"$@\"; env", "", "-a", "--", "--target", "ü\n"]);
        both.same_by(&["env", "-i", "PATH=/usr/bin:/bin", "EMPTY=", "LINES=a\nb", "ODD"], &[]);
        both.same_by(&["env", "-i", "PATH=/usr/bin:/bin", "EMPTY=", "LINES=a\nb"], &words);
        // Without PATH the directories are those of execvp(3).
        both.same_by(&["env", "-i"], &with(&way, &["sh", "-c", "echo found; env"]));
    }
}

fn without_a_program_a_login_shell_runs(both: &Both, target: &Target) {
    let shell = both
        .caller
        .write("shell", "#!/bin/sh\necho \"shell <$0> <$#>\"; cat /proc/$$/cmdline | tr '\\0' ' '\n");
    fs::set_permissions(&shell, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("chmod");
    for way in ways(target) {
        let variable = format!("SHELL={shell}");
        let words = with(&way, &[]);
        both.same_by(&["env", &variable], &words);
        both.same_by(&["env", "SHELL=/no/such/shell"], &words);
    }
    // One that reads commands: a login shell of the account, or /bin/sh.
    for tool in [Tool::Theirs, Tool::Ours] {
        let way = &ways(target)[1];
        let words = both.words(tool, &with(way, &[]));
        let script = "echo 'echo is $((6*7))' | env -u SHELL \"$@\"";
        let mut command = both.caller.command("sh");
        let end = ended(command.args(["-c", script, "sh"]).args(words));
        assert_eq!((end.code(), end.out.contains("is 42")), (0, true), "{tool:?} {end:?}");
    }
}
