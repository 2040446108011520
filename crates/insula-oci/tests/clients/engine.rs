//! An engine in namespaces of its own, and what it says to each action.

use crate::parent::Parent;
use crate::{containerd, docker};
use insula_proof::scratch::Scratch;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// An engine that is driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Podman,
    Docker,
    Containerd,
}

/// Names, and what belongs to them.
type Table = &'static [(&'static str, &'static str)];

/// The limits that podman sets by itself, and this machine's root may not raise.
const ULIMITS: &str = "--ulimit nofile=1024:1024 --ulimit nproc=1000:1000";

/// How often actions that differ are done before they count as different.
const TRIES: u32 = 3;

/// What an action may take at most, in seconds.
const LONGEST_S: u32 = 60;

/// What an action came to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Answer {
    out: String,
    code: String,
    has_err: bool,
}

impl Engine {
    /// What is done with it, and what of that may differ.
    fn tables(self) -> (Table, Table) {
        match self {
            Engine::Podman | Engine::Docker => (docker::ACTIONS, docker::ALLOWED),
            Engine::Containerd => (containerd::ACTIONS, containerd::ALLOWED),
        }
    }

    /// Does all actions with both runtimes, and compares. What differs is done again: a busy machine loses what a program
    /// wrote just before its end (ctr cancels its copying when it learns of the end), with either runtime.
    pub fn compare(self) {
        let mut differences = self.differences();
        for _ in 1..TRIES {
            if !differences.is_empty() {
                let again = self.differences();
                differences.retain(|name, _| again.contains_key(name));
            }
        }
        let told: String = differences.values().map(String::as_str).collect();
        assert!(differences.is_empty(), "{self:?}\n{told}");
        assert!(self.tables().0.len() >= 25);
    }

