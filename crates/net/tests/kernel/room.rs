//! A network namespace of a test's own. The test runs again inside of it, in a process of its own: as root with root's
//! capabilities, as an ordinary user with those over a user namespace of its own.

use insula_net::network::Network;
use insula_proof::{self as proof, Ordinary, need};
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags, open};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Set in the process that is inside.
const INSIDE: &str = "INSULA_NET_INSIDE";

/// Makes of each test one in a namespace of root's and one in a namespace of an ordinary user's.
macro_rules! by_everyone {
    ($($test:ident),+ $(,)?) => {
        mod by_root {
            $(#[test] fn $test() {
                // Inside nothing is needed any more: what is not there is a failure.
                if crate::room::is_inside() {
                    return super::$test();
                }
                insula_proof::need!(root, program "unshare");
                crate::room::inside(None, std::any::type_name_of_val(&$test));
            })+
        }
        mod by_a_user {
            $(#[test] fn $test() {
                if crate::room::is_inside() {
                    return super::$test();
                }
                insula_proof::need!(user_namespaces);
                let user = insula_proof::Ordinary::new();
                crate::room::inside(Some(&user), std::any::type_name_of_val(&$test));
            })+
        }
    };
}

/// Is this the process that is inside?
pub fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// Runs the test again, inside.
#[track_caller]
pub fn inside(user: Option<&Ordinary>, test: &str) {
    // The name begins with that of the crate, which libtest leaves out.
    let name = test.split_once("::").map_or(test, |(_, name)| name);
    let own = std::env::current_exe().expect("the path of this test");
    let mut unshare = match user {
        None => Command::new("unshare"),
        Some(user) => user.command("unshare"),
    };
    let binary = match user {
        Some(user) if need::root().is_ok() => copy(&own, user),
        _ => own,
    };
    if user.is_some() {
        unshare.args(["--user", "--map-root-user"]);
    }
    unshare.args(["--net", "--"]).arg(binary).args([name, "--exact", "--nocapture"]).env(INSIDE, "1");
    let output = unshare.stdin(Stdio::null()).output().expect("start unshare(1)");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let ran = output.status.success() && out.contains("1 passed") && !out.contains("skipped: ");
    assert!(ran, "inside:\n{out}{err}");
}

/// Root's target directory may be closed to the user.
fn copy(own: &Path, user: &Ordinary) -> std::path::PathBuf {
    let to = user.home().join("test");
    let copied = Command::new("cp").arg(own).arg(&to).status().is_ok_and(|status| status.success());
    assert!(copied, "copy the test");
    to
}

/// This thread's network namespace.
pub fn here() -> Network {
    Network::here("the test's network namespace").expect("open the namespace that we are in")
}

/// A process that holds another network namespace.
pub struct Other(Child);

impl Other {
    pub fn new() -> Other {
        let mut command = Command::new("unshare");
        command.args(["--net", "--", "sleep", "60"]).stdin(Stdio::null());
        let other = Other(command.spawn().expect("start unshare(1)"));
        let own = std::fs::read_link("/proc/thread-self/ns/net").expect("our namespace");
        let deadline = Instant::now() + insula_proof::patience(Duration::from_secs(10));
        while std::fs::read_link(other.path()).is_ok_and(|link| link == own) || !other.sleeps() {
            assert!(Instant::now() < deadline, "no namespace was made");
            std::thread::sleep(Duration::from_millis(1));
        }
        other
    }

    fn sleeps(&self) -> bool {
        std::fs::read_to_string(format!("/proc/{}/comm", self.0.id())).is_ok_and(|comm| comm == "sleep\n")
    }

    pub fn path(&self) -> String {
        format!("/proc/{}/ns/net", self.0.id())
    }

    pub fn file(&self) -> OwnedFd {
        open(self.path(), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).expect("open the namespace")
    }

    /// Enters it, on this thread, for a socket in it.
    pub fn enter(&self) -> Network {
        Network::enter(self.file(), "the other network namespace").expect("enter the namespace")
    }

    /// Sets a kernel parameter there; in a user namespace's network namespace its root may.
    pub fn sysctl(&self, path: &str, value: &str) {
        let script = format!("echo {value} > /proc/sys/{path}");
        said(Command::new("nsenter").arg(format!("--net={}", self.path())).args(["sh", "-c", &script]));
    }

    /// What `ip` says there.
    pub fn ip(&self, words: &[&str]) -> String {
        let mut nsenter = Command::new("nsenter");
        nsenter.arg(format!("--net={}", self.path())).arg("ip").args(words);
        said(&mut nsenter)
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// What `ip` says here.
pub fn ip(words: &[&str]) -> String {
    said(Command::new("ip").args(words))
}

/// Is ip(8) here, to compare with?
pub fn has_ip() -> bool {
    proof::need::program("ip").is_ok()
}

fn said(command: &mut Command) -> String {
    let output = command.output().expect("start the command");
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {err}");
    String::from_utf8(output.stdout).expect("UTF-8")
}
