//! Our own program's file against a container that lies in wait for it (CVE-2019-5736, CVE-2016-9962): while processes join
//! it again and again, one in it opens every `/proc/PID/exe` that it gets and tries to open it for writing then and later.
//!
//! Every attack is made twice: on the program as it is, where it has to fail, and on one that is exposed on purpose
//! (`INSULA_EXPOSED`, debug builds), where it has to succeed: else it would be the attack that is broken.

use crate::room::{PROGRAM, Room};
use insula_proof::need;
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often somebody joins. Of the exposed ones a few are enough.
const ROUNDS: usize = 60;
const ROUNDS_EXPOSED: usize = 600;

/// The attacker's own life, in the container: until /tmp/stop is there it collects executables. What it does not know it
/// writes to /tmp/seen, what it could open for writing to /tmp/written.
#[test]
fn attacker() {
    if std::env::var_os("INSULA_ATTACKS").is_none() {
        return;
    }
    let mut held: HashMap<(u64, u64), OwnedFd> = HashMap::new();
    let known = [own("/proc/self/exe"), own("/bin/busybox")];
    // Who comes next has one of the next numbers.
    let mut newest = std::process::id();
    fs::write("/tmp/ready", "").expect("say that it begins");
    while !Path::new("/tmp/stop").exists() {
        let first = newest;
        for pid in first..first + 8 {
            let path = format!("/proc/{pid}/exe");
            let file = match open(path.as_str(), OFlags::PATH | OFlags::CLOEXEC, Mode::empty()) {
                Ok(file) => file,
                Err(errno) => {
                    newest = if errno == Errno::ACCESS { pid } else { newest };
                    continue;
                }
            };
            newest = pid;
            let Ok(stat) = rustix::fs::fstat(&file) else { continue };
            let identity = (stat.st_dev, stat.st_ino);
            let held_as = format!("/proc/self/fd/{}", file.as_raw_fd());
            let name = fs::read_link(&held_as).unwrap_or_default().into_os_string().into_encoded_bytes();
            if !known.contains(&Some(identity)) && !name.starts_with(b"/memfd:insula-init") {
                fs::write("/tmp/seen", name).expect("tell");
                // The newest: the same file may come by another mount.
                held.insert(identity, file);
            }
        }
        for file in held.values() {
            let path = format!("/proc/self/fd/{}", file.as_raw_fd());
            if open(path.as_str(), OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty()).is_ok() {
                fs::write("/tmp/written", path).expect("tell");
            }
        }
    }
}

fn own(path: &str) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

/// A container with an attacker in it, and a program of ours that nobody else executes.
struct Siege {
    room: Room,
    program: PathBuf,
    bytes: Vec<u8>,
}

impl Siege {
    fn new(traces: bool) -> Siege {
        let attacker = std::env::current_exe().expect("this test");
        let room = Room::new(|spec| {
            let words = ["/attacker", "--exact", "shield::attacker", "--nocapture"];
            spec["process"]["args"] = json!(words);
            spec["process"]["env"] = json!(["PATH=/bin", "INSULA_ATTACKS=1"]);
            let bound = |from: &str, to: &str| json!({ "destination": to, "source": from, "type": "bind", "options": ["rbind", "ro"] });
            let mounts = spec["mounts"].as_array_mut().expect("mounts");
            mounts.push(bound(attacker.to_str().expect("UTF-8"), "/attacker"));
            for directory in ["/lib", "/lib64", "/usr/lib"].iter().filter(|path| Path::new(path).exists()) {
                mounts.push(bound(directory, directory));
            }
            if traces {
                may_trace(spec);
            }
        });
        let program = room.scratch.join("our-program");
        fs::copy(PROGRAM, &program).expect("copy the program");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("make it executable");
        let bytes = fs::read(&program).expect("read the program");
        room.run(&["run", "-d", &room.id]).well();
        room.until("the attacker begins", |_| room.bundle().join("rootfs/tmp/ready").exists());
        Siege { room, program, bytes }
    }

    /// What the attacker has come to.
    fn told(&self, what: &str) -> Option<String> {
        fs::read_to_string(self.room.bundle().join("rootfs/tmp").join(what)).ok()
    }

    /// Runs it with our program that is exposed so.
    fn ours(&self, exposed: &str, words: &[&str]) -> crate::room::Ended {
        let mut command = std::process::Command::new(&self.program);
        command.arg("--root").arg(self.room.state()).args(words).env("INSULA_EXPOSED", exposed);
        command.current_dir(self.room.bundle()).stdin(std::process::Stdio::null());
        // While the attacker has an exposed file open for writing, it cannot be executed.
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            match self.room.try_finish(&mut command) {
                Ok(ended) => return ended,
                Err(error) => {
                    assert_eq!(error.kind(), std::io::ErrorKind::ExecutableFileBusy, "{error}");
                    assert!(Instant::now() < end, "the attacker does not let go");
                }
            }
        }
    }

    /// Has somebody join until the attacker has come to this, or for all rounds.
    fn joins_until(&self, what: &str, rounds: usize, join: impl Fn(&Siege, usize)) -> bool {
        (0..rounds).any(|round| {
            join(self, round);
            self.told(what).is_some()
        }) || self.waits_for(what)
    }

    fn waits_for(&self, what: &str) -> bool {
        let end = Instant::now() + Duration::from_millis(300);
        while Instant::now() < end {
            if self.told(what).is_some() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }

    #[track_caller]
    fn holds(&self) {
        assert_eq!(self.told("written"), None, "seen: {:?}", self.told("seen"));
        assert!(self.bytes == fs::read(&self.program).expect("read the program"), "our program is another");
    }
}

