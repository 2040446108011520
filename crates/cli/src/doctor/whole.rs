//! insula itself, and the services of the machine that it can ask.

use insula_namespaces::doctor::{Answer, Check, Group, Weight, apart};
use insula_sys::signal::pidfd_send_signal;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::AsFd;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// How long a whole run may take.
const LIMIT_S: i64 = 4;

/// The checks.
pub const CHECKS: &[Check] = &[
    Check {
        key: "run",
        group: Group::Whole,
        what: "`insula run` of a program on the machine's own root",
        loss: "`run`",
        weight: Weight::Feature,
        probe: run,
    },
    Check {
        key: "systemd",
        group: Group::Whole,
        what: "systemd",
        loss: "nothing: groups are made in the file system; a delegated one then comes from root",
        weight: Weight::Comfort,
        probe: systemd,
    },
    Check {
        key: "dbus-session",
        group: Group::Whole,
        what: "the user's own D-Bus",
        loss: "`systemd-run --user --scope -p Delegate=yes`, by which an ordinary user gets groups to limit",
        weight: Weight::Comfort,
        probe: session,
    },
];

/// Runs `true`. That there is no such program is as good: then all before its start has held.
fn run() -> Answer {
    let Ok(own) = std::env::current_exe() else {
        return Answer::unknown("our own file cannot be found: is /proc mounted?");
    };
    let started = Command::new(own)
        .args(["run", "--workdir", "/", "--", "true"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match started {
        Ok(child) => child,
        Err(error) => return Answer::missing(format!("start ourselves: {}", error.kind())),
    };
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let Some(pidfd) = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok()) else {
        let _ = child.kill();
        let _ = child.wait();
        return Answer::unknown("pidfd_open(2) was refused");
    };
    let limit = Timespec { tv_sec: LIMIT_S, tv_nsec: 0 };
    let ended = poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&limit));
    if ended != Ok(1) {
        // It takes what it has begun with it: its init dies with the one who started it.
        let _ = pidfd_send_signal(pidfd.as_fd(), 15);
        let again = poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&limit));
        if again != Ok(1) {
            let _ = child.kill();
        }
        let _ = child.wait();
        return Answer::unknown(format!("no end within {LIMIT_S} s"));
    }
    match child.wait_with_output() {
        Ok(output) if matches!(output.status.code(), Some(0 | 127)) => {
            Answer::works("a program ran in namespaces of its own")
        }
        Ok(output) => refusal(&String::from_utf8_lossy(&output.stderr)),
        Err(error) => Answer::unknown(error.kind().to_string()),
    }
}

/// What `insula run` says, without its own name.
fn refusal(said: &str) -> Answer {
    let line = |word: &str| said.lines().find_map(|line| Some(line.split_once(word)?.1.to_owned()));
    let error = line("error: ").unwrap_or_else(|| "it failed without a word".to_owned());
    let found = match line("cause: ") {
        Some(cause) => format!("{error}; {cause}"),
        None => error,
    };
    let answer = Answer::missing(found);
    match line("hint: ") {
        Some(hint) => answer.fix(hint),
        None => answer,
    }
}

fn systemd() -> Answer {
    // sd_booted(3).
    if std::path::Path::new("/run/systemd/system").is_dir() {
        Answer::works("it runs this machine")
    } else {
        Answer::missing("it does not run this machine")
    }
}

/// Connects, in a process that is thrown away: a bus whose queue is full would have us wait.
fn session() -> Answer {
    if rustix::process::geteuid().is_root() {
        return Answer::works("not needed: root makes groups by itself");
    }
    let path = std::env::var("DBUS_SESSION_BUS_ADDRESS").ok().and_then(|address| {
        let rest = address.split(';').find_map(|one| one.strip_prefix("unix:path="))?.to_owned();
        Some(PathBuf::from(rest.split(',').next()?))
    });
    let path = path
        .unwrap_or_else(|| PathBuf::from(format!("/run/user/{}/bus", rustix::process::geteuid().as_raw())));
    apart(|| {
        match UnixStream::connect(&path) {
        Ok(_) => Answer::works(format!("`{}` answers", path.display())),
        Err(_) => Answer::missing(format!("nobody listens at `{}`", path.display()))
            .fix("log in by a session of systemd-logind (`machinectl shell`, `loginctl enable-linger USER` as root)"),
    }
    })
}
