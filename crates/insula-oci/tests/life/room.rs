//! A bundle whose root has busybox, a state root, and an id that no other test has; all of it gone when the test ends.

use insula_proof::scratch::{Scratch, unique};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_insula-oci");
/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Room {
    pub scratch: Scratch,
    pub id: String,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ended {
    /// It ended well.
    #[track_caller]
    pub fn well(self) -> String {
        assert_eq!(self.code, Some(0), "{}{}", self.out, self.err);
        self.out
    }

    /// It was refused, with these words.
    #[track_caller]
    pub fn refused(&self, words: &str) {
        assert!(self.code.is_some_and(|code| code != 0), "{self:?}");
        assert!(self.err.contains(words), "`{words}` is not in:\n{}", self.err);
    }
}

impl Room {
    /// With `spec`'s configuration, as `change` leaves it.
    pub fn new(change: impl FnOnce(&mut Value)) -> Room {
        Room::with(&[], change)
    }

    /// The same with flags of `spec`.
    pub fn with(flags: &[&str], change: impl FnOnce(&mut Value)) -> Room {
        let scratch = Scratch::new();
        let rootfs = scratch.join("bundle/rootfs");
        for directory in ["bin", "dev", "proc", "sys", "tmp", "etc"] {
            fs::create_dir_all(rootfs.join(directory)).expect("make the root");
        }
        fs::copy("/bin/busybox", rootfs.join("bin/busybox")).expect("copy busybox");
        for applet in ["sh", "cat", "id", "sleep", "ls", "echo", "readlink", "true", "tty", "kill", "grep"] {
            symlink("busybox", rootfs.join("bin").join(applet)).expect("link an applet");
        }
        fs::write(rootfs.join("etc/passwd"), "root:x:0:0::/root:/bin/sh\nada:x:7:7::/home/ada:/bin/sh\n")
            .expect("write passwd");
        let room = Room { scratch, id: format!("insula-oci-{}", unique()) };
        let bundle = room.bundle();
        let made = Command::new(PROGRAM).arg("spec").args(flags).arg("--bundle").arg(&bundle).output();
        assert!(made.expect("run spec").status.success());
        let config = bundle.join("config.json");
        let mut spec: Value =
            serde_json::from_slice(&fs::read(&config).expect("read the config")).expect("parse the config");
        spec["process"]["terminal"] = json!(false);
        spec["root"]["readonly"] = json!(false);
        change(&mut spec);
        fs::write(&config, spec.to_string()).expect("write the config");
        room
    }

    /// One whose program is this.
    pub fn of(words: &[&str]) -> Room {
        Room::new(|spec| spec["process"]["args"] = json!(words))
    }

    pub fn bundle(&self) -> PathBuf {
        self.scratch.join("bundle")
    }

    pub fn state(&self) -> PathBuf {
        self.scratch.join("state")
    }

    /// The container's part of the state.
    pub fn directory(&self) -> PathBuf {
        self.state().join(&self.id)
    }

    /// The configuration.
    pub fn kept(&self) -> Value {
        serde_json::from_slice(&fs::read(self.bundle().join("config.json")).expect("read")).expect("parse")
    }

    pub fn change(&self, change: impl FnOnce(&mut Value)) {
        let config = self.bundle().join("config.json");
        let mut spec: Value = serde_json::from_slice(&fs::read(&config).expect("read")).expect("parse");
        change(&mut spec);
        fs::write(&config, spec.to_string()).expect("write the config");
    }

    /// `insula-oci --root STATE WORDS…`, in the bundle.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.arg("--root").arg(self.state()).args(words);
        command.current_dir(self.bundle()).stdin(Stdio::null());
        command
    }

    /// Runs it to its end. Its output goes to files: what it leaves running would hold a pipe open.
    pub fn run(&self, words: &[&str]) -> Ended {
        self.finish(self.command(words))
    }

    pub fn finish(&self, mut command: Command) -> Ended {
        self.try_finish(&mut command).expect("run insula-oci")
    }

    /// The same; the error is that of the beginning.
    pub fn try_finish(&self, command: &mut Command) -> std::io::Result<Ended> {
        let (out, err) = (self.scratch.join("out"), self.scratch.join("err"));
        let make = |path: &Path| fs::File::create(path).expect("make a file");
        let status = command.stdout(make(&out)).stderr(make(&err)).status()?;
        let text = |path: &Path| String::from_utf8_lossy(&fs::read(path).expect("read")).into_owned();
        Ok(Ended { code: status.code(), out: text(&out), err: text(&err) })
    }

    /// `VERB ID`.
    pub fn on(&self, verb: &str) -> Ended {
        self.run(&[verb, &self.id])
    }

    /// `state`'s answer.
    pub fn look(&self) -> Value {
        serde_json::from_str(&self.on("state").well()).expect("state prints JSON")
    }

    pub fn status(&self) -> String {
        self.look()["status"].as_str().expect("a status").to_owned()
    }

    pub fn pid(&self) -> i64 {
        self.look()["pid"].as_i64().expect("a pid")
    }

    /// Waits until it is so.
    #[track_caller]
    pub fn until(&self, what: &str, holds: impl Fn(&Room) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !holds(self) {
            assert!(Instant::now() < end, "{what}: not within {PATIENCE:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    #[track_caller]
    pub fn until_status(&self, status: &str) {
        self.until(status, |room| room.status() == status);
    }

    /// The directories of its control group.
    pub fn groups(&self) -> Vec<PathBuf> {
        groups_of(&self.id)
    }

    /// Nothing of the container is left.
    #[track_caller]
    pub fn nothing_is_left(&self) {
        assert!(!self.directory().exists(), "{} is left", self.directory().display());
        assert_eq!(self.groups(), Vec::<PathBuf>::new());
    }

    pub fn make_program_executable(&self) {
        let path = self.bundle().join("rootfs/bin/busybox");
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("make busybox executable");
    }
}

/// Directories of this name in each hierarchy.
pub fn groups_of(id: &str) -> Vec<PathBuf> {
    let hierarchies =
        fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten().map(|entry| entry.path());
    hierarchies
        .chain([PathBuf::from("/sys/fs/cgroup")])
        .map(|path| path.join(id))
        .filter(|path| path.is_dir())
        .collect()
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = self.command(&["delete", "--force", &self.id]).output();
    }
}
