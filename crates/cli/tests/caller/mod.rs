//! Who calls insula: root, an ordinary user, and one with subordinate ids. And a call, which always has an end.

use std::io::Read;
use std::os::unix::fs::symlink;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};
use std::{fs, io};

use insula_proof::census::{Census, Mark};
use insula_proof::id::is_root;
use insula_proof::{Ordinary, Scratch, need, patience};

/// How long a call may take. Far more than any needs: a machine under load is no failure.
const PATIENCE: Duration = Duration::from_secs(20);

/// What may still be on its way out after a call has ended.
pub const EXITS: Duration = Duration::from_secs(3);

/// Makes of each test one by root, one by an ordinary user, and one by a user with subordinate ids.
macro_rules! by_everyone {
    ($($test:ident),+ $(,)?) => {
        mod by_root {
            $(#[test] fn $test() { super::$test(&insula_proof::or_skip!(crate::caller::Caller::root())); })+
        }
        mod by_a_user {
            $(#[test] fn $test() { super::$test(&insula_proof::or_skip!(crate::caller::Caller::user())); })+
        }
        mod by_a_user_with_subuids {
            $(#[test] fn $test() {
                super::$test(&insula_proof::or_skip!(crate::caller::Caller::user_with_subuids()));
            })+
        }
    };
}

/// One who calls, and whose calls all carry one mark.
pub struct Caller {
    user: Option<Ordinary>,
    home: Scratch,
    binary: PathBuf,
    mark: Mark,
}

impl Caller {
    pub fn root() -> Result<Caller, String> {
        need::root()?;
        Ok(Caller { user: None, home: Scratch::new(), binary: crate::binary(), mark: Mark::new() })
    }

    /// As root: without an account and without subordinate ids.
    pub fn user() -> Result<Caller, String> {
        need::user_namespaces()?;
        Ok(Caller::ordinary(Ordinary::new()))
    }

    pub fn user_with_subuids() -> Result<Caller, String> {
        need::user_namespaces()?;
        Ok(Caller::ordinary(Ordinary::with_subuids()?))
    }

    fn ordinary(user: Ordinary) -> Caller {
        let home = Scratch::new();
        user.own(&home);
        // Root's target directory may be closed to the user.
        let binary = if is_root() { home.join("insula") } else { crate::binary() };
        if is_root() && fs::hard_link(crate::binary(), &binary).is_err() {
            copy(&crate::binary(), &binary);
        }
        Caller { user: Some(user), home, binary, mark: Mark::new() }
    }

    pub fn is_root(&self) -> bool {
        self.user.is_none()
    }

    /// The uid on the host.
    pub fn uid(&self) -> u32 {
        self.user.as_ref().map_or(0, Ordinary::uid)
    }

    /// Whether more than one id is mapped in its containers.
    pub fn maps_ranges(&self) -> bool {
        let map = self.sh(&[], "cat /proc/self/uid_map");
        map.split_whitespace().skip(2).step_by(3).filter_map(|size| size.parse::<u64>().ok()).sum::<u64>() > 1
    }

    /// A directory that is the caller's, and its working directory.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Makes a file of the caller's, and returns its path.
    pub fn write(&self, name: &str, content: &str) -> String {
        let path = self.home.write(name, content);
        self.own(&path);
        path.to_str().expect("a path in UTF-8").to_owned()
    }

    /// Makes a directory of the caller's, and returns its path.
    pub fn directory(&self, name: &str) -> String {
        let path = self.home.join(name);
        fs::create_dir_all(&path).expect("make a directory");
        self.own(&path);
        path.to_str().expect("a path in UTF-8").to_owned()
    }

    fn own(&self, path: &Path) {
        if let Some(user) = &self.user {
            user.own(path);
        }
    }

    /// A directory of the caller's with busybox in it, to be a ROOT: no /proc, /dev, /sys or /etc as yet.
    pub fn busybox_root(&self) -> Result<String, String> {
        let busybox = ["/bin/busybox", "/usr/bin/busybox"].into_iter().find(|path| is_static(path));
        let busybox = busybox.ok_or("there is no static busybox")?;
        let root = self.home.join("root");
        let made = fs::create_dir_all(root.join("bin"))
            .map(|()| copy(Path::new(busybox), &root.join("bin/busybox")))
            .and_then(|()| {
                ["sh", "ls", "cat", "true", "id", "stat", "sleep"]
                    .iter()
                    .try_for_each(|name| symlink("busybox", root.join("bin").join(name)))
            });
        made.map_err(|error| format!("make a root of busybox: {error}"))?;
        self.own(&root);
        Ok(root.to_str().expect("a path in UTF-8").to_owned())
    }

    /// Any program as this caller, with its mark, without input.
    pub fn command(&self, program: &str) -> Command {
        let mut command = match &self.user {
            Some(user) => user.command(program),
            None => Command::new(program),
        };
        self.mark.on(command.current_dir(&*self.home).stdin(Stdio::null()));
        command
    }

    /// `insula WORDS…`.
    pub fn insula(&self, words: &[&str]) -> Command {
        let words = self.words(words);
        let mut command = self.command(&words[0]);
        command.args(&words[1..]);
        command
    }

    /// The same as words, for a program that executes them.
    pub fn words(&self, words: &[&str]) -> Vec<String> {
        let insula = self.binary.to_str().expect("a path in UTF-8");
        [&[insula], words].concat().into_iter().map(str::to_owned).collect()
    }

    /// `insula run FLAGS… -- sh -c SCRIPT`, which has to succeed; what it says.
    #[track_caller]
    pub fn sh(&self, flags: &[&str], script: &str) -> String {
        let words = [&["run"], flags, &["--", "sh", "-c", script]].concat();
        ended(&mut self.insula(&words)).said()
    }

    /// What is there now of the caller's: processes, namespaces and files; and the host's mounts.
    pub fn census(&self) -> Census {
        Census::take(&self.mark, &[&self.home])
    }

    /// `-e` and the mark, so that what is left of a container is known as this caller's.
    pub fn marked(&self) -> [String; 2] {
        let (name, value) = self.mark.variable();
        ["-e".to_owned(), format!("{name}={value}")]
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        // What a container has left may belong to a subordinate id, or be an overlay's directory of mode 0: a user can
        // remove it only as root of a container.
        if !is_root() {
            let home = self.home.to_str().unwrap_or_default();
            let (volume, clear) =
                (format!("{home}:/home-of-tests"), "cd /home-of-tests && rm -rf -- * 2>/dev/null");
            drop(self.insula(&["run", "-v", &volume, "-w", "/", "--", "sh", "-c", clear]).status());
        }
    }
}

/// Copies a program by cp(1): while this process writes one, a fork on another thread would keep it busy (ETXTBSY).
fn copy(from: &Path, to: &Path) {
    assert!(
        Command::new("cp").arg(from).arg(to).status().is_ok_and(|status| status.success()),
        "copy a program"
    );
}

/// An ELF file that asks for no loader: type 3 of its program headers is PT_INTERP, elf(5).
fn is_static(path: &str) -> bool {
    let Ok(bytes) = fs::read(path) else { return false };
    let headers = bytes.get(64..).unwrap_or_default().chunks(56).take_while(|header| header[0] != 0);
    bytes.starts_with(b"\x7fELF\x02") && !headers.into_iter().any(|header| header.starts_with(&[3, 0, 0, 0]))
}

/// How a call ended.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    pub out: String,
    pub err: String,
}

