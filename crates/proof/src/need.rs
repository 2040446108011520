//! What a test may need of the machine. Each answers by trying, not by a version, and says why not in a few words.

use std::env;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::id::{ORDINARY_ID, is_root};
use crate::scratch::unique;

/// The tests run as root.
pub fn root() -> Result<(), String> {
    if is_root() { Ok(()) } else { Err("needs root".into()) }
}

/// The tests run as an ordinary user.
pub fn ordinary() -> Result<(), String> {
    if is_root() { Err("needs to be run as an ordinary user".into()) } else { Ok(()) }
}

/// Time: `cargo xtask check --fast` leaves such tests out.
pub fn slow() -> Result<(), String> {
    if env::var_os("INSULA_FAST").is_some() { Err("slow, and --fast was asked".into()) } else { Ok(()) }
}

/// A machine that starts programs as quickly as others: in software emulation, a test that starts hundreds would take
/// longer than all others together.
pub fn swift() -> Result<(), String> {
    that(
        env::var_os("INSULA_SLOW").is_none(),
        "starts hundreds of programs, and this machine is slow (INSULA_SLOW)",
    )
}

/// An ordinary user can make a user namespace, and is root in it.
pub fn user_namespaces() -> Result<(), String> {
    static ANSWER: OnceLock<Result<(), String>> = OnceLock::new();
    ANSWER
        .get_or_init(|| {
            program("unshare")?;
            let mut probe = Command::new("unshare");
            probe.args(["--user", "--map-root-user", "true"]).current_dir("/");
            probe.stdout(Stdio::null()).stderr(Stdio::null());
            if is_root() {
                probe.uid(ORDINARY_ID).gid(ORDINARY_ID);
            }
            match probe.status() {
                Ok(status) if status.success() => Ok(()),
                _ => Err("an ordinary user may not make user namespaces here".into()),
            }
        })
        .clone()
}

/// A program with the set-user-ID bit or file capabilities gets what they promise: `no_new_privs` is not set.
pub fn privileged_programs() -> Result<(), String> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    that(!status.contains("NoNewPrivs:\t1"), "no_new_privs is set: newuidmap has no privileges")
}

/// A cgroup2 hierarchy is mounted, alone or beside version 1 hierarchies, and this user may make cgroups in it.
pub fn cgroup_v2() -> Result<(), String> {
    let mount = cgroup2_mount().ok_or("no cgroup2 is mounted")?;
    writable(&mount)
}

/// As [`cgroup_v2`], with this controller in it.
pub fn cgroup_v2_controller(name: &str) -> Result<(), String> {
    cgroup_v2()?;
    let mount = cgroup2_mount().ok_or("no cgroup2 is mounted")?;
    let controllers = fs::read_to_string(mount.join("cgroup.controllers")).unwrap_or_default();
    that(
        controllers.split_whitespace().any(|c| c == name),
        &format!("cgroup v2 has no `{name}` controller here"),
    )
}

/// A version 1 hierarchy with this controller is mounted, and this user may make cgroups in it.
pub fn cgroup_v1(controller: &str) -> Result<(), String> {
    let mount = mounts()
        .into_iter()
        .find(|m| m.kind == "cgroup" && m.options.split(',').any(|o| o == controller))
        .ok_or_else(|| format!("no cgroup v1 hierarchy with `{controller}` is mounted"))?;
    writable(&mount.point)
}

/// A program of this name is in `PATH`, or where administrators' programs lie.
pub fn program(name: &str) -> Result<(), String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    let found = env::split_paths(&path).chain(system).map(|directory| directory.join(name)).any(|file| {
        fs::metadata(file).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    });
    that(found, &format!("the program `{name}` is not installed"))
}

/// The kernel knows this file system now (as a module that is not loaded, it does not).
pub fn filesystem(name: &str) -> Result<(), String> {
    let known = fs::read_to_string("/proc/filesystems").unwrap_or_default();
    let found = known.lines().any(|line| line.split_whitespace().last() == Some(name));
    that(found, &format!("this kernel has no file system `{name}`"))
}

/// The kernel has this kind of namespace, by its name in `/proc/self/ns`.
pub fn namespace(kind: &str) -> Result<(), String> {
    that(Path::new("/proc/self/ns").join(kind).exists(), &format!("this kernel has no {kind} namespaces"))
}

/// This file is there.
pub fn path(path: &str) -> Result<(), String> {
    that(Path::new(path).exists(), &format!("there is no `{path}` here"))
}

/// This device can be opened to read and write.
pub fn device(path: &str) -> Result<(), String> {
    match OpenOptions::new().read(true).write(true).open(path) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("open `{path}`: {error}")),
    }
}

/// The tests hold this capability, by its number in capabilities(7): `CAP_SYS_RESOURCE` is 24.
pub fn capability(name: &str, number: u32) -> Result<(), String> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let held = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap_or_default();
    let held = u64::from_str_radix(held.trim(), 16).unwrap_or_default();
    that(held & 1_u64.checked_shl(number).unwrap_or_default() != 0, &format!("needs {name}"))
}

/// Anything else: a probe that the test made, and the reason where it failed.
pub fn that(given: bool, reason: &str) -> Result<(), String> {
    if given { Ok(()) } else { Err(reason.into()) }
}

/// Where cgroup2 is mounted.
#[must_use]
pub fn cgroup2_mount() -> Option<PathBuf> {
    mounts().into_iter().find(|mount| mount.kind == "cgroup2").map(|mount| mount.point)
}

struct Mount {
    point: PathBuf,
    kind: String,
    options: String,
}

/// The mounts of this process; see proc_pid_mountinfo(5). A hidden mount comes before the one that hides it.
fn mounts() -> Vec<Mount> {
    let text = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let line = |line: &str| {
        let (front, back) = line.split_once(" - ")?;
        let mut back = back.split(' ');
        let kind = back.next()?.to_string();
        let options = back.nth(1)?.to_string();
        Some(Mount { point: front.split(' ').nth(4)?.into(), kind, options })
    };
    text.lines().filter_map(line).collect()
}

fn writable(directory: &Path) -> Result<(), String> {
    let probe = directory.join(format!("insula-proof-{}", unique()));
    match fs::create_dir(&probe).and_then(|()| fs::remove_dir(&probe)) {
        Ok(()) => Ok(()),
        Err(error) => Err(format!("make a cgroup in `{}`: {error}", directory.display())),
    }
}
