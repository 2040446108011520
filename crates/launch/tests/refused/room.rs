//! Where an attempt is made: a mount namespace with a tmpfs of the test's own, as root or in a user namespace.

use crate::attempt::{MARK, WORDS};
use insula_proof::Scratch;
use std::process::Command;

/// The room: a directory that is a tmpfs inside.
#[derive(Debug)]
pub struct Room {
    place: Scratch,
    in_user_namespace: bool,
    extra: Vec<&'static str>,
    in_chroot: bool,
    without: Option<&'static str>,
}

/// A root that is no mount point itself, made of the machine's own directories.
const CHROOT: &str = "mkdir root; for d in /*; do n=root/${d#/}; if [ -L $d ]; then cp -d $d root/; \
                      elif [ -d $d ]; then mkdir $n; mount --rbind $d $n; fi; done";

/// What was told.
#[derive(Debug)]
pub struct Told {
    /// The key of the cause, or what stands in its place.
    pub key: String,
    /// The cause.
    pub cause: String,
    /// The cure.
    pub cure: String,
}

impl Room {
    /// As root of the machine.
    pub fn of_root() -> Room {
        Room {
            place: Scratch::new(),
            in_user_namespace: false,
            extra: Vec::new(),
            in_chroot: false,
            without: None,
        }
    }

    /// As root of a user namespace, whoever runs the test.
    pub fn of_user() -> Room {
        Room {
            place: Scratch::new(),
            in_user_namespace: true,
            extra: Vec::new(),
            in_chroot: false,
            without: None,
        }
    }

    /// In a chroot, whose root is no mount point.
    pub fn in_chroot(self) -> Room {
        Room { in_chroot: true, ..self }
    }

    /// Without these capabilities, separated by commas, as setpriv(1) names them.
    pub fn without(self, capabilities: &'static str) -> Room {
        Room { without: Some(capabilities), ..self }
    }

    /// With more flags of unshare(1).
    pub fn with(mut self, flags: &[&'static str]) -> Room {
        self.extra.extend(flags);
        self
    }

    /// Runs `outside` in a mount namespace of root's (or of a user namespace's), then, if `inside` is not empty, that in
    /// a user namespace below, whose mounts are locked; then makes the attempt. `$T` is the directory.
    pub fn tries(&self, outside: &str, inside: Option<&str>, attempt: &str) -> Told {
        let program = std::env::current_exe().expect("this test's own program");
        let place = self.place.display();
        let (before, through) = if self.in_chroot { (CHROOT, "chroot root") } else { ("true", "") };
        let fewer = self.without.map_or_else(String::new, |names| {
            let list: Vec<String> = names.split(',').map(|name| format!("-{name}")).collect();
            format!("setpriv --bounding-set {0} --inh-caps {0}", list.join(","))
        });
        let run = format!(
            "exec {fewer} {through} '{}' --exact attempt::attempt --nocapture --test-threads=1",
            program.display()
        );
        let after = match inside {
            None => run,
            Some(inside) => {
                let inside = format!("set -e; {inside}; {run}");
                format!(
                    "INSIDE=\"{}\" exec unshare --user --map-root-user --mount --propagation unchanged {} sh -c 'eval \"$INSIDE\"'",
                    inside.replace('"', "\\\"").replace('$', "\\$"),
                    self.extra.join(" ")
                )
            }
        };
        let script = format!(
            "set -e; T='{place}'; export T; mount -t tmpfs none \"$T\"; cd \"$T\"; {before}; {outside}; {after}"
        );
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private"]);
        if inside.is_none() {
            command.args(&self.extra);
        }
        if self.in_user_namespace {
            command.args(["--user", "--map-root-user"]);
        }
        let attempt = attempt.replace("$T", &self.place.display().to_string());
        let output =
            command.args(["sh", "-c", &script]).env(WORDS, attempt).output().expect("start unshare(1)");
        let text = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        let Some(line) = text.lines().find_map(|line| line.strip_prefix(MARK)) else {
            panic!("nothing was told: {text}{errors}");
        };
        let mut parts = line.splitn(3, " | ").map(str::to_owned);
        let mut next = || parts.next().unwrap_or_default();
        let place = format!("{place}");
        Told { key: next(), cause: next().replace(&place, "$T"), cure: next().replace(&place, "$T") }
    }
}

impl Told {
    /// The cause has this key and this sentence, and these words are in the cure.
    pub fn is(&self, key: &str, cause: &str, cure: &str) {
        assert_eq!((self.key.as_str(), self.cause.as_str()), (key, cause));
        assert!(self.cure.contains(cure), "{self:?}: no `{cure}` in the cure");
    }

    /// It was not refused.
    pub fn is_done(&self) {
        assert_eq!(self.key, "done", "{self:?}");
    }
}