fn may_trace(spec: &mut Value) {
    for set in ["bounding", "effective", "permitted"] {
        spec["process"]["capabilities"][set].as_array_mut().expect("a set").push(json!("CAP_SYS_PTRACE"));
    }
}

fn exec(exposed: &'static str) -> impl Fn(&Siege, usize) {
    move |siege, _| {
        siege.ours(exposed, &["exec", &siege.room.id, "true"]).well();
    }
}

#[test]
fn who_joins_is_not_even_seen() {
    need!(root, program "busybox");
    let siege = Siege::new(false);
    // The file is left in reach, so that it is hiding alone that keeps it.
    assert!(!siege.joins_until("seen", ROUNDS, exec("file")), "{:?}", siege.told("seen"));
    siege.holds();
    assert!(siege.joins_until("written", ROUNDS_EXPOSED, exec("process,file")), "the attack does nothing");
}

#[test]
fn who_may_trace_sees_a_file_that_nobody_can_write() {
    need!(root, program "busybox");
    let siege = Siege::new(true);
    assert!(siege.joins_until("seen", ROUNDS_EXPOSED, exec("")), "who may trace sees it");
    siege.joins_until("written", ROUNDS, exec("process"));
    siege.holds();
    assert!(siege.joins_until("written", ROUNDS_EXPOSED, exec("file")), "the attack does nothing");
}

/// A second container in the pid namespace of the first, by `run`, and by `create` and `start`.
fn neighbour(exposed: &'static str) -> impl Fn(&Siege, usize) {
    move |siege, round| {
        let id = format!("{}-{round}", siege.room.id);
        let config = siege.room.bundle().join("config.json");
        let mut spec: Value = serde_json::from_slice(&fs::read(config).expect("read")).expect("JSON");
        spec["process"]["args"] = json!(["true"]);
        let pids = format!("/proc/{}/ns/pid", siege.room.pid());
        let namespaces = spec["linux"]["namespaces"].as_array_mut().expect("namespaces");
        namespaces.iter_mut().filter(|one| one["type"] == "pid").for_each(|one| one["path"] = json!(pids));
        let file = siege.room.scratch.write("neighbour.json", spec.to_string());
        let file = file.to_str().expect("UTF-8");
        if round % 2 == 0 {
            siege.ours(exposed, &["run", "-f", file, &id]).well();
        } else {
            siege.ours(exposed, &["create", "-f", file, &id]).well();
            siege.ours(exposed, &["start", &id]).well();
            siege.ours(exposed, &["delete", "--force", &id]).well();
        }
    }
}

#[test]
fn a_container_that_shares_a_pid_namespace_gives_nothing_away() {
    need!(root, program "busybox");
    let siege = Siege::new(false);
    assert!(!siege.joins_until("seen", ROUNDS, neighbour("file")), "{:?}", siege.told("seen"));
    siege.holds();
    assert!(
        siege.joins_until("written", ROUNDS_EXPOSED, neighbour("process,file")),
        "the attack does nothing"
    );
    let siege = Siege::new(true);
    siege.joins_until("written", ROUNDS, neighbour("process"));
    siege.holds();
    assert!(siege.joins_until("written", ROUNDS_EXPOSED, neighbour("file")), "the attack does nothing");
}

#[test]
fn a_program_that_is_its_own_executable_is_never_ours() {
    need!(root, program "busybox");
    let siege = Siege::new(false);
    let rootfs = siege.room.bundle().join("rootfs");
    let script = |name: &str, line: &str| {
        fs::write(rootfs.join(name), line).expect("write a script");
        fs::set_permissions(rootfs.join(name), fs::Permissions::from_mode(0o755))
            .expect("make it executable");
    };
    script("turn", "#!/proc/self/exe --version\n");
    script("again", "#!/turn\n");
    symlink("/proc/self/exe", rootfs.join("link")).expect("make a link");
    script("by-link", "#!/link --version\n");
    for program in ["/turn", "/again", "/link", "/by-link", "/proc/self/exe"] {
        for words in [&["exec", &siege.room.id, program, "--version"][..], &["exec", &siege.room.id, program]]
        {
            let ended = siege.ours("", words);
            assert!(!ended.out.contains("insula"), "{program}: {}", ended.out);
            assert_ne!(ended.code, Some(0), "{program}");
        }
        let id = format!("{}-own", siege.room.id);
        siege.room.change(|spec| spec["process"]["args"] = json!([program, "--version"]));
        let ended = siege.ours("", &["run", &id]);
        assert!(!ended.out.contains("insula") && ended.code != Some(0), "{program}: {ended:?}");
    }
    siege.holds();
}

/// What is told of a process of the container by another command is its name and its words, as ever.
#[test]
fn a_program_that_was_executed_again_has_its_words_and_its_environment() {
    need!(root, program "busybox");
    let room = Room::of(&["sleep", "1000"]);
    room.run(&["run", "-d", &room.id]).well();
    let mut command = room.command(&["exec", "--process", "/dev/stdin", &room.id]);
    let file = room.scratch.write(
        "process.json",
        json!({ "args": ["echo", "a  b", ""], "cwd": "/", "user": { "uid": 0, "gid": 0 } }).to_string(),
    );
    command.stdin(fs::File::open(file).expect("open"));
    assert_eq!(room.finish(command).well(), "a  b \n", "nothing of standard input was taken before");
}
