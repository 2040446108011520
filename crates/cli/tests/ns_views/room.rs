//! A room of a test's own: pid, mount and network namespaces with a /proc and a /run of their own, in which a script
//! runs. So the lists of processes and names are the test's alone, and all ends with the script.

use std::path::PathBuf;
use std::process::{Command, Output};

use insula_proof::{self as proof, Ordinary, Scratch};
use serde_json::Value;

/// What every script begins with: a /run that is the room's, and a way to wait for something.
const PRELUDE: &str = r#"
mount -t tmpfs tmpfs /run; mkdir /run/netns
ns() { readlink "/proc/$1/ns/$2" | tr -dc 0-9; }
# soon 'COMMAND': until it succeeds, for some seconds.
soon() {
    n=0
    until eval "$1" >/dev/null 2>&1; do
        n=$((n + 1)); [ $n -lt 800 ] || { echo "in vain: $1" >&2; return 1; }; sleep 0.01
    done
}
# is PID COMMAND: that is what the process runs.
is() { soon "[ \"\$(cat /proc/$1/comm)\" = $2 ]"; }
# The child of a process.
child() { soon "grep -q . /proc/$1/task/$1/children"; tr -dc 0-9 < /proc/$1/task/$1/children; }
"#;

/// Who calls, with a directory that is shared with the test.
pub struct Room {
    user: Option<Ordinary>,
    pub directory: Scratch,
}

impl Room {
    /// For everyone who can have one here: root, and an ordinary user who is root in a user namespace.
    pub fn all() -> Vec<Room> {
        let mut rooms = Vec::new();
        if proof::id::is_root() {
            rooms.push(Room::new(None));
        }
        if proof::need::user_namespaces().is_ok() {
            rooms.push(Room::new(Some(Ordinary::new())));
        }
        rooms
    }

    fn new(user: Option<Ordinary>) -> Room {
        let directory = Scratch::new();
        if let Some(user) = &user
            && proof::id::is_root()
        {
            user.own(&directory);
        }
        Room { user, directory }
    }

    pub fn is_root(&self) -> bool {
        self.user.is_none()
    }

    fn insula(&self) -> PathBuf {
        self.user.as_ref().map_or_else(proof::binary::path, Ordinary::insula_path)
    }

    /// A script for sh(1) with `$OUT`, a directory, and `$INSULA`.
    pub fn run(&self, script: &str) -> Output {
        let mut command = match &self.user {
            None => Command::new("unshare"),
            Some(user) => {
                let mut command = user.command("unshare");
                command.args(["--user", "--map-root-user"]);
                command
            }
        };
        command.args(["--pid", "--fork", "--kill-child", "--mount", "--net", "--ipc", "--mount-proc"]);
        command.args(["--propagation", "private", "sh", "-eu"]);
        command.arg(self.directory.write("script", format!("{PRELUDE}{script}")));
        command.env("OUT", &*self.directory).env("INSULA", self.insula()).env("LC_ALL", "C.UTF-8");
        command.output().expect("unshare(1) is there: the rooms need it")
    }

    /// The same, for a script that has to succeed; what it writes.
    #[track_caller]
    pub fn text(&self, script: &str) -> String {
        let output = self.run(script);
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{}\nout: {out}\nerr: {err}", output.status);
        out.into_owned()
    }

    /// The same, for a script that writes JSON.
    #[track_caller]
    pub fn json(&self, script: &str) -> Value {
        let text = self.text(script);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}

/// The rooms that there can be, or why the test is skipped.
macro_rules! rooms {
    () => {{
        let rooms = crate::room::Room::all();
        if rooms.is_empty() || insula_proof::need::program("unshare").is_err() {
            insula_proof::skip!("neither root nor user namespaces, or no unshare(1)");
        }
        rooms
    }};
}
pub(crate) use rooms;
