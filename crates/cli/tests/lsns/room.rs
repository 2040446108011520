//! A pid and mount namespace of a test's own, so that lists of processes are the same each time.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use insula_proof::{self as proof, Ordinary, Scratch};

/// Who calls: the tests' own user, or an ordinary one who is root in a user namespace.
pub enum Who {
    Own,
    Ordinary(Ordinary),
}

/// A room, with a directory that it shares with the test.
pub struct Room {
    who: Who,
    pub directory: Scratch,
}

impl Room {
    /// For everyone who can have one here: root, and an ordinary user.
    pub fn all() -> Vec<Room> {
        let mut rooms = Vec::new();
        if proof::id::is_root() {
            rooms.push(Room::new(Who::Own));
        }
        if proof::need::user_namespaces().is_ok() {
            rooms.push(Room::new(Who::Ordinary(Ordinary::new())));
        }
        rooms
    }

    fn new(who: Who) -> Room {
        let directory = Scratch::new();
        if let Who::Ordinary(user) = &who
            && proof::id::is_root()
        {
            user.own(&directory);
        }
        Room { who, directory }
    }

    /// Ours under the name of the tool that it stands in for.
    pub fn link(&self) -> PathBuf {
        let link = self.directory.join("lsns");
        let insula = match &self.who {
            Who::Own => proof::binary::path(),
            Who::Ordinary(user) => user.insula_path(),
        };
        if !link.exists() {
            std::os::unix::fs::symlink(insula, &link).expect("a link in a directory of ours");
        }
        link
    }

    /// A script for sh(1) with `$OUT` and `$OURS`, in namespaces that end with it.
    pub fn run(&self, script: &str) -> Output {
        let mut command = match &self.who {
            Who::Own => Command::new("unshare"),
            Who::Ordinary(user) => {
                let mut command = user.command("unshare");
                command.args(["--user", "--map-root-user"]);
                command
            }
        };
        command.args([
            "--pid",
            "--fork",
            "--kill-child",
            "--mount",
            "--propagation",
            "private",
            "--mount-proc",
        ]);
        command.args(["sh", "-eu"]).arg(self.directory.write("script", script));
        command.env("OUT", self.path()).env("OURS", self.link()).env("LC_ALL", "C.UTF-8");
        command.output().expect("unshare(1) is there: the rooms need it")
    }

    pub fn path(&self) -> &Path {
        &self.directory
    }
}

/// What a program wrote to standard output, after it has succeeded.
#[track_caller]
pub fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}
