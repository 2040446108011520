//! A process of a test's own, in namespaces of its own or in ours, that waits until it is dropped.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::caller::{Caller, Started, ended};
use insula_proof::need;
use serde_json::Value;

/// What it does, once it is where it should be.
const WAIT: &str = "echo ready; exec sleep 120";

pub struct Holder {
    /// Killed when dropped; a child in a pid namespace goes with it, by `--kill-child`.
    _started: Started,
    pub pid: u32,
}

impl Holder {
    /// A process of the caller's in no new namespaces.
    pub fn plain(caller: &Caller) -> Holder {
        let mut command = caller.command("sh");
        command.args(["-c", WAIT]);
        Holder::of(&mut command).expect("sh says that it is ready")
    }

    /// The same, through another program: `setpriv --no-new-privs`, `chroot /tmp`, …
    pub fn by(caller: &Caller, words: &[&str]) -> Result<Holder, String> {
        let mut command = caller.command(words[0]);
        command.args(&words[1..]).args(["sh", "-c", WAIT]);
        Holder::of(&mut command)
    }

    /// One in new namespaces, by the flags of unshare(1). An ordinary user's are in a user namespace of its own.
    pub fn unshared(caller: &Caller, flags: &[&str]) -> Result<Holder, String> {
        let mut command = caller.command("unshare");
        if !caller.is_root() && !flags.contains(&"--user") {
            command.args(["--user", "--map-root-user"]);
        }
        command.args(flags).args(["--", "sh", "-c", WAIT]);
        Holder::of(&mut command)
    }

    /// One beside another: in its user namespace, where there is all right over that, and with what these words do before.
    pub fn beside(caller: &Caller, base: &Holder, words: &[&str]) -> Result<Holder, String> {
        Holder::of(beside(caller, base).args(words).args(["sh", "-c", WAIT]))
    }

    /// Started by any command that says `ready` when all is done.
    pub fn of(command: &mut Command) -> Result<Holder, String> {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("start the holder");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("what it says");
        let pid = child.id();
        let holder = Holder { _started: Started::of(child), pid };
        need::that(line == "ready\n", "no such process can be made here")?;
        Ok(holder)
    }

    /// The same with the process that it has forked.
    pub fn child_holder(self) -> (Holder, u32) {
        let child = self.child();
        (self, child)
    }

    /// The process that this one has forked: of `unshare --fork` the one that is in the new pid namespace.
    pub fn child(&self) -> u32 {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let path = format!("/proc/{0}/task/{0}/children", self.pid);
            let children = fs::read_to_string(path).unwrap_or_default();
            if let Some(child) = children.split_whitespace().next().and_then(|pid| pid.parse().ok()) {
                return child;
            }
            assert!(Instant::now() < deadline, "the holder has no child");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Enters the user namespace of a holder; the words of a program follow.
pub fn beside(caller: &Caller, base: &Holder) -> Command {
    let mut command = caller.command("nsenter");
    command.args(["--user", "--preserve-credentials", "--target", &base.pid.to_string(), "--"]);
    command
}

/// `insula ns WORDS…`: its exit code and what it said.
pub fn ns(caller: &Caller, words: &[&str]) -> (i32, String, String) {
    let end = ended(&mut caller.insula(&[&["ns"], words].concat()));
    (end.code(), end.out, end.err)
}

/// `insula ns WORDS… --json`.
#[track_caller]
pub fn json(caller: &Caller, words: &[&str]) -> (i32, Value) {
    let (code, out, err) = ns(caller, &[words, &["--json"]].concat());
    let value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("no JSON: {out}{err}"));
    (code, value)
}
