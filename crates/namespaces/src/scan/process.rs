//! What one process says of itself: asked only for the processes that are shown.

use super::procfs::{Path, number};
use rustix::fd::OwnedFd;
use rustix::fs::{CWD, Mode, OFlags, openat, stat};
use rustix::io::{Errno, read};

/// The longest command line that is read, in bytes: that of lsns(8).
const COMMAND_BYTES: usize = 8192;

/// The pid of its parent, `/proc/PID/stat`; `None`: it is gone, or its parent is in another pid namespace.
pub fn parent(pid: u32) -> Option<u32> {
    let mut room = [0u8; 512];
    let line = contents(pid, b"stat", &mut room)?;
    // The name may hold anything, a bracket too: what counts comes after the last.
    let after = line.iter().rposition(|byte| *byte == b')')?;
    let field = line.get(after + 2..)?.split(|byte| *byte == b' ').nth(1)?;
    u32::try_from(number(field)?).ok().filter(|parent| *parent != 0)
}

/// Its effective uid, by the owner of `/proc/PID`: root's for one that is not dumpable, prctl(2).
pub fn uid(pid: u32) -> Option<u32> {
    stat(Path::new(&[b"/proc/", pid.to_string().as_bytes()]).as_c_str()).ok().map(|stat| stat.st_uid)
}

/// Its command line with spaces between the words, or its name where it has none: kernel threads, and zombies.
pub fn command(pid: u32) -> Option<Vec<u8>> {
    let mut room = vec![0u8; COMMAND_BYTES];
    let line = match contents(pid, b"cmdline", &mut room) {
        Some(line) if !line.is_empty() => line.len(),
        _ => contents(pid, b"comm", &mut room)?.len(),
    };
    // The last byte is the NUL after the last word, or the newline after the name.
    room.truncate(line.saturating_sub(1));
    room.iter_mut().filter(|byte| **byte == 0).for_each(|byte| *byte = b' ');
    Some(room)
}

/// As much of a file of a process as there is room for.
fn contents<'r>(pid: u32, file: &[u8], room: &'r mut [u8]) -> Option<&'r [u8]> {
    let path = Path::new(&[b"/proc/", pid.to_string().as_bytes(), b"/", file]);
    let opened = openat(CWD, path.as_c_str(), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let length = fill(&opened, room).ok()?;
    room.get(..length)
}

/// Reads until the room is full or the file ends.
fn fill(file: &OwnedFd, room: &mut [u8]) -> Result<usize, Errno> {
    let mut length = 0;
    while length < room.len() {
        match read(file, &mut room[length..]) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn we_know_ourselves() {
        let pid = std::process::id();
        assert_eq!(parent(pid), Some(std::os::unix::process::parent_id()).filter(|pid| *pid != 0));
        assert_eq!(uid(pid), Some(rustix::process::geteuid().as_raw()));
        let command = String::from_utf8_lossy(&command(pid).expect("our own command")).into_owned();
        assert!(command.starts_with(&std::env::args().next().expect("a program has a name")), "{command}");
        assert_eq!(super::command(u32::MAX), None);
    }
}
