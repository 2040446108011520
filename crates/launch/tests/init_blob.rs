//! `insula-init` as the ordinary process that it is: started, signalled, watched from /proc.
//!
//! Needs sh, sleep and kill; what needs more (namespaces, a terminal) says `skipped` where it cannot be had.
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const BLOB: &str = env!("INSULA_INIT_PATH");
const SIGNAL_WAIT: Duration = Duration::from_millis(200);

fn blob(mode: &str, report: &str, program: &str, argv: &[&str]) -> Command {
    let mut command = Command::new(BLOB);
    command.args([mode, report, "-", program]).args(argv);
    command
}

fn shell(mode: &str, script: &str) -> Command {
    blob(mode, "-", "/bin/sh", &["sh", "-c", script])
}

/// The blob with the writing end of a pipe as its fd 9: the shell passes it on without close-on-exec.
fn reported(mode: &str, program: &str, argv: &[&str]) -> (Command, io::PipeReader) {
    let (reader, writer) = io::pipe().expect("pipe");
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", "exec 9>&2 2>/dev/null; exec \"$@\"", "sh", BLOB, mode, "9", "-", program])
        .args(argv);
    command.stderr(writer);
    (command, reader)
}

fn code(mut command: Command) -> Option<i32> {
    command.status().expect("start").code()
}

/// A process that must not outlive its test, nor its children.
struct Running(Child, BufReader<ChildStdout>);

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("start");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        Self(child, output)
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.1.read_line(&mut line).expect("read");
        line.trim_end().to_owned()
    }

    /// The one child of the process, once it exists.
    fn child(&self) -> u32 {
        until("a child", || children(self.pid()).first().copied())
    }

    fn end(mut self) -> ExitStatus {
        drop(self.0.stdin.take());
        until("the end", || self.0.try_wait().expect("wait"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for pid in children(self.pid()) {
            for grandchild in children(pid) {
                kill("KILL", grandchild);
            }
            kill("KILL", pid);
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + insula_proof::patience(Duration::from_secs(20));
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        sleep(Duration::from_millis(5));
    }
}

fn kill(signal: &str, pid: u32) {
    let _ =
        Command::new("kill").arg(format!("-{signal}")).arg(pid.to_string()).stderr(Stdio::null()).status();
}

/// The fields of proc_pid_stat(5) after the name: state, ppid, pgrp, session, tty, tpgid ...
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(text.rsplit_once(')')?.1.split_whitespace().map(str::to_owned).collect())
}

fn state(pid: u32) -> String {
    stat(pid).map_or_else(String::new, |fields| fields[0].clone())
}

fn is_asleep(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name == "sleep\n") && state(pid) == "S"
}

fn children(of: u32) -> Vec<u32> {
    let parent = of.to_string();
    fs::read_dir("/proc")
        .expect("/proc")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|pid| stat(*pid).is_some_and(|fields| fields[1] == parent))
        .collect()
}

fn fds(pid: u32) -> Vec<String> {
    let list = fs::read_dir(format!("/proc/{pid}/fd")).expect("/proc/PID/fd");
    let mut names: Vec<_> =
        list.map(|entry| entry.expect("fd").file_name().into_string().expect("number")).collect();
    names.sort();
    names
}

#[expect(clippy::print_stdout, reason = "the word of a test that cannot run here")]
fn skipped(reason: &str) {
    println!("skipped: {reason}");
}

#[test]
fn a_wrong_call_is_125() {
    for arguments in [
        &[][..],
        &["init"],
        &["init", "-", "-", "/bin/sh"],
        &["in", "-", "-", "/bin/sh", "sh"],
        &["initx", "-", "-", "/bin/sh", "sh"],
        &["exec", "", "-", "/bin/sh", "sh"],
        &["exec", "9x", "-", "/bin/sh", "sh"],
        &["exec", "-1", "-", "/bin/sh", "sh"],
        &["exec", "99999999999", "-", "/bin/sh", "sh"],
        &["exec", "987654", "-", "/bin/sh", "sh"], // EBADF: it could not be closed for the program
        &["exec", "-", "", "/bin/sh", "sh"],
        &["exec", "-", "9:1", "/bin/sh", "sh"],
        &["exec", "-", "9:1:0:", "/bin/sh", "sh"],
        &["exec", "-", "9:70000:0", "/bin/sh", "sh"],
        &["exec", "-", "987654:1:0", "/bin/sh", "sh"], // EBADF: there is no filter to load
    ] {
        let status = Command::new(BLOB).args(arguments).status().unwrap();
        assert_eq!(status.code(), Some(125), "{arguments:?}");
    }
}

