//! What tracing takes away: a program that is traced by an ordinary user gets nothing of a set-user-ID bit or of file
//! capabilities (execve(2)). Such a program is let go before: it runs with its rights, and unseen.

use super::decode::int;
use super::memory::{Memory, Text};
use super::place::{absolute, is_ours, link, text};
use super::table::{Arg, Signature};
use insula_sys::prctl;
use rustix::fs::{StatVfsMountFlags, getxattr, stat, statvfs};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What we ourselves are, and how far we see.
#[derive(Debug)]
pub(super) struct Own {
    /// A program that we trace gets its rights all the same: we have CAP_SYS_PTRACE.
    keeps_rights: bool,
    /// Our user namespace.
    user: Option<Vec<u8>>,
}

impl Own {
    /// Looks at this process.
    pub(super) fn look() -> Own {
        const CAP_SYS_PTRACE: u64 = 1 << 19;
        let effective = prctl::capget().map_or(0, |(effective, _, _)| effective);
        let own = rustix::process::getpid().as_raw_nonzero().get();
        Own { keeps_rights: effective & CAP_SYS_PTRACE != 0, user: link(own, "ns/user") }
    }

    /// The process of a thread.
    pub(super) fn process_of(tid: i32) -> i32 {
        Own::status(tid, "Tgid:").and_then(|pid| pid.parse().ok()).unwrap_or(tid)
    }

    /// Does the process have this signal before it?
    pub(super) fn is_pending(pid: i32, signal: i32) -> bool {
        let bit = u32::try_from(signal - 1).ok().and_then(|bit| 1_u64.checked_shl(bit)).unwrap_or(0);
        ["SigPnd:", "ShdPnd:"].iter().any(|line| {
            let mask = Own::status(pid, line).and_then(|mask| u64::from_str_radix(&mask, 16).ok());
            mask.is_some_and(|mask| mask & bit != 0)
        })
    }

    /// A line of /proc/TID/status.
    fn status(tid: i32, line: &str) -> Option<String> {
        text(tid, "status")?
            .lines()
            .find_map(|text| text.strip_prefix(line))
            .map(|value| value.trim().to_owned())
    }

    /// Is the thread about to execute a program that would lose its rights under us?
    pub(super) fn must_let_go(&self, tid: i32, signature: &Signature, args: &[u64; 6]) -> bool {
        let executes = matches!(signature.name, "execve" | "execveat");
        if !executes || self.keeps_rights || !is_ours() {
            return false;
        }
        // In a user namespace that it has made we may trace anything; with no_new_privs there is nothing to lose.
        if link(tid, "ns/user") != self.user || Own::status(tid, "NoNewPrivs:").as_deref() == Some("1") {
            return false;
        }
        program(tid, signature, args).is_some_and(|path| is_privileged(&path))
    }
}

/// Where we find the program that a thread is about to execute.
fn program(tid: i32, signature: &Signature, args: &[u64; 6]) -> Option<PathBuf> {
    let at = signature.args.iter().position(|arg| matches!(arg, Arg::Path))?;
    let Text::Bytes { bytes, .. } = Memory::of(tid).text(args[at]) else { return None };
    let dirfd = (at == 1).then(|| int(args[0]));
    if let (Some(fd), true) = (dirfd, bytes.is_empty()) {
        return Some(format!("/proc/{tid}/fd/{fd}").into());
    }
    let path = absolute(tid, dirfd.filter(|fd| *fd >= 0), &bytes);
    // Through its own root: it may have changed it.
    Some(Path::new(&format!("/proc/{tid}/root")).join(OsStr::from_bytes(path.strip_prefix(b"/")?)))
}

/// Would an execution of this file give rights?
fn is_privileged(path: &Path) -> bool {
    /// `S_ISUID`, and `S_ISGID` with `S_IXGRP`, without which it does not mean this; inode(7).
    const SET_USER: u32 = 0o4000;
    const SET_GROUP: u32 = 0o2010;
    let Ok(found) = stat(path) else { return false };
    let mode = found.st_mode;
    let gives = mode & SET_USER != 0
        || mode & SET_GROUP == SET_GROUP
        || getxattr(path, "security.capability", &mut [0_u8; 64]).is_ok();
    gives && statvfs(path).is_ok_and(|mount| !mount.f_flag.contains(StatVfsMountFlags::NOSUID))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn the_bits_that_give_rights() {
        let directory = std::env::temp_dir().join(format!("insula-privilege-{}", std::process::id()));
        fs::create_dir(&directory).unwrap();
        let file = directory.join("program");
        fs::write(&file, "").unwrap();
        let no_suid = statvfs(&file).unwrap().f_flag.contains(StatVfsMountFlags::NOSUID);
        for (mode, gives) in [(0o755, false), (0o4755, true), (0o2755, true), (0o2745, false)] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(is_privileged(&file), gives && !no_suid, "{mode:o}");
        }
        fs::remove_dir_all(&directory).unwrap();
        assert!(!is_privileged(&file));
    }
}
