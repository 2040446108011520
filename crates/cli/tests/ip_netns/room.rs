//! A place of a script's own: new mount and network namespaces with an empty /run and an /etc of their own, so that no test
//! sees another's names, and nothing is left on the machine.

use insula_proof::{self as proof, Ordinary, Scratch, id, need};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// What stands before each script: `ip` is the tool under test, `$REAL` iproute2's and `$OURS` insula's under the name ip;
/// `mounts` prints the lines of mountinfo that were not there before: the machine may have names of its own below.
const BEFORE: &str = r#"
set -e
mount -t tmpfs tmpfs /run
mkdir /run/etc /run/place
cp /etc/passwd /etc/group /run/etc/
echo machine >/run/etc/hosts
mount --bind /run/etc /etc
cd /run/place
sed 's/ .*/ /; s/^/^/' /proc/self/mountinfo >/run/before
mounts() {
    grep -v -f /run/before /proc/self/mountinfo || true
}
PATH=/usr/sbin:/usr/bin:/sbin:/bin
REAL=$(command -v ip || true)
OURS=$1/ip
PATH=$2$PATH
set +e
"#;

/// Makes of each test one by root, and one by an ordinary user who is root of a user namespace.
macro_rules! by_everyone {
    ($($test:ident),+ $(,)?) => {
        mod by_root {
            $(#[test] fn $test() { super::$test(&insula_proof::or_skip!(crate::room::Room::root())); })+
        }
        mod by_a_user {
            $(#[test] fn $test() { super::$test(&insula_proof::or_skip!(crate::room::Room::user())); })+
        }
    };
}

/// Whose scripts they are.
pub struct Room {
    user: Option<Ordinary>,
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
        link(&proof::binary::path(), &bin);
        Ok(Room { user: None, bin })
    }

    pub fn user() -> Result<Room, String> {
        need::user_namespaces()?;
        let user = Ordinary::new();
        let bin = Scratch::new();
        link(&user.insula_path(), &bin);
        if id::is_root() {
            user.own(&bin);
        }
        Ok(Room { user: Some(user), bin })
    }

    /// Is iproute2 here, to compare with?
    pub fn has_ip() -> bool {
        need::program("ip").is_ok()
    }

    /// The script, where `ip` is insula.
    pub fn ours(&self, script: &str) -> Ended {
        let bin = format!("{}:", self.bin.display());
        self.run(&bin, script)
    }

    /// The script, where `ip` is iproute2's.
    fn real(&self, script: &str) -> Ended {
        self.run("", script)
    }

    /// The script has the same output and the same exit code under both, and under ours that output.
    #[track_caller]
    pub fn alike(&self, script: &str, expected: &str) {
        let ours = self.ours(script);
        assert_eq!((ours.out.as_str(), ours.code), (expected, Some(0)), "insula said: {}", ours.err);
        if Room::has_ip() {
            let real = self.real(script);
            assert_eq!(ours.out, real.out, "ip said: {}\ninsula said: {}", real.err, ours.err);
        }
    }

    /// The same, where what is printed differs from time to time, but not from tool to tool.
    #[track_caller]
    pub fn agree(&self, script: &str) -> Ended {
        let ours = self.ours(script);
        if Room::has_ip() {
            let real = self.real(script);
            assert_eq!(
                (&ours.out, ours.code),
                (&real.out, real.code),
                "ip said: {}\ninsula said: {}",
                real.err,
                ours.err
            );
        }
        ours
    }

    fn run(&self, path: &str, script: &str) -> Ended {
        let mut command = match &self.user {
            Some(user) => user.command("unshare"),
            None => Command::new("unshare"),
        };
        if self.user.is_some() {
            command.args(["--user", "--map-root-user"]);
        }
        let seconds = insula_proof::patience(Duration::from_secs(60)).as_secs().to_string();
        command.args(["--mount", "--net", "--propagation", "private", "timeout", &seconds, "sh", "-c"]);
        command.arg(format!("{BEFORE}{script}")).arg("sh").arg(&*self.bin).arg(path);
        let output = command.stdin(Stdio::null()).output().expect("start unshare(1)");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// insula under the names that it answers to.
fn link(binary: &Path, bin: &Path) {
    for name in ["ip", "netns"] {
        symlink(binary, bin.join(name)).expect("make a link");
    }
}
