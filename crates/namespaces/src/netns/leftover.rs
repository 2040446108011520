//! What a killed `add` leaves: a file in /run/netns without a namespace on it.
//!
//! `ip netns add` makes its file first and mounts later, without the lock, so a file that is new may be at work. We do
//! both under the lock, and mark the file by its mode, which the mount then hides. And a file may look empty because its
//! namespace is mounted in another mount namespace only: then somebody holds it.

use super::directory;
use crate::error::Error;
use crate::id::Identity;
use rustix::fs::{FileType, Mode, lstat, major, minor, unlink};
use rustix::io::Errno;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::time::{SystemTime, UNIX_EPOCH};

/// The mode of a file that we make and mount on under the lock; `ip` gives it 0.
const OURS: u32 = 0o200;
/// How old an empty file without our mode has to be before it is none that `ip` is about to mount on, in seconds. It takes
/// it milliseconds, and seconds where many network namespaces die at the time.
const PATIENCE_S: u64 = 30;

/// The mode for a file that is made now.
pub(super) fn mode(is_locked: bool) -> Mode {
    Mode::from_raw_mode(if is_locked { OURS } else { 0 })
}

/// There is such a name.
pub(super) fn taken(name: &OsStr) -> Error {
    Error::Asked {
        what: name.to_string_lossy().into_owned(),
        reason: "there is a network namespace of this name already".to_owned(),
        hint: Some("choose another name, or `insula netns delete` that one first".to_owned()),
    }
}

/// Makes way for a new name: nothing is there, or what is left of a killed `add` is removed. The caller holds the lock, or
/// says that there is none.
pub(crate) fn clear(name: &OsStr, is_locked: bool) -> Result<(), Error> {
    let path = directory::path(name);
    let stat = match lstat(&path) {
        Err(Errno::NOENT) => return Ok(()),
        stat => stat.map_err(|errno| Error::Netns("look at", path.clone(), errno))?,
    };
    let is_empty = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile && stat.st_size == 0;
    if !is_empty || Identity::of(&path).is_ok() {
        return Err(taken(name));
    }
    let because = |why: String| {
        Err(Error::Asked {
            what: path.to_string_lossy().into_owned(),
            reason: format!("this is no network namespace, but is not removed: {why}"),
            hint: Some(format!("`insula netns delete {}` removes it", name.to_string_lossy())),
        })
    };
    if !is_locked {
        return because("the directory cannot be locked, so another `add` may be at work".to_owned());
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
    let made = u64::try_from(stat.st_mtime).unwrap_or(0);
    if stat.st_mode & 0o7777 != OURS && now.saturating_sub(made) < PATIENCE_S {
        return because("it is new, and `ip netns add` may be about to mount on it".to_owned());
    }
    if let Some(pid) = holder(name.as_bytes(), stat.st_dev) {
        return because(format!("one is mounted there in the mount namespace of process {pid}"));
    }
    unlink(&path).map_err(|errno| Error::Netns("remove", path.clone(), errno))
}

/// A process in whose mount namespace a namespace is mounted on a file of this name, on the same file system. This looks
/// through all processes, once for each mount namespace: it is done only where a name was left behind.
fn holder(name: &[u8], device: u64) -> Option<u32> {
    let device = format!("{}:{}", major(device), minor(device));
    let mut seen = HashSet::new();
    super::processes::all().into_iter().find(|pid| {
        // Whose namespace cannot be told is looked at.
        let is_new = std::fs::read_link(format!("/proc/{pid}/ns/mnt")).map_or(true, |link| seen.insert(link));
        is_new
            && std::fs::read(format!("/proc/{pid}/mountinfo"))
                .is_ok_and(|table| holds(&table, name, device.as_bytes()))
    })
}

/// Does a table of mounts (proc_pid_mountinfo(5)) have a namespace on a file of this name, on a mount of this device?
fn holds(table: &[u8], name: &[u8], device: &[u8]) -> bool {
    let lines = || table.split(|byte| *byte == b'\n').map(|line| line.split(|byte| *byte == b' '));
    let is_on_device = |mount: &[u8]| {
        lines().any(|mut fields| fields.next() == Some(mount) && fields.nth(1) == Some(device))
    };
    lines().any(|mut fields| {
        let parent = fields.nth(1).unwrap_or_default();
        let point = fields.nth(2).unwrap_or_default();
        let kind = fields.skip_while(|field| *field != b"-").nth(1);
        kind == Some(b"nsfs")
            && unescaped(point).rsplit(|byte| *byte == b'/').next() == Some(name)
            && is_on_device(parent)
    })
}

/// Blanks, tabs, newlines and backslashes stand as `\ooo` in the table.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, behind)) = rest.split_first() {
        let octal = match (first, behind) {
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..]) => {
                Some((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'))
            }
            _ => None,
        };
        plain.push(octal.unwrap_or(*first));
        rest = if octal.is_some() { &behind[3..] } else { behind };
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[u8] = b"64 35 0:39 /netns /run/netns rw shared:1 - tmpfs tmpfs rw\n\
        65 64 0:4 net:[4026532178] /run/netns/blue rw shared:2 - nsfs nsfs rw\n\
        66 64 0:4 net:[4026532179] /run/netns/a\\040b rw - nsfs nsfs rw\n\
        67 64 0:5 /x /run/netns/file rw - tmpfs tmpfs rw\n";

    #[test]
    fn a_table_of_mounts_tells_which_names_are_held() {
        let held = |name: &str, device: &str| holds(TABLE, name.as_bytes(), device.as_bytes());
        for (name, expected) in
            [("blue", true), ("a b", true), ("file", false), ("netns", false), ("lue", false)]
        {
            assert_eq!(held(name, "0:39"), expected, "{name}");
        }
        assert!(!held("blue", "0:40"));
    }

    #[test]
    fn escapes_of_the_table_are_read() {
        assert_eq!(unescaped(br"a\040b\134c\011\0"), b"a b\\c\t\\0");
    }
}