    /// The actions that differ, and how.
    fn differences(self) -> BTreeMap<&'static str, String> {
        let theirs = self.answers("runc");
        let ours = self.answers(env!("CARGO_BIN_EXE_insula-oci"));
        let (actions, allowed) = self.tables();
        let mut differences = BTreeMap::new();
        for (name, _) in actions {
            let (theirs, ours) = (theirs.get(*name), ours.get(*name));
            let is_allowed = allowed.iter().any(|(known, _)| known == name);
            let (Some(theirs), Some(ours)) = (theirs, ours) else {
                differences.insert(*name, format!("{name}: not done: {theirs:?} {ours:?}\n"));
                continue;
            };
            let same = theirs.code == ours.code
                && (is_allowed || (&theirs.out, theirs.has_err) == (&ours.out, ours.has_err));
            if !same {
                differences.insert(*name, format!("{name}:\n  runc: {theirs:?}\n  ours: {ours:?}\n"));
            }
        }
        differences
    }

    fn answers(self, runtime: &str) -> BTreeMap<String, Answer> {
        let scratch = Scratch::new();
        let parent = Parent::of(&scratch);
        let out = scratch.join("answers");
        fs::create_dir(&out).expect("make a directory");
        image(&scratch);
        let script = scratch.write("script", self.script(&scratch, &out, &parent));
        let log = fs::File::create(scratch.join("log")).expect("make a file");
        let status = Command::new("unshare")
            .args(["--mount", "--pid", "--net", "--fork", "--mount-proc", "--kill-child", "sh"])
            .arg(&script)
            .arg(which(runtime))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("share the file"))
            .stderr(log)
            .status();
        assert!(status.expect("run unshare").success(), "{}", text(&scratch.join("log")));
        self.tables()
            .0
            .iter()
            .filter_map(|(name, _)| {
                let file = |what: &str| out.join(format!("{name}.{what}"));
                let code = fs::read_to_string(file("code")).ok()?;
                let has_err = !text(&file("err")).trim().is_empty();
                Some(((*name).to_owned(), Answer { out: text(&file("out")), code, has_err }))
            })
            .collect()
    }

    /// The engine's beginning, then each action with its output in files of its own.
    fn script(self, scratch: &Path, out: &Path, parent: &Parent) -> String {
        let here = scratch.display();
        let mut script = format!(
            "set -u\nR=$1\nPARENT={}\nW= OPTIONS= ULIMITS=\nmount --make-rprivate /\nip link set lo up\nmount -t tmpfs t /run\n\
             mkdir -p /run/lock {here}/data\nmount -t tmpfs t {here}/data\n\
             mkdir {here}/data/d; echo of the host > {here}/data/d/file; D={here}/data/d\n",
            parent.name()
        );
        script.push_str(&self.begin(scratch));
        script.push_str("export R PARENT D W C I RUN OPTIONS ULIMITS\n");
        for (name, action) in self.tables().0 {
            fs::write(out.join(format!("{name}.sh")), action).expect("write an action");
            let file = format!("'{}/{name}'", out.display());
            // One that hangs ends with the code of timeout(1).
            let _ = writeln!(
                script,
                "timeout {LONGEST_S} sh {file}.sh > {file}.out 2> {file}.err < /dev/null; echo $? > {file}.code"
            );
        }
        script
    }

    /// Starts the engine, brings the image in, and names what the actions use.
    fn begin(self, scratch: &Path) -> String {
        let here = scratch.display();
        let start = match self {
            Engine::Podman => format!(
                "mkdir -p /run/containers {here}/data/store\n\
                 printf '[storage]\\ndriver=\"vfs\"\\nrunroot=\"/run/containers\"\\ngraphroot=\"{here}/data/store\"\\n' > {here}/data/storage.conf\n\
                 export CONTAINERS_STORAGE_CONF={here}/data/storage.conf\n\
                 C=\"podman --runtime $R --cgroup-manager cgroupfs --events-backend file\"\n\
                 ULIMITS='{ULIMITS}'\n"
            ),
            Engine::Docker => format!(
                "mkdir {here}/data/docker\n\
                 dockerd --add-runtime ours=$R --default-runtime ours --storage-driver overlay2 --data-root {here}/data/docker \
                 --cgroup-parent /$PARENT --exec-root /run/docker --iptables=false --bridge=none -H unix:///run/docker.sock \
                 > {here}/dockerd.log 2>&1 &\n\
                 export DOCKER_HOST=unix:///run/docker.sock\nC=docker\nULIMITS=''\n\
                 n=0; until docker version > /dev/null 2>&1; do n=$((n+1)); test $n -lt 300 || exit 1; sleep 0.1; done\n"
            ),
            // A namespace of containerd's is the control group of what is in it.
            Engine::Containerd => format!(
                "mkdir {here}/data/root\n\
                 printf 'version = 2\\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\\nroot = \"{here}/data/root\"\\n' > {here}/data/config.toml\n\
                 containerd --config {here}/data/config.toml > {here}/containerd.log 2>&1 &\n\
                 C=\"ctr -n $PARENT\"\nW=$D\n\
                 n=0; until $C version > /dev/null 2>&1; do n=$((n+1)); test $n -lt 300 || exit 1; sleep 0.1; done\n\
                 $C image import {here}/archive.tar || exit 1\nI=docker.io/library/busy:latest\n\
                 RUN=\"$C run --rm --runc-binary $R\"\n"
            ),
        };
        match self {
            Engine::Containerd => start,
            Engine::Podman | Engine::Docker => format!(
                "{start}$C import {here}/image.tar busy > /dev/null 2>&1 || exit 1\nI=busy\n\
                 OPTIONS=\"--cgroup-parent /$PARENT --network none --security-opt seccomp=unconfined $ULIMITS\"\n\
                 RUN=\"$C run --rm $OPTIONS\"\n"
            ),
        }
    }
}

fn which(runtime: &str) -> String {
    let found = Command::new("sh").args(["-c", "command -v \"$0\"", runtime]).output().expect("run sh");
    String::from_utf8_lossy(&found.stdout).trim().to_owned()
}

fn text(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

/// An image of busybox alone.
fn image(scratch: &Path) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/image.sh");
    assert!(Command::new("sh").arg(script).arg(scratch).status().expect("run sh").success());
}
