//! A before and an after of what a test could leave behind: processes, mounts, namespaces, files.
//!
//! A mount belongs to no test, so tests that take a census hold [`alone`] while they do.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::process::{MARK, Process, all};
use crate::scratch::unique;

/// Set by the check where the tests have a pid namespace of their own: every process in it is then a test's.
const ROOM: &str = "INSULA_ROOM";

/// Waits until no other test of this binary holds it.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    // A test that failed while it held the lock says nothing about the next.
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A name that a test gives to all that it starts, as the environment variable `INSULA_PROOF`.
#[derive(Clone, Debug)]
pub struct Mark(String);

impl Mark {
    /// One that no other test has.
    #[must_use]
    pub fn new() -> Mark {
        Mark(unique())
    }

    /// Puts the mark on a command, and so on all that it starts.
    pub fn on<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.env(MARK, &self.0)
    }

    /// The name and the value of the variable.
    #[must_use]
    pub fn variable(&self) -> (&'static str, &str) {
        (MARK, &self.0)
    }
}

impl Default for Mark {
    fn default() -> Mark {
        Mark::new()
    }
}

/// What was there at one moment.
pub struct Census {
    mark: Mark,
    directories: Vec<PathBuf>,
    /// By pid and start time, for a pid is used again. The value is for people.
    everyone: BTreeMap<(u32, u64), String>,
    ours: BTreeMap<(u32, u64), String>,
    orphans: BTreeMap<(u32, u64), String>,
    mounts: BTreeSet<String>,
    namespaces: BTreeSet<String>,
    files: BTreeSet<PathBuf>,
}

impl Census {
    /// Counts the processes that carry the mark and their descendants, the mounts of this mount namespace, the
    /// namespaces that those processes are in (in a room of the check: that any process is in), and the files under
    /// the directories given.
    #[must_use]
    pub fn take(mark: &Mark, directories: &[&Path]) -> Census {
        let room = std::env::var_os(ROOM).is_some();
        let processes = all();
        let by_pid: BTreeMap<u32, &Process> = processes.iter().map(|found| (found.pid, found)).collect();
        let mut census = Census {
            mark: mark.clone(),
            directories: directories.iter().map(|path| path.to_path_buf()).collect(),
            everyone: BTreeMap::new(),
            ours: BTreeMap::new(),
            orphans: BTreeMap::new(),
            mounts: mounts(),
            namespaces: BTreeSet::new(),
            files: BTreeSet::new(),
        };
        for found in &processes {
            let key = (found.pid, found.start_time);
            let words =
                format!("{} `{}`{}", found.pid, found.name, if found.zombie { " (zombie)" } else { "" });
            census.everyone.insert(key, words.clone());
            let owner = owner(found, &by_pid);
            let orphan_zombie = found.zombie && found.parent <= 1;
            let is_ours = owner == Some(mark.0.as_str()) && !orphan_zombie;
            if is_ours {
                census.ours.insert(key, words);
            } else if room && owner.is_none() && found.parent == 1 && !found.zombie {
                census.orphans.insert(key, words);
            }
            if is_ours || (room && owner.is_none()) {
                census.namespaces.extend(found.namespaces.iter().cloned());
            }
        }
        for directory in directories {
            list(directory, &mut census.files);
        }
        census
    }

    /// Takes the census again and again until it equals this one. Exits are asynchronous, so a leak is what is still
    /// there when the time is over; a slow machine has more of it, see [`patience`](crate::patience()).
    ///
    /// # Panics
    ///
    /// With the differences, one a line.
    #[track_caller]
    pub fn assert_equal_within(&self, patience: Duration) {
        let patience = crate::patience(patience);
        let deadline = Instant::now() + patience;
        let directories: Vec<&Path> = self.directories.iter().map(PathBuf::as_path).collect();
        loop {
            let differences = self.differences(&Census::take(&self.mark, &directories));
            if differences.is_empty() {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "after {} ms, this is left:\n{differences}",
                patience.as_millis()
            );
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// What `after` has and this has not; for mounts and files also what it lacks. Empty where they are equal.
    #[must_use]
    pub fn differences(&self, after: &Census) -> String {
        let mut text = String::new();
        let mut say = |sign: char, kind: &str, what: &dyn std::fmt::Display| {
            writeln!(text, "{sign} {kind} {what}").expect("write to a string");
        };
        for (key, words) in &after.ours {
            if !self.ours.contains_key(key) {
                say('+', "process", words);
            }
        }
        for (key, words) in &after.orphans {
            if !self.everyone.contains_key(key) {
                say('+', "orphan", words);
            }
        }
        after.namespaces.difference(&self.namespaces).for_each(|new| say('+', "namespace", new));
        after.mounts.difference(&self.mounts).for_each(|new| say('+', "mount", new));
        self.mounts.difference(&after.mounts).for_each(|gone| say('-', "mount", gone));
        after.files.difference(&self.files).for_each(|new| say('+', "file", &new.display()));
        self.files.difference(&after.files).for_each(|gone| say('-', "file", &gone.display()));
        text
    }
}

/// The mark of a process, else that of the nearest of its ancestors that has one.
fn owner<'p>(found: &'p Process, by_pid: &BTreeMap<u32, &'p Process>) -> Option<&'p str> {
    let mut next = Some(found);
    // A look at /proc is not atomic: the bound keeps a circle of reused pids finite.
    for _ in 0..64 {
        let this = next?;
        if this.mark.is_some() {
            return this.mark.as_deref();
        }
        next = by_pid.get(&this.parent).copied();
    }
    None
}

fn mounts() -> BTreeSet<String> {
    let text = fs::read_to_string("/proc/self/mountinfo").expect("read `/proc/self/mountinfo`");
    text.lines().map(str::to_string).collect()
}

fn list(directory: &Path, into: &mut BTreeSet<PathBuf>) {
    // A directory that is not there yet has no files: that is an answer.
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        into.insert(entry.path());
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            list(&entry.path(), into);
        }
    }
}
