//! The way back without the kernel's help: which process is called so in another pid namespace? All that /proc shows are
//! asked.

use super::level::{There, in_levels, status_of};
use crate::error::Error;
use crate::process::Process;
use rustix::fs::{Mode, OFlags, RawDir, open};
use rustix::io::Errno;
use std::mem::MaybeUninit;

/// The process, or else the thread, that is `pid` there.
pub(super) fn find(there: There<'_>, pid: i32) -> Result<i32, Error> {
    let mut unseen = 0;
    let processes = numbers("/proc").map_err(|errno| Error::File("list", "/proc".to_owned(), errno))?;
    for process in &processes {
        if let Some(found) = asked(*process, there, pid, &mut unseen) {
            return Ok(found);
        }
    }
    for process in processes {
        for thread in numbers(&format!("/proc/{process}/task")).unwrap_or_default() {
            if thread != process
                && let Some(found) = asked(thread, there, pid, &mut 0)
            {
                return Ok(found);
            }
        }
    }
    Err(Error::NoPid { pid, namespace: there.name.to_owned(), unseen })
}

/// `ours`, if it is `pid` there. The numbers alone are many: the namespace is looked at where they fit.
fn asked(ours: i32, there: There<'_>, pid: i32, unseen: &mut usize) -> Option<i32> {
    let process = Process::open(ours).ok()?;
    if !status_of(&process).ok()?.pids.contains(&pid) {
        return None;
    }
    match in_levels(&process, there) {
        Ok(found) => found.filter(|found| *found == pid).map(|_| ours),
        Err(Error::Process { errno: Errno::ACCESS | Errno::PERM, .. }) => {
            *unseen += 1;
            None
        }
        // It is gone.
        Err(_) => None,
    }
}

/// The entries of a directory that are numbers.
fn numbers(path: &str) -> Result<Vec<i32>, Errno> {
    let directory = open(path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let mut room = [MaybeUninit::<u8>::uninit(); 8192];
    let mut list = RawDir::new(directory, &mut room);
    let mut found = Vec::new();
    while let Some(entry) = list.next() {
        let name = entry?;
        found.extend(name.file_name().to_str().ok().and_then(|name| name.parse::<i32>().ok()));
    }
    Ok(found)
}
