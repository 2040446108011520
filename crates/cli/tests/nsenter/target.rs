//! A process in namespaces of its own, made by unshare(1), that waits to be entered.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::caller::Caller;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

/// All kinds but user.
pub const ALL_BUT_USER: [&str; 9] =
    ["-m", "-u", "-i", "-n", "-p", "-C", "-T", "--kill-child", "--mount-proc"];

/// What it does once it is there: says so, and waits.
const WAIT: &str = "cd /usr; echo ready; exec sleep 1000";

/// The process.
pub struct Target {
    child: Child,
    pid: String,
    pidfd: OwnedFd,
}

impl Target {
    /// `unshare FLAGS…` by the caller; or why there is none.
    pub fn new(caller: &Caller, flags: &[&str]) -> Result<Target, String> {
        let words = [&["unshare"], flags, &["sh", "-c", WAIT]].concat();
        Target::of(caller.command(words[0]).args(&words[1..]), flags.contains(&"--kill-child"))
    }

    /// A command that ends in [`WAIT`]; `forks` where that is its child.
    pub fn of(command: &mut Command, forks: bool) -> Result<Target, String> {
        let command = command.env("OF_TARGET", "here and now").stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("start the target: {error}"))?;
        let mut line = String::new();
        let out = child.stdout.take().expect("a pipe");
        BufReader::new(out).read_line(&mut line).expect("read from the target");
        if line != "ready\n" {
            drop(child.kill());
            let output = child.wait_with_output().expect("wait for the target");
            return Err(format!("no target here: {}", String::from_utf8_lossy(&output.stderr).trim()));
        }
        let own = child.id();
        let pid = if forks { only_child(own) } else { own };
        let raw = Pid::from_raw(i32::try_from(pid).expect("a pid")).expect("a pid");
        let pidfd = pidfd_open(raw, PidfdFlags::empty()).expect("its pidfd");
        Ok(Target { child, pid: pid.to_string(), pidfd })
    }

    /// The words that make a target of a command.
    pub fn wait() -> [&'static str; 3] {
        ["sh", "-c", WAIT]
    }

    pub fn pid(&self) -> &str {
        &self.pid
    }

    /// Words with `PID` in them, for this target.
    pub fn words(&self, words: &[&str]) -> Vec<String> {
        words.iter().map(|word| word.replace("PID", &self.pid)).collect()
    }

    /// `readlink /proc/PID/ns/KIND`.
    pub fn namespace(&self, kind: &str) -> String {
        let link = fs::read_link(format!("/proc/{}/ns/{kind}", self.pid)).expect("a namespace of the target");
        link.to_str().expect("UTF-8").to_owned()
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        // It is ours, and nobody has waited for it; a child of it goes by --kill-child.
        drop(self.child.kill());
        drop(self.child.wait());
        let mut one = [PollFd::new(&self.pidfd, PollFlags::IN)];
        let _ = poll(&mut one, Some(&Timespec { tv_sec: 10, tv_nsec: 0 }));
    }
}

fn only_child(pid: u32) -> u32 {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).expect("children");
    children.trim().parse().expect("one child")
}
