//! A cgroup that a container may rule.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use insula_proof::{Scratch, need};

/// How long the last process of a cgroup may need to be reaped.
const SOON: Duration = Duration::from_secs(10);

/// A cgroup that the container may rule: of the test's making, as nothing in insula makes one yet.
pub struct Delegated(PathBuf);

impl Delegated {
    pub fn new() -> Delegated {
        let mount = need::cgroup2_mount().expect("cgroup2 is mounted");
        let word = Scratch::new().file_name().expect("a name").to_owned();
        let cgroup = Delegated(mount.join(word));
        fs::create_dir(&cgroup.0).expect("make a cgroup");
        // For all, as the ids of a container are not known before its birth. cgroups(7), "Delegation".
        fs::set_permissions(&cgroup.0, Permissions::from_mode(0o777)).expect("open the cgroup");
        for file in ["cgroup.procs", "cgroup.threads", "cgroup.subtree_control"] {
            fs::set_permissions(cgroup.0.join(file), Permissions::from_mode(0o666)).expect("open the cgroup");
        }
        cgroup
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The command, started inside, so that the root of its cgroup namespace is here.
    pub fn inside(&self, command: &Command) -> Command {
        let mut inside = Command::new("sh");
        inside.args(["-ec", "echo $$ >\"$1/cgroup.procs\"; shift; exec \"$@\"", "sh"]).arg(&self.0);
        inside.arg(command.get_program()).args(command.get_args());
        inside
    }
}

impl Drop for Delegated {
    fn drop(&mut self) {
        // rmdir(2) is EBUSY until the last process is reaped.
        let deadline = Instant::now() + SOON;
        while remove(&self.0).is_err() && Instant::now() < deadline {
            sleep(Duration::from_millis(20));
        }
    }
}

/// A cgroup goes from its leaves.
fn remove(cgroup: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(cgroup)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove(&entry.path())?;
        }
    }
    fs::remove_dir(cgroup)
}
