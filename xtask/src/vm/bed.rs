//! The bed: kernels and a system from Debian's packages, made once and kept in a cache directory.
//!
//! The work is done by the scripts in xtask/vm. What they make appears under its name only when it is whole.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use rustix::fs::{FlockOperation, flock};
use rustix::process::geteuid;

use super::ask::Kernel;
use crate::stop::Stop;
use crate::{tell, tree};

/// Where Debian is, unless `INSULA_VM_MIRROR` names another mirror.
const MIRROR: &str = "http://deb.debian.org/debian";

/// The cache directory, locked: two beds are not made at once.
pub struct Bed {
    directory: PathBuf,
    _lock: File,
}

/// One kernel in it.
pub struct Booted {
    /// As `uname -r` says it.
    pub release: String,
    pub vmlinuz: PathBuf,
    pub initrd: PathBuf,
    pub modules: PathBuf,
}

impl Bed {
    /// Opens the cache directory: `INSULA_VM_CACHE`, else `insula-vm` in the user's caches.
    pub fn open() -> Result<Bed, Stop> {
        let directory = directory()?;
        let failed = |error: std::io::Error| {
            Stop::Failed(format!("open the cache `{}`: {error}", directory.display()))
        };
        fs::create_dir_all(&directory).map_err(failed)?;
        let lock = File::create(directory.join("lock")).map_err(failed)?;
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            let place = directory.display();
            return Err(Stop::Failed(format!("another `cargo xtask vm` is at work in `{place}`")));
        }
        Ok(Bed { directory, _lock: lock })
    }

    /// Where it lies.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Whether all that these kernels take is there.
    pub fn has(&self, kernels: &[Kernel]) -> bool {
        self.system().is_file() && kernels.iter().all(|kernel| self.kernel(*kernel).is_some())
    }

    /// The disk of the system, which no machine writes to.
    pub fn system(&self) -> PathBuf {
        self.directory.join("system.ext4")
    }

    /// A kernel that was made.
    pub fn kernel(&self, kernel: Kernel) -> Option<Booted> {
        let place = self.place(kernel);
        let release = fs::read_to_string(place.join("release")).ok()?.trim().to_owned();
        let [vmlinuz, initrd, modules] =
            ["vmlinuz", "initrd.gz", "modules.ext4"].map(|name| place.join(name));
        Some(Booted { release, vmlinuz, initrd, modules })
    }

    /// Fetches the lists of what Debian has; the words of apt where there is no network.
    pub fn lists(&self) -> Result<(), String> {
        self.script("lists.sh", &[]).map_err(|stop| match stop {
            Stop::Failed(words) | Stop::Usage(words) => words,
            Stop::Code(code) => format!("code {code}"),
        })
    }

    /// Makes what is not there yet; all of it where `fresh`. The lists are there.
    pub fn make(&self, kernels: &[Kernel], fresh: bool) -> Result<(), Stop> {
        for kernel in kernels.iter().filter(|one| fresh || self.kernel(**one).is_none()) {
            // Its release is written last: without one it is not there.
            self.script("kernel.sh", &[kernel.suite.as_ref(), &self.place(*kernel)])?;
        }
        if fresh || !self.system().is_file() {
            let aside = self.directory.join("system.new");
            self.script("system.sh", &[&aside])?;
            let placed = fs::rename(&aside, self.system());
            placed.map_err(|error| Stop::Failed(format!("rename `{}`: {error}", aside.display())))?;
        }
        Ok(())
    }

    fn place(&self, kernel: Kernel) -> PathBuf {
        self.directory.join(format!("kernel-{}", kernel.name))
    }

    fn script(&self, name: &str, arguments: &[&Path]) -> Result<(), Stop> {
        let start = Instant::now();
        tell::say(&format!(
            "   {name} {}\n",
            arguments.first().map_or("".into(), |word| word.display().to_string())
        ));
        let log = self.directory.join("log");
        let failed = |error: std::io::Error| Stop::Failed(format!("run {name}: {error}"));
        let words = File::create(&log).map_err(failed)?;
        let mut command = contained();
        command.arg("bash").arg(tree::root().join("xtask/vm").join(name)).args(arguments);
        let mirror = env::var_os("INSULA_VM_MIRROR").unwrap_or_else(|| MIRROR.into());
        command.env("CACHE", &self.directory).env("MIRROR", mirror).env("LC_ALL", "C.UTF-8");
        command.stdin(Stdio::null()).stdout(words.try_clone().map_err(failed)?).stderr(words);
        if !command.status().map_err(failed)?.success() {
            let text = fs::read_to_string(&log).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            let tail = lines[lines.len().saturating_sub(15)..].join("\n");
            return Err(Stop::Failed(format!("{name} failed:\n{tail}\n(all it said: {})", log.display())));
        }
        tell::say(&format!("   {name}: {:.0} s\n", start.elapsed().as_secs_f64()));
        Ok(())
    }
}

/// A command that ends, with all that it started and mounted, when xtask does. An ordinary user's processes cannot be
/// gathered so simply: there the first one ends.
fn contained() -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]);
    if geteuid().is_root() {
        command.args(["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]);
    }
    command
}

fn directory() -> Result<PathBuf, Stop> {
    if let Some(named) = env::var_os("INSULA_VM_CACHE") {
        return std::path::absolute(PathBuf::from(named))
            .map_err(|error| Stop::Failed(format!("INSULA_VM_CACHE: {error}")));
    }
    let caches = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let caches = caches.or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")));
    let caches =
        caches.ok_or_else(|| Stop::Failed("no HOME to keep a cache in: set INSULA_VM_CACHE".into()))?;
    Ok(caches.join("insula-vm"))
}
