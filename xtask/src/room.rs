//! The room of the tests: a pid namespace with a first process that reaps, a mount namespace, and a `/dev` of its own.
//!
//! A host whose first process reaps late makes leak checks lie; a container engine under test may change the mode of
//! `/dev/null` for the whole machine; and what a failed test leaves running ends with the room.

use std::env;
use std::ffi::{CString, OsString};
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::io::Errno;
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_bind, mount_move, unmount};
use rustix::process::{WaitOptions, geteuid, wait};

use crate::stop::Stop;
use crate::tell;

/// The verb by which xtask starts itself inside the room.
pub const INSIDE: &str = "inside-the-room";

/// Tells the tests that every process that they see is theirs.
const ROOM: &str = "INSULA_ROOM";

/// Nodes that any user of any machine may open; their mode on the host may be damaged already.
const FOR_ALL: &[&str] = &["null", "zero", "full", "random", "urandom", "tty"];

/// File systems of their own below `/dev`: made anew, not copied.
const MOUNTED: &[&str] = &["pts", "shm", "mqueue", "hugepages"];

const UNSHARE: &[&str] =
    &["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private", "--"];

/// A command that runs `program` in a room; outside one where there is none to be had, with a line that says so.
pub fn command(program: &Command) -> Result<Command, Stop> {
    let words = std::iter::once(program.get_program()).chain(program.get_args());
    let mut command = if let Some(reason) = refusal() {
        tell::say(&format!("the tests share the host's processes and /dev: {reason}\n"));
        let mut command = Command::new(program.get_program());
        command.args(program.get_args());
        command
    } else {
        let own = env::current_exe().map_err(|error| Stop::Failed(format!("find xtask itself: {error}")))?;
        // The room ends with xtask (setpriv), and what is in it with the room (--kill-child).
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--", "unshare"]).args(UNSHARE);
        command.arg(own).arg(INSIDE).args(words).env(ROOM, "1");
        command
    };
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    if let Some(directory) = program.get_current_dir() {
        command.current_dir(directory);
    }
    Ok(command)
}

fn refusal() -> Option<&'static str> {
    if !geteuid().is_root() {
        return Some("not run as root");
    }
    let mut probe = Command::new("setpriv");
    probe.args(["--pdeathsig", "KILL", "--", "unshare"]).args(UNSHARE).arg("true");
    match probe.stdout(Stdio::null()).stderr(Stdio::null()).status() {
        Ok(status) if status.success() => None,
        Ok(_) => Some("unshare(1) was refused its namespaces"),
        Err(_) => Some("no setpriv(1) and unshare(1) here (Debian: util-linux)"),
    }
}

/// What xtask does as the first process of the room: makes `/dev`, starts the command, and reaps until it ends.
pub fn inside(arguments: &[OsString]) -> Result<(), Stop> {
    let Some((program, rest)) = arguments.split_first() else {
        return Err(Stop::Usage("nothing to run".into()));
    };
    if process::id() != 1 {
        return Err(Stop::Usage(format!("`{INSIDE}` is for xtask itself")));
    }
    own_dev().map_err(|error| Stop::Failed(format!("make a /dev for the tests: {error}")))?;
    let child = Command::new(program).args(rest).spawn();
    let child = child.map_err(|error| Stop::Failed(format!("start `{}`: {error}", program.display())))?;
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if u32::try_from(pid.as_raw_nonzero().get()) == Ok(child.id()) => {
                let code =
                    status.exit_status().or_else(|| status.terminating_signal().map(|signal| 128 + signal));
                return match code {
                    Some(0) => Ok(()),
                    code => Err(Stop::Code(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))),
                };
            }
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(Stop::Failed(format!("wait for the tests: {error}"))),
        }
    }
}

/// A copy of the host's `/dev` on a file system of its own: the same nodes as new inodes, so that a change of mode
/// stays here.
fn own_dev() -> io::Result<()> {
    let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos());
    let stage = env::temp_dir().join(format!("insula-dev-{time:x}"));
    fs::create_dir(&stage)?;
    let moved =
        mount("tmpfs", &stage, "tmpfs", MountFlags::NOSUID, Some(c"mode=0755")).map_err(io::Error::from);
    let moved = moved.and_then(|()| {
        let moved = furnish(&stage).and_then(|()| Ok(mount_move(&stage, "/dev")?));
        if moved.is_err() {
            unmount(&stage, UnmountFlags::DETACH)?;
        }
        moved
    });
    fs::remove_dir(&stage)?;
    moved
}

fn furnish(dev: &Path) -> io::Result<()> {
    copy_nodes(Path::new("/dev"), dev)?;
    for name in FOR_ALL {
        fs::set_permissions(dev.join(name), Permissions::from_mode(0o666))?;
    }
    for name in ["pts", "shm", "mqueue"] {
        fs::create_dir(dev.join(name))?;
    }
    let quiet = MountFlags::NOSUID | MountFlags::NOEXEC;
    mount("devpts", dev.join("pts"), "devpts", quiet, Some(c"newinstance,ptmxmode=0666,mode=620,gid=5"))?;
    let shm = MountFlags::NOSUID | MountFlags::NODEV;
    mount("tmpfs", dev.join("shm"), "tmpfs", shm, Some(c"mode=1777"))?;
    // A kernel without POSIX message queues is still good for all tests but theirs.
    let mqueue = mount("mqueue", dev.join("mqueue"), "mqueue", quiet | MountFlags::NODEV, None);
    if mqueue.is_err() {
        fs::remove_dir(dev.join("mqueue"))?;
    }
    // The host's ptmx belongs to its own devpts.
    let ptmx = dev.join("ptmx");
    if ptmx.symlink_metadata().is_ok() {
        fs::remove_file(&ptmx)?;
    }
    symlink("pts/ptmx", ptmx)?;
    for (name, target) in [("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")] {
        let link = dev.join(name);
        if link.symlink_metadata().is_err() {
            symlink(format!("/proc/self/fd{target}"), link)?;
        }
    }
    Ok(())
}

fn copy_nodes(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let Ok(found) = source.symlink_metadata() else { continue };
        let kind = found.file_type();
        if kind.is_symlink() {
            symlink(fs::read_link(&source)?, &target)?;
        } else if kind.is_dir() && !entry.file_name().to_str().is_some_and(|name| MOUNTED.contains(&name)) {
            fs::create_dir(&target)?;
            copy_nodes(&source, &target)?;
            fs::set_permissions(&target, found.permissions())?;
        } else if kind.is_char_device() || kind.is_block_device() {
            copy_node(&source, &target, &found)?;
        }
    }
    Ok(())
}

fn copy_node(source: &Path, target: &PathBuf, found: &fs::Metadata) -> io::Result<()> {
    let kind =
        if found.file_type().is_char_device() { FileType::CharacterDevice } else { FileType::BlockDevice };
    let name = CString::new(target.as_os_str().as_encoded_bytes())?;
    match mknodat(CWD, &name, kind, Mode::from_raw_mode(0o600), found.rdev()) {
        Ok(()) => {
            chown(target, Some(found.uid()), Some(found.gid()))?;
            fs::set_permissions(target, found.permissions())
        }
        // Without CAP_MKNOD, in a container: then the same inode as the host's.
        Err(Errno::PERM) => {
            File::create(target)?;
            Ok(mount_bind(source, target)?)
        }
        Err(error) => Err(error.into()),
    }
}