impl Ended {
    /// The exit code, as a shell has it: 128 and the signal where one ended it.
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or_else(|| 128 + self.status.signal().unwrap_or_default())
    }

    /// Its output, without the line's end; for a call that succeeds in silence.
    #[track_caller]
    pub fn said(self) -> String {
        assert_eq!((self.code(), self.err.as_str()), (0, ""), "it said: {}", self.out);
        self.out.trim_end().to_owned()
    }
}

/// Calls, and waits for the end, of the call and of its output.
#[track_caller]
pub fn ended(command: &mut Command) -> Ended {
    Started::new(command).ended()
}

/// A call that runs, and is killed when dropped.
pub struct Started {
    pub child: Child,
    out: Receiver<Vec<u8>>,
    err: Receiver<Vec<u8>>,
}

impl Started {
    /// Starts it, with pipes for its output.
    pub fn new(command: &mut Command) -> Started {
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("start the call");
        Started::of(child)
    }

    /// One that runs already; of what goes elsewhere than into pipes nothing is collected.
    pub fn of(mut child: Child) -> Started {
        let (out, err) = (collect(child.stdout.take()), collect(child.stderr.take()));
        Started { child, out, err }
    }

    /// Waits for its end.
    #[track_caller]
    pub fn ended(&mut self) -> Ended {
        let deadline = Instant::now() + patience(PATIENCE);
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("wait for the call") {
                break status;
            }
            assert!(Instant::now() < deadline, "after {:?} it still runs", patience(PATIENCE));
            thread::sleep(Duration::from_millis(1));
        };
        let text = |from: &Receiver<Vec<u8>>| {
            let bytes =
                from.recv_timeout(patience(EXITS)).expect("it ended, and something still holds its output");
            String::from_utf8_lossy(&bytes).into_owned()
        };
        Ended { status, out: text(&self.out), err: without_what_the_kernel_lacks(text(&self.err)) }
    }
}

/// What `run` warns root of where the kernel translates no ids in a tmpfs (before Linux 6.3): rightly.
const NOT_SHIFTED: &str = "insula: warning: ids are not shifted: a file system here cannot translate them; root inside \
                           is root's id outside\n";

/// The words without that warning, where the doctor says that it is due.
fn without_what_the_kernel_lacks(err: String) -> String {
    let is_due = err.contains(NOT_SHIFTED) && works("idmap-tmpfs").is_err();
    if is_due { err.replace(NOT_SHIFTED, "") } else { err }
}

/// Whether the doctor says that a facility of the kernel works here, for whoever runs the tests; else what he found.
pub fn works(key: &str) -> Result<(), String> {
    static REPORT: OnceLock<serde_json::Value> = OnceLock::new();
    let report = REPORT.get_or_init(|| {
        let asked =
            Command::new(crate::binary()).args(["doctor", "--json"]).output().expect("start the doctor");
        serde_json::from_slice(&asked.stdout).expect("JSON")
    });
    let checks = report["checks"].as_array().expect("checks");
    let check = checks.iter().find(|check| check["key"] == key).unwrap_or_else(|| panic!("no check {key}"));
    need::that(check["state"] == "works", check["found"].as_str().unwrap_or("it does not work here"))
}

impl Drop for Started {
    fn drop(&mut self) {
        // ESRCH or EINVAL: it has ended, which is what is wanted.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Reads to the end, on the side.
fn collect(from: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let read: io::Result<usize> = from.map_or(Ok(0), |mut from| from.read_to_end(&mut bytes));
        // Nobody waits for the output of a call that was dropped.
        drop(read.map(|_| sender.send(bytes)));
    });
    receiver
}