#[test]
fn the_program_s_exit_code_is_ours() {
    for mode in ["exec", "init"] {
        for expected in [0, 1, 3, 127, 255] {
            assert_eq!(code(shell(mode, &format!("exit {expected}"))), Some(expected), "{mode}");
        }
    }
}

#[test]
fn a_signal_that_ends_the_program_is_128_and_its_number() {
    for (name, number) in [("KILL", 9), ("TERM", 15), ("SEGV", 11), ("40", 40)] {
        assert_eq!(code(shell("init", &format!("kill -{name} $$"))), Some(128 + number), "{name}");
    }
}

#[test]
fn an_ignored_sigchld_from_the_caller_does_not_lose_the_status() {
    let mut command = Command::new("/bin/sh");
    command.args([
        "-c",
        "trap '' CHLD; exec \"$@\"",
        "sh",
        BLOB,
        "init",
        "-",
        "-",
        "/bin/sh",
        "sh",
        "-c",
        "exit 7",
    ]);
    assert_eq!(code(command), Some(7));
}

#[test]
fn a_failed_execve_is_reported_in_five_bytes() {
    let empty = std::env::temp_dir().join(format!("insula-init-empty-{}", std::process::id()));
    fs::write(&empty, "").unwrap();
    assert!(Command::new("chmod").arg("755").arg(&empty).status().unwrap().success());
    for mode in ["exec", "init"] {
        for (program, errno, exit) in [
            ("/no/such/program", 2, 127),
            ("/dev/null/program", 20, 127),
            ("/etc/passwd", 13, 126),
            ("/", 13, 126),
            (empty.to_str().unwrap(), 8, 126),
        ] {
            let (mut command, mut reader) = reported(mode, program, &["x"]);
            let mut child = command.spawn().unwrap();
            drop(command); // and with it our copy of the writing end
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes).unwrap();
            assert_eq!(bytes, [b'E', errno, 0, 0, 0], "{mode} {program}");
            assert_eq!(child.wait().unwrap().code(), Some(exit), "{mode} {program}");
            assert_eq!(code(blob(mode, "-", program, &["x"])), Some(exit), "{mode} {program} unreported");
        }
    }
    fs::remove_file(&empty).unwrap();
}

#[test]
fn a_report_that_nobody_reads_does_not_change_the_exit_code() {
    for mode in ["exec", "init"] {
        // std starts its children with SIGPIPE at its default, which would end us by 128 + 13.
        let (mut command, reader) = reported(mode, "/no/such/program", &["x"]);
        drop(reader);
        assert_eq!(command.status().unwrap().code(), Some(127), "{mode}");
    }
}

#[test]
fn the_program_runs_as_asked_and_holds_no_fd_of_ours() {
    // What our own caller leaks to every process that a test starts, it leaks to this one too.
    let mut plain = Command::new("/bin/sh");
    plain.args(["-c", "echo ready; read line"]);
    let mut plain = Running::start(plain);
    assert_eq!(plain.line(), "ready");
    for mode in ["exec", "init"] {
        let argv = ["a name", "-c", "echo ready; read line; exit 5", "", "é\n*", "--"];
        let (mut command, mut reader) = reported(mode, "/bin/sh", &argv);
        command.env_clear().env("A", "1").env("B", "x=y\nz");
        let mut running = Running::start(command);
        assert_eq!(running.line(), "ready");
        // The writing end is gone, in the program and in init, while both still run. (Not `command`'s: start
        // drops it.)
        let mut report = Vec::new();
        reader.read_to_end(&mut report).unwrap();
        assert!(report.is_empty(), "{report:?}");

        let program = if mode == "exec" { running.pid() } else { running.child() };
        let proc = |file: &str| fs::read(format!("/proc/{program}/{file}")).unwrap();
        let expected: Vec<u8> = argv.iter().flat_map(|word| [word.as_bytes(), b"\0"].concat()).collect();
        assert_eq!(proc("cmdline"), expected);
        let environment = proc("environ");
        let mut environment: Vec<_> =
            environment.split(|byte| *byte == 0).filter(|word| !word.is_empty()).collect();
        // The shell in between adds its own.
        environment.retain(|word| !word.starts_with(b"PWD=") && !word.starts_with(b"OLDPWD="));
        environment.retain(|word| !word.starts_with(b"SHLVL=") && !word.starts_with(b"_="));
        assert_eq!(environment, [&b"A=1"[..], b"B=x=y\nz"]);
        assert_eq!(fds(program), fds(plain.pid()));
        assert_ne!(fs::read_link(format!("/proc/{program}/exe")).unwrap(), Path::new(BLOB));
        let status = String::from_utf8(proc("status")).unwrap();
        assert!(status.contains("SigBlk:\t0000000000000000"), "{status}");
        if mode == "init" {
            assert_eq!(fds(running.pid()), [""; 0], "init holds nothing open");
            assert_eq!(stat(program).unwrap()[2], program.to_string(), "a process group of its own");
            assert_eq!(fs::read_to_string(format!("/proc/{}/comm", running.pid())).unwrap(), "insula-init\n");
        }
        assert_eq!(running.end().code(), Some(5));
    }
}

