//! An engine in namespaces of its own, and what it says to each action.

use crate::actions::{ACTIONS, ALLOWED};
use insula_proof::scratch::Scratch;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// An engine with the command line of docker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Podman,
    Docker,
}

/// The limits that podman sets by itself, and this machine's root may not raise.
const ULIMITS: &str = "--ulimit nofile=1024:1024 --ulimit nproc=1000:1000";

/// What an action came to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Answer {
    out: String,
    code: String,
    has_err: bool,
}

impl Engine {
    /// Does all actions with both runtimes, and compares.
    pub fn compare(self) {
        let theirs = self.answers("runc");
        let ours = self.answers(env!("CARGO_BIN_EXE_insula-oci"));
        let mut differences = String::new();
        for (name, _) in ACTIONS {
            let (theirs, ours) = (theirs.get(*name), ours.get(*name));
            let is_allowed = ALLOWED.iter().any(|(known, _)| known == name);
            let (Some(theirs), Some(ours)) = (theirs, ours) else {
                let _ = writeln!(differences, "{name}: not done: {theirs:?} {ours:?}");
                continue;
            };
            let same = theirs.code == ours.code
                && (is_allowed || (&theirs.out, theirs.has_err) == (&ours.out, ours.has_err));
            if !same {
                let _ = writeln!(differences, "{name}:\n  runc: {theirs:?}\n  ours: {ours:?}");
            }
        }
        assert!(differences.is_empty(), "{self:?}\n{differences}");
        assert!(theirs.len() >= 25, "{} actions", theirs.len());
    }

    fn answers(self, runtime: &str) -> BTreeMap<String, Answer> {
        let scratch = Scratch::new();
        let out = scratch.join("answers");
        fs::create_dir(&out).expect("make a directory");
        image(&scratch);
        let script = scratch.write("script", self.script(&scratch, &out));
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
        ACTIONS
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
    fn script(self, scratch: &Path, out: &Path) -> String {
        let here = scratch.display();
        let mut script = format!(
            "set -u\nR=$1\nmount --make-rprivate /\nip link set lo up\nmount -t tmpfs t /run\nmkdir -p /run/lock {here}/data\n\
             mount -t tmpfs t {here}/data\nmkdir {here}/data/d; echo of the host > {here}/data/d/file; D={here}/data/d\n"
        );
        script.push_str(&match self {
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
                 --exec-root /run/docker --iptables=false --bridge=none -H unix:///run/docker.sock > {here}/dockerd.log 2>&1 &\n\
                 export DOCKER_HOST=unix:///run/docker.sock\nC=docker\nULIMITS=''\n\
                 n=0; until docker version > /dev/null 2>&1; do n=$((n+1)); test $n -lt 300 || exit 1; sleep 0.1; done\n"
            ),
        });
        let _ = write!(
            script,
            "$C import {here}/image.tar busy > /dev/null 2>&1 || exit 1\nI=busy\n\
             OPTIONS=\"--network none --security-opt seccomp=unconfined $ULIMITS\"\nRUN=\"$C run --rm $OPTIONS\"\n"
        );
        for (name, action) in ACTIONS {
            let file = format!("'{}/{name}'", out.display());
            let _ = writeln!(
                script,
                "( {action} ) > {file}.out 2> {file}.err < /dev/null; echo $? > {file}.code"
            );
        }
        script
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
    let script = "mkdir -p root/bin root/etc root/tmp root/proc root/sys root/dev && cp /bin/busybox root/bin/ && \
                  for a in $(busybox --list); do test $a = busybox || ln -s busybox root/bin/$a; done; \
                  echo root:x:0:0::/root:/bin/sh > root/etc/passwd; tar -C root -cf image.tar .";
    let status = Command::new("sh").args(["-ec", script]).current_dir(scratch).status();
    assert!(status.expect("run sh").success());
}
