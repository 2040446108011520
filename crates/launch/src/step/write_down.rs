//! Writes down which namespaces the newborn is in, in the record that was begun before the birth.

use super::{Describe, Parent};
use crate::fault::{Call, Done, Fault};
use crate::host::process::start_time;
use crate::kit::Slot;
use crate::plan::Kind;
use insula_sys::nsfs;
use rustix::fd::AsFd;
use rustix::fs::{Mode, OFlags, fdatasync, fstat, open};
use rustix::io::Errno;
use std::borrow::Cow;
use std::fmt;

/// The step. It adds lines to a file: `part KIND DEVICE INODE ID` for each namespace (`-`: the kernel has no ids), and
/// `holder PID START`, the words divided by tabs.
#[derive(Debug)]
pub struct WriteDown {
    /// Which kinds: of pid and time, those of the newborn's children.
    pub kinds: Vec<Kind>,
    /// The file, open to append.
    pub slot: Slot,
}

impl WriteDown {
    pub(super) fn run(&self, at: &mut Parent<'_>) -> Done {
        let mut lines = String::new();
        for kind in &self.kinds {
            let path = format!("/proc/{}/{}", at.pid, kind.file_for_children().to_string_lossy());
            let file = open(path.as_str(), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
                .map_err(Call::Openat2.failed())?;
            let stat = fstat(&file).map_err(Call::Fstat.failed())?;
            let id = nsfs::id(file.as_fd()).map_or_else(|_| "-".to_owned(), |id| id.to_string());
            lines.push_str(&format!("part\t{}\t{}\t{}\t{id}\n", kind.name(), stat.st_dev, stat.st_ino));
        }
        let start = start_time(at.pid).ok_or(Fault { call: Call::Check, errno: Errno::SRCH })?;
        lines.push_str(&format!("holder\t{}\t{start}\n", at.pid));
        let file = at.kit.get(self.slot).map_err(Call::Check.failed())?;
        // One write: what is cut off is not read.
        let written = rustix::io::write(file, lines.as_bytes()).map_err(Call::Write.failed())?;
        if written != lines.len() {
            return Err(Fault { call: Call::Write, errno: Errno::NOSPC });
        }
        fdatasync(file).map_err(Call::Write.failed())
    }
}

impl fmt::Display for WriteDown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("write down which namespaces they are, and which process holds them")
    }
}

impl Describe for WriteDown {
    const NAME: &'static str = "write-down";

    fn why(&self) -> Cow<'static, str> {
        "before any of them is kept: so it is known later what is ours, wherever we are killed".into()
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        match (fault.call, fault.errno) {
            (Call::Openat2, Errno::NOENT) => {
                Some("/proc is not mounted here, or this kernel has no such kind of namespace".into())
            }
            (Call::Write, Errno::NOSPC) => Some("the file system of the record is full".into()),
            _ => None,
        }
    }
}
