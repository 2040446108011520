//! A group of one test, under one look at the machine, removed when the test ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use insula_proof::{need, scratch::unique};

use crate::caller::{Ended, Started, ended};

/// What of the machine's hierarchies a command sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// All of them.
    Here,
    /// Version 1 alone.
    V1,
    /// Version 2 alone.
    V2,
}

impl Look {
    /// Whether root can have it here.
    pub fn need(self) -> Result<(), String> {
        need::root()?;
        let hybrid = Path::new("/sys/fs/cgroup/unified/cgroup.procs").exists();
        match self {
            Look::Here => Ok(()),
            Look::V1 | Look::V2 => need::that(hybrid, "the machine is not hybrid: its look is the only one"),
        }
    }

    fn script(self) -> &'static str {
        match self {
            Look::Here => "exec \"$@\"",
            Look::V1 => "umount /sys/fs/cgroup/unified && exec \"$@\"",
            Look::V2 => "mount --bind /sys/fs/cgroup/unified /sys/fs/cgroup && exec \"$@\"",
        }
    }

    /// `PROGRAM WORDS…` with this look.
    pub fn command(self, program: &Path, words: &[&str]) -> Command {
        let mut command = if self == Look::Here {
            Command::new(program)
        } else {
            let mut command = Command::new("unshare");
            command
                .args(["--mount", "--propagation", "private", "--", "sh", "-c", self.script(), "sh"])
                .arg(program);
            command
        };
        command.args(words).stdin(Stdio::null());
        command
    }
}

/// Makes of each test one under each look.
macro_rules! under_every_look {
    ($($test:ident),+ $(,)?) => {
        mod here { $(#[test] fn $test() {
            insula_proof::or_skip!(crate::room::Look::Here.need());
            super::$test(&crate::room::Room::new(crate::room::Look::Here));
        })+ }
        mod on_v1 { $(#[test] fn $test() {
            insula_proof::or_skip!(crate::room::Look::V1.need());
            super::$test(&crate::room::Room::new(crate::room::Look::V1));
        })+ }
        mod on_v2 { $(#[test] fn $test() {
            insula_proof::or_skip!(crate::room::Look::V2.need());
            super::$test(&crate::room::Room::new(crate::room::Look::V2));
        })+ }
    };
}

/// A name that no other test has, and a look.
pub struct Room {
    pub name: String,
    pub look: Look,
}

impl Room {
    pub fn new(look: Look) -> Room {
        Room { name: format!("/insula-test-{}", unique()), look }
    }

    /// `insula cgroup WORDS…`.
    pub fn command(&self, words: &[&str]) -> Command {
        self.look.command(&crate::binary(), &[&["cgroup"], words].concat())
    }

    /// The same, to its end.
    #[track_caller]
    pub fn call(&self, words: &[&str]) -> Ended {
        ended(&mut self.command(words))
    }

    /// One that has to succeed; what it says.
    #[track_caller]
    pub fn says(&self, words: &[&str]) -> String {
        self.call(words).said()
    }

    /// One that has to fail with insula's own code; what it says.
    #[track_caller]
    pub fn fails(&self, words: &[&str]) -> String {
        let end = self.call(words);
        assert_eq!((end.code(), end.out.as_str()), (125, ""), "{words:?}: {}", end.err);
        end.err
    }

    /// Makes the group with these limits.
    #[track_caller]
    pub fn make(&self, limits: &[&str]) {
        assert_eq!(self.says(&[&["new", &self.name], limits].concat()), "");
    }

    /// `exec` of a script.
    pub fn sh(&self, script: &str) -> Command {
        self.command(&["exec", &self.name, "--", "sh", "-c", script])
    }

    /// Starts a script in the group, and waits until it is in it.
    #[track_caller]
    pub fn start(&self, script: &str) -> Started {
        let before = self.members().len();
        let started = Started::new(&mut self.sh(script));
        until("the script is in its group", || self.members().len() > before);
        started
    }

    /// `show --json`.
    #[track_caller]
    pub fn show(&self) -> serde_json::Value {
        serde_json::from_str(&self.says(&["show", &self.name, "--json"])).expect("JSON")
    }

    pub fn number(&self, path: &str) -> u64 {
        let shown = self.show();
        shown
            .pointer(path)
            .and_then(serde_json::Value::as_u64)
            .unwrap_or_else(|| panic!("no {path} in {shown:#}"))
    }

    /// The pids that are in it, and below it.
    pub fn members(&self) -> Vec<u64> {
        let shown = self.show();
        let members = shown["members"].as_array().expect("a list");
        members.iter().filter_map(|member| member["pid"].as_u64()).collect()
    }

    /// Its directories in all hierarchies of the machine, whatever the look.
    pub fn directories(&self) -> Vec<PathBuf> {
        mounts()
            .into_iter()
            .map(|mount| mount.join(self.name.trim_start_matches('/')))
            .filter(|path| path.exists())
            .collect()
    }

    /// Its directory in the hierarchy of a controller.
    pub fn directory(&self, controller: &str) -> PathBuf {
        let found = self.directories().into_iter().find(|path| {
            path.ancestors().any(|above| above == Path::new("/sys/fs/cgroup").join(controller))
                || fs::read_to_string(path.join("cgroup.controllers"))
                    .is_ok_and(|text| text.split_whitespace().any(|word| word == controller))
        });
        found.unwrap_or_else(|| panic!("{} has no directory of {controller}", self.name))
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // A test that failed may have left it frozen, busy or half made; one that passed has removed it.
        drop(self.command(&["rm", "--force", &self.name]).output());
        let left = self.directories();
        assert!(std::thread::panicking() || left.is_empty(), "{left:?} are left");
    }
}

/// Where hierarchies are mounted.
pub fn mounts() -> Vec<PathBuf> {
    let text = fs::read_to_string("/proc/self/mountinfo").expect("the table of mounts");
    let point = |line: &str| {
        let (before, after) = line.split_once(" - cgroup")?;
        after.starts_with([' ', '2']).then(|| before.split(' ').nth(4).map(PathBuf::from))?
    };
    text.lines().filter_map(point).collect()
}

/// Waits for something that has to come soon.
#[track_caller]
pub fn until(what: &str, done: impl Fn() -> bool) {
    let end = Instant::now() + insula_proof::patience(Duration::from_secs(15));
    while !done() {
        assert!(Instant::now() < end, "waited in vain until {what}");
        sleep(Duration::from_millis(5));
    }
}

/// A controller in either version, where root may make groups.
pub fn controller(name: &'static str) -> Result<(), String> {
    need::root()?;
    need::cgroup_v1(name).or_else(|v1| need::cgroup_v2_controller(name).map_err(|v2| format!("{v1}; {v2}")))
}
