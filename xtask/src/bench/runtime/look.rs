//! What the control groups look like: crun refuses a hybrid machine, so each look is made in a mount namespace of its own.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::bench::measure::{Shop, failed};
use crate::stop::Stop;
use crate::tell;

/// Where a hybrid machine has version 2.
const UNIFIED: &str = "/sys/fs/cgroup/unified";

/// Where state and bundles lie, in the directory of the compiled programs: a tmpfs, since a state directory is one, and
/// fsync(2) on a disk would be all that is seen.
pub const SCRATCH: &str = "scratch";

/// A look of `/sys/fs/cgroup`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Look {
    V1,
    V2,
}

impl Look {
    pub const ALL: [Look; 2] = [Look::V1, Look::V2];

    pub fn named(word: &str) -> Option<Look> {
        Look::ALL.into_iter().find(|look| look.name() == word)
    }

    fn name(self) -> &'static str {
        match self {
            Look::V1 => "v1",
            Look::V2 => "v2",
        }
    }

    pub fn words(self) -> &'static str {
        match self {
            Look::V1 => "control groups of version 1 alone",
            Look::V2 => "control groups of version 2 alone",
        }
    }

    /// The change that makes it of this machine; `Err`: this machine has no such thing.
    fn made_by(self) -> Result<String, &'static str> {
        let is_v2 = Path::new("/sys/fs/cgroup/cgroup.controllers").exists();
        let is_hybrid = Path::new(UNIFIED).join("cgroup.controllers").exists();
        match (self, is_v2, is_hybrid) {
            (Look::V1, true, _) => Err("this machine has version 2 alone"),
            (Look::V1, _, true) => Ok(format!("umount {UNIFIED}; ")),
            (Look::V2, false, true) => Ok(format!("mount --bind {UNIFIED} /sys/fs/cgroup; ")),
            (Look::V2, false, false) => Err("this machine has version 1 alone"),
            (Look::V1, ..) | (Look::V2, ..) => Ok(String::new()),
        }
    }

    /// Starts this program again in that look.
    pub fn enter(self, shop: &Shop, quick: bool) -> Result<(), Stop> {
        let change = match self.made_by() {
            Ok(change) => change,
            Err(reason) => {
                tell::say(&format!("\nleft out: {}: {reason}\n", self.words()));
                return Ok(());
            }
        };
        let scratch = shop.path.join(SCRATCH);
        fs::create_dir_all(&scratch).map_err(|error| failed("make", &scratch, &error))?;
        let own = env::current_exe().map_err(|error| failed("find", Path::new("xtask"), &error))?;
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private", "sh", "-ec"]);
        let change = format!("{change}mount -t tmpfs bench '{}'; ", scratch.display());
        command.arg(format!("{change}exec \"$0\" \"$@\"")).arg(&own).args(["bench", "runtime"]);
        command.args(["--look", self.name(), "--rounds", &shop.ask.rounds.to_string()]);
        command.args(["--idle-ms", &shop.ask.idle_ms.to_string()]).args(quick.then_some("--quick"));
        match command.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(_) => Err(Stop::Failed(format!("{}: it failed", self.words()))),
            Err(error) => Err(failed("start", Path::new("unshare"), &error)),
        }
    }
}