#[test]
fn init_costs_less_than_100_kb() {
    let mut running = Running::start(shell("init", "echo ready; read line; exit 0"));
    assert_eq!(running.line(), "ready");
    let rollup = until("smaps", || fs::read_to_string(format!("/proc/{}/smaps_rollup", running.pid())).ok());
    let dirty = rollup.lines().find_map(|line| line.strip_prefix("Private_Dirty:")).unwrap();
    let dirty: u32 = dirty.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(dirty <= 100, "{dirty} kB");
    assert!(running.end().success());
}

/// A shell that answers to one signal with 9, but only when its `sleep`, of the same group, has ended.
fn trapping(signal: &str) -> (Running, u32) {
    let script = format!("trap 'echo main; exit 9' {signal}; echo ready; sleep 1000; exit 1");
    let mut running = Running::start(shell("init", &script));
    assert_eq!(running.line(), "ready");
    let sleeper =
        until("sleep", || children(running.child()).first().filter(|pid| is_asleep(**pid)).copied());
    (running, sleeper)
}

#[test]
fn what_a_keyboard_sends_reaches_the_group() {
    for signal in ["INT", "QUIT"] {
        let (mut running, _) = trapping(signal);
        kill(signal, running.pid());
        assert_eq!(running.line(), "main", "{signal}");
        assert_eq!(running.end().code(), Some(9));
    }
    for signal in ["TSTP", "TTIN", "TTOU"] {
        let (running, sleeper) = trapping(signal);
        kill(signal, running.pid());
        until("a stopped group", || (state(sleeper) == "T").then_some(()));
        kill("CONT", running.pid());
        until("a continued group", || (state(sleeper) == "S").then_some(()));
        kill("KILL", sleeper);
        assert_eq!(running.end().code(), Some(9), "{signal}");
    }
    let script =
        "sh -c 'trap \"echo child; exit 4\" WINCH; echo ready; while :; do sleep 0.01; done'; exit $?";
    let mut running = Running::start(shell("init", script));
    assert_eq!(running.line(), "ready");
    kill("WINCH", running.pid());
    assert_eq!(running.line(), "child");
    assert_eq!(running.end().code(), Some(4));
}

#[test]
fn other_signals_reach_the_program_alone() {
    for signal in ["TERM", "HUP", "USR1", "USR2", "ALRM", "PIPE", "ABRT", "SEGV", "40", "64"] {
        let (mut running, sleeper) = trapping(signal);
        kill(signal, running.pid());
        sleep(SIGNAL_WAIT);
        assert_eq!(state(sleeper), "S", "{signal} reached the group");
        kill("KILL", sleeper);
        assert_eq!(running.line(), "main", "{signal}");
        assert_eq!(running.end().code(), Some(9));
    }
}

#[test]
fn a_program_that_stops_has_not_ended() {
    let mut running = Running::start(shell("init", "echo ready; read line; exit 6"));
    assert_eq!(running.line(), "ready");
    let program = running.child();
    kill("STOP", program);
    until("a stop", || (state(program) == "T").then_some(()));
    sleep(SIGNAL_WAIT);
    assert!(running.0.try_wait().unwrap().is_none());
    kill("CONT", running.pid());
    assert_eq!(running.end().code(), Some(6));
}

#[test]
fn thousands_of_orphans_are_reaped_and_one_is_not_mistaken_for_the_program() {
    let script =
        "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); (sh -c 'exit 9' &); done; echo done; read line; exit 3";
    let mut running = Running::start(shell("init", script));
    assert_eq!(running.line(), "done");
    until("an only child", || (children(running.pid()).len() == 1).then_some(()));
    assert_eq!(state(running.pid()), "S", "at rest");
    assert_eq!(running.end().code(), Some(3));
}

fn in_pid_namespace(script: &str) -> Option<Output> {
    let probe = Command::new("unshare").args(["-Urpf", "true"]).output();
    if !probe.is_ok_and(|output| output.status.success()) {
        skipped("no user and pid namespaces here");
        return None;
    }
    let command = ["-Urpf", BLOB, "init", "-", "-", "/bin/sh", "sh", "-c", script];
    Some(Command::new("unshare").args(command).output().expect("unshare"))
}

