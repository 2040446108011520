//! A place of a script's own: a pid namespace, with which all ends that the script has left, a mount namespace, and an empty
//! /run or state directory, so that no test sees another's names.

use insula_proof::{self as proof, Ordinary, Scratch, need};
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

/// What stands before each script. `$STORE` is where names are written down; `holder NAME` prints the pid of the process
/// that holds it; `inside NAME KIND` the number of the namespace that a program finds itself in; `clean` says what is left
/// of all names, and nothing if all is gone.
const BEFORE: &str = r#"
set -e
PATH=$1:/usr/sbin:/usr/bin:/sbin:/bin
cd "$2"
if [ $(id -u) = 0 ]; then
    for old in pin mnt; do umount -l /run/insula/names/$old 2>/dev/null || true; done
    mount -t tmpfs tmpfs /run
    STORE=/run/insula/names
else
    export XDG_RUNTIME_DIR=$2/run
    mkdir -p -m 700 "$XDG_RUNTIME_DIR"
    STORE=$XDG_RUNTIME_DIR/insula/names
fi
BEFORE=$(grep -c ' nsfs ' /proc/self/mountinfo || true)
set +e
holder() { sed -n 's/^holder\t\([0-9]*\)\t.*/\1/p' "$STORE/set/$1/record" | tail -n 1; }
inside() { insula ns exec "$1" -- readlink /proc/self/ns/$2 2>&1; }
holders() { for p in /proc/[0-9]*; do read -r n <$p/comm && [ "$n" = insula-hold ] && ! grep -q '^State:.Z' $p/status && echo "holder ${p#/proc/}"; done 2>/dev/null; }
settled() { i=0; while [ -n "$(holders)" ] && [ $i -lt 100 ]; do sleep 0.02; i=$((i + 1)); done; holders; }
clean() {
    settled
    find "$STORE/set" "$STORE/pin" "$STORE/mnt" -mindepth 1 2>/dev/null
    [ $(id -u) = 0 ] && ls -A /run/netns 2>/dev/null
    [ $(grep -c ' nsfs ' /proc/self/mountinfo) = $BEFORE ] || grep ' nsfs ' /proc/self/mountinfo
}
"#;

/// Makes of each test one by root, one by a root of a user namespace, and one by an ordinary user.
macro_rules! by_everyone {
    ($($test:ident),+ $(,)?) => {
        mod by_root {
            $(#[test] fn $test() { super::$test(&insula_proof::or_skip!(crate::room::Room::root())); })+
        }
        mod by_root_of_a_user_namespace {
            $(#[test] fn $test() { super::$test(&insula_proof::or_skip!(crate::room::Room::inner_root())); })+
        }
        mod by_a_user {
            $(#[test] fn $test() { super::$test(&insula_proof::or_skip!(crate::room::Room::user())); })+
        }
    };
}

/// Whose scripts they are.
pub struct Room {
    user: Option<Ordinary>,
    /// Root's rights are those over a user namespace.
    inner: bool,
    bin: Scratch,
}

/// What a script came to.
#[derive(Debug, PartialEq, Eq)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Room {
    pub fn root() -> Result<Room, String> {
        need::root()?;
        need::program("unshare")?;
        let bin = Scratch::new();
        symlink(proof::binary::path(), bin.join("insula")).expect("make a link");
        Ok(Room { user: None, inner: false, bin })
    }

    pub fn inner_root() -> Result<Room, String> {
        Ok(Room { inner: true, ..Room::user()? })
    }

    pub fn user() -> Result<Room, String> {
        need::user_namespaces()?;
        let user = Ordinary::new();
        let bin = Scratch::new();
        symlink(user.insula_path(), bin.join("insula")).expect("make a link");
        Ok(Room { user: Some(user), inner: false, bin })
    }

    /// Do mounts keep the names here?
    pub fn pins(&self) -> bool {
        self.user.is_none() || self.inner
    }

    /// Runs the script.
    pub fn run(&self, script: &str) -> Ended {
        let place = Scratch::new();
        let mut command = match &self.user {
            Some(user) => {
                user.own(&place);
                user.command("sh")
            }
            None => Command::new("sh"),
        };
        command.args(["-c", proof::ON_ONE_CPU, "sh", "unshare"]);
        match (&self.user, self.inner) {
            (Some(_), true) => drop(command.args(["--user", "--map-root-user"])),
            (Some(_), false) => drop(command.args(["--user", "--map-current-user"])),
            (None, _) => {}
        }
        command.args([
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
            "--propagation",
            "private",
        ]);
        command.args(["timeout", "120", "sh", "-c"]);
        command.arg(format!("{BEFORE}{script}")).arg("sh").arg(&*self.bin).arg(&*place);
        let output = command.stdin(Stdio::null()).output().expect("start unshare(1)");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// The script says this, and ends well.
    #[track_caller]
    pub fn says(&self, script: &str, expected: &str) -> Ended {
        let ended = self.run(script);
        assert_eq!((ended.out.as_str(), ended.code), (expected, Some(0)), "it said: {}", ended.err);
        ended
    }
}
