//! A mount and a network namespace of a test's own, with a /run of its own: the names in /run/netns are the test's alone.
//! An ordinary user has them in a user namespace of its own. All of it ends with the process that holds it.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::caller::{Caller, Ended, Started, ended};
use insula_proof::{need, patience};
use serde_json::Value;

/// Holds the namespaces for `$0` seconds.
const HOLD: &str = "mount -t tmpfs tmpfs /run && mkdir /run/netns && echo ready && exec sleep $0";

pub struct Room<'c> {
    caller: &'c Caller,
    _holder: Started,
    pid: String,
}

impl Room<'_> {
    /// With the network namespaces `a` and `b`; or why there are none.
    pub fn new(caller: &Caller) -> Result<Room<'_>, String> {
        need::program("ip")?;
        need::program("nsenter")?;
        let mut unshare = caller.command("unshare");
        if !caller.is_root() {
            unshare.args(["--user", "--map-root-user"]);
        }
        let seconds = patience(Duration::from_secs(120)).as_secs().to_string();
        unshare.args(["--mount", "--net", "--propagation", "private", "--", "sh", "-c", HOLD, &seconds]);
        let mut child = unshare.stdout(Stdio::piped()).spawn().expect("start unshare(1)");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("what it says");
        // Whatever starts it executes it in the end: the pid stays.
        let pid = child.id().to_string();
        let room = Room { caller, _holder: Started::of(child), pid };
        need::that(line == "ready\n", "no mount and network namespace can be made here")?;
        for name in ["a", "b"] {
            need::that(
                room.run(&["ip", "netns", "add", name]).code() == 0,
                "ip netns makes no namespace here",
            )?;
        }
        Ok(room)
    }

    /// The process that holds the room.
    pub fn pid(&self) -> &str {
        &self.pid
    }

    /// A command in the room.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut nsenter = self.caller.command("nsenter");
        if !self.caller.is_root() {
            nsenter.args(["--user", "--preserve-credentials"]);
        }
        nsenter.args(["--mount", "--net", "--target", &self.pid, "--"]).args(words);
        nsenter
    }

    pub fn run(&self, words: &[&str]) -> Ended {
        ended(&mut self.command(words))
    }

    /// `insula link WORDS…`.
    pub fn link(&self, words: &str) -> Ended {
        ended(&mut self.linking(words))
    }

    /// The same, not started yet.
    pub fn linking(&self, words: &str) -> Command {
        let words: Vec<&str> = ["link"].into_iter().chain(words.split_whitespace()).collect();
        let words = self.caller.words(&words);
        self.command(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// `insula link WORDS…`, which has to succeed in silence.
    #[track_caller]
    pub fn done(&self, words: &str) {
        assert_eq!(self.link(words).said(), "", "insula link {words}");
    }

    /// `insula link WORDS…`, which has to be refused, with these in what it says; nothing else.
    #[track_caller]
    pub fn refuses(&self, words: &str, names: &[&str]) {
        let end = self.link(words);
        assert_eq!((end.code(), end.out.as_str()), (125, ""), "insula link {words}: {}", end.err);
        for name in names {
            assert!(end.err.contains(name), "insula link {words}: no `{name}` in: {}", end.err);
        }
        let errors = end.err.lines().filter(|line| line.starts_with("insula: error: ")).count();
        assert_eq!(errors, 1, "one line tells it: {}", end.err);
    }

    /// What `insula link show --json` says of a namespace.
    #[track_caller]
    pub fn shown(&self, netns: &str) -> Vec<Value> {
        let said = self.link(&format!("show --json --in {netns}")).said();
        serde_json::from_str(&said).expect("JSON")
    }

    /// The same, once the kernel has made up its mind about each carrier: it takes up to a second after a change.
    #[track_caller]
    pub fn settled(&self, netns: &str) -> Vec<Value> {
        let deadline = Instant::now() + patience(Duration::from_secs(5));
        loop {
            let shown = self.shown(netns);
            if !shown.iter().any(|device| device["loopback"] == false && device["state"] == "unknown") {
                return shown;
            }
            assert!(Instant::now() < deadline, "no state yet: {shown:?}");
            sleep(Duration::from_millis(10));
        }
    }

    /// The names of the devices of a namespace, sorted, without loopback.
    #[track_caller]
    pub fn devices(&self, netns: &str) -> Vec<String> {
        let mut names: Vec<String> = self
            .shown(netns)
            .iter()
            .map(|device| device["name"].as_str().expect("a name").to_owned())
            .filter(|name| name != "lo")
            .collect();
        names.sort_unstable();
        names
    }

    /// The addresses of a device, without those that the kernel makes of the hardware's.
    #[track_caller]
    pub fn addresses(&self, netns: &str, name: &str) -> Vec<String> {
        let all = self.shown(netns);
        let device = all.iter().find(|device| device["name"] == name).unwrap_or_else(|| panic!("no {name}"));
        let text =
            |address: &Value| format!("{}/{}", address["address"].as_str().unwrap_or(""), address["prefix"]);
        let all = device["addresses"].as_array().expect("a list").iter().map(text);
        all.filter(|address| !address.starts_with("fe80")).collect()
    }

    /// What `ip -j WORDS…` says in a namespace.
    #[track_caller]
    pub fn ip(&self, netns: &str, words: &str) -> Value {
        let words: Vec<&str> =
            ["ip", "-j", "-n", netns].into_iter().chain(words.split_whitespace()).collect();
        let said = self.run(&words).said();
        if said.is_empty() { Value::Array(Vec::new()) } else { serde_json::from_str(&said).expect("JSON") }
    }

    /// Whether `netns` hears from an address: ping(8) where it is installed, else a connection that is refused, which is
    /// an answer as well.
    #[track_caller]
    pub fn reaches(&self, netns: &str, address: &str) -> bool {
        let mut words = vec!["ip", "netns", "exec", netns];
        if need::program("ping").is_ok() {
            words.extend(["ping", "-c", "1", "-W", "5", address]);
            return self.run(&words).code() == 0;
        }
        let script = "exec 3<>/dev/tcp/$1/9";
        words.extend(["timeout", "5", "bash", "-c", script, "bash", address]);
        self.run(&words).err.contains("refused")
    }
}