#[test]
fn as_pid_1_it_hears_signals_from_inside_and_takes_the_namespace_with_it() {
    if let Some(output) = in_pid_namespace("kill -TERM 1; sleep 10") {
        assert_eq!(output.status.code(), Some(128 + 15));
    }
    // The sleep left our session and holds stdout: `output` would wait for it.
    let begun = Instant::now();
    if let Some(output) = in_pid_namespace("setsid sleep 60 & echo $$; exit 8") {
        assert_eq!((output.status.code(), output.stdout), (Some(8), b"2\n".to_vec()));
        assert!(begun.elapsed() < insula_proof::patience(Duration::from_secs(30)));
    }
}

/// Runs a shell script on a terminal of its own, whose keyboard is ours; script(1) prints what appears there.
fn on_terminal(script: &str) -> Option<Running> {
    let known = Command::new("script").arg("--version").output();
    if !known.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("util-linux")) {
        skipped("no script(1) of util-linux here");
        return None;
    }
    let mut command = Command::new("script");
    command.args(["-qefc", script, "/dev/null"]).env("SHELL", "/bin/sh");
    Some(Running::start(command))
}

#[test]
fn a_session_leader_gives_its_terminal_to_the_program() {
    // `exec`: script's shell leads the session, and so init does. 5 is the group, 8 the foreground group.
    let program = "cut -d\" \" -f5,8 /proc/$$/stat; read word; echo got $word; sleep 1000";
    let Some(mut running) = on_terminal(&format!("exec {BLOB} init - - /bin/sh sh -c '{program}'")) else {
        return;
    };
    let line = running.line();
    let (group, foreground) = line.split_once(' ').unwrap();
    assert_eq!(group, foreground, "not in the foreground");
    let mut keyboard = running.0.stdin.take().unwrap();
    keyboard.write_all(b"word\n").unwrap();
    let mut line = running.line();
    if line == "word" {
        line = running.line(); // the first was the terminal's echo
    }
    assert_eq!(line, "got word");
    // A shell that is just starting its command can swallow the signal: only when sleep sleeps.
    let shell = children(running.child())[0];
    until("sleep", || children(shell).first().filter(|pid| is_asleep(**pid)).copied());
    keyboard.write_all(b"\x03").unwrap(); // ^C
    assert_eq!(running.end().code(), Some(128 + 2));
}

#[test]
fn a_background_job_leaves_the_terminal_alone() {
    let job = format!("{BLOB} init - - /bin/sh sh -c 'cut -d\" \" -f5,8 /proc/$$/stat'");
    // `set -m` gives the job a group of its own, which is not the foreground one.
    let Some(mut running) = on_terminal(&format!("set -m; {job} <&1 & wait $!; exit $?")) else { return };
    let line = running.line();
    let (group, foreground) = line.split_once(' ').unwrap();
    assert_ne!(group, foreground, "took the terminal from its shell");
    assert_eq!(running.end().code(), Some(0));
}

/// MODE hold with its standard input for the lifeline.
fn holder() -> Running {
    let mut command = Command::new(BLOB);
    command.args(["hold", "-", "0"]).stderr(Stdio::null());
    Running::start(command)
}

#[test]
fn a_holder_ends_with_who_makes_it_unless_it_is_told_to_stay() {
    assert_eq!(holder().end().code(), Some(0));
    let mut told = holder();
    let mut lifeline = told.0.stdin.take().expect("piped");
    lifeline.write_all(b"!").expect("tell it");
    drop(lifeline);
    // It lets go of its lifeline and of the caller's streams.
    until("the holder", || {
        fds(told.pid()).iter().all(|fd| !["0", "1", "2"].contains(&fd.as_str())).then_some(())
    });
    kill("INT", told.pid());
    kill("HUP", told.pid());
    sleep(SIGNAL_WAIT);
    assert!(told.0.try_wait().expect("wait").is_none(), "a signal that is not meant for it has ended it");
    kill("TERM", told.pid());
    assert_eq!(told.end().code(), Some(0));
}

#[test]
fn a_holder_of_a_wrong_call_does_not_begin() {
    for words in [&["hold", "-"][..], &["hold", "-", "x"], &["hold", "-", "0", "y"], &["hold", "x", "0"]] {
        let status = Command::new(BLOB).args(words).stdin(Stdio::null()).status().expect("start");
        assert_eq!(status.code(), Some(125), "{words:?}");
    }
    // As many as there are kinds, and not one more.
    let nine = ["3"; 9];
    let words = ["hold", "-", "0", "1"].into_iter().chain(nine);
    assert_eq!(
        Command::new(BLOB).args(words).stdin(Stdio::null()).status().expect("start").code(),
        Some(125)
    );
}
