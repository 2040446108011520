//! A pseudoterminal of the container's own devpts, pts(4), and its other end for the parent.

use super::{Child, Describe, Parent};
use crate::fault::{Call, Done, Fault};
use crate::kit::Slot;
use crate::resolve::{self, Make, Target};
use crate::step::source::attach;
use rustix::fd::AsFd;
use rustix::fs::{OFlags, fchown, fstat, fstatfs, major};
use rustix::io::Errno;
use rustix::mount::{OpenTreeFlags, open_tree};
use rustix::process::{Uid, ioctl_tiocsctty};
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, unlockpt};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};
use rustix::termios::{Winsize, tcsetwinsize};
use std::borrow::Cow;
use std::fmt;

/// `DEVPTS_SUPER_MAGIC`, statfs(2).
const DEVPTS_MAGIC: i64 = 0x1cd1;
/// The majors of Unix98 pseudoterminal peers, the kernel's devices.txt.
const PTS_MAJORS: std::ops::RangeInclusive<u32> = 136..=143;

/// Opens a pseudoterminal and makes it the controlling terminal and the three standard streams.
#[derive(Debug)]
pub struct Console {
    /// Where the master goes, for the parent.
    pub slot: Slot,
    /// `dev/pts/ptmx`.
    pub ptmx: Target,
    /// `dev/console`, over which the terminal is bound; none for a process that joins a container.
    pub console: Option<Target>,
    /// Whose it becomes: the program's user must be able to open it by name.
    pub owner: u32,
}

impl Console {
    pub(super) fn run(&self, at: &mut Child<'_>) -> Done {
        if at.root.is_none() {
            // Who joins a container has its root already.
            at.root = Some(resolve::locate_host(c"/").map_err(Call::Openat2.failed())?);
        }
        let root = at.root.as_ref().ok_or(Fault { call: Call::Check, errno: Errno::BADF })?.as_fd();
        let flags = OFlags::RDWR | OFlags::NOCTTY;
        let master = resolve::open(root, self.ptmx.as_c_str(), flags).map_err(Call::Openat2.failed())?;
        if fstatfs(&master).map_err(Call::Fstat.failed())?.f_type != DEVPTS_MAGIC {
            return Err(Fault { call: Call::Check, errno: Errno::NODEV });
        }
        unlockpt(&master).map_err(Call::Ioctl.failed())?;
        // The peer by ioctl, not by a name that somebody could have put there (CVE-2024-21626's family).
        let peer = ioctl_tiocgptpeer(&master, OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
            .map_err(Call::Ioctl.failed())?;
        if !PTS_MAJORS.contains(&major(fstat(&peer).map_err(Call::Fstat.failed())?.st_rdev)) {
            return Err(Fault { call: Call::Check, errno: Errno::NODEV });
        }
        fchown(&peer, Some(Uid::from_raw(self.owner)), None).map_err(Call::Fchown.failed())?;
        ioctl_tiocsctty(&peer).map_err(Call::Ioctl.failed())?;
        if let Some(console) = &self.console {
            let flags = OpenTreeFlags::OPEN_TREE_CLONE
                | OpenTreeFlags::OPEN_TREE_CLOEXEC
                | OpenTreeFlags::AT_EMPTY_PATH;
            let tree = open_tree(&peer, c"", flags).map_err(Call::OpenTree.failed())?;
            attach(&tree, resolve::make(root, console, Make::File)?.as_fd())?;
        }
        dup2_stdin(&peer).map_err(Call::Dup2.failed())?;
        dup2_stdout(&peer).map_err(Call::Dup2.failed())?;
        dup2_stderr(&peer).map_err(Call::Dup2.failed())?;
        at.kit.put(self.slot, master).map_err(Call::Check.failed())
    }
}

impl fmt::Display for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("open a terminal of its own, ")?;
        f.write_str(if self.console.is_some() { "bind it on /dev/console, " } else { "" })?;
        f.write_str("connect the standard streams")
    }
}

impl Describe for Console {
    const NAME: &'static str = "console";

    fn why(&self) -> Cow<'static, str> {
        "from the container's devpts, so that its name is true inside; before the change of user, who may not own it".into()
    }

    fn hands_over(&self) -> Option<Slot> {
        Some(self.slot)
    }
}

/// Takes the master end of the container's terminal, and gives it its size.
#[derive(Debug)]
pub struct TakeConsole {
    /// Where it arrives.
    pub slot: Slot,
    /// Rows and columns, `process.consoleSize`.
    pub size: Option<(u16, u16)>,
}

impl TakeConsole {
    pub(super) fn run(&self, at: &mut Parent<'_>) -> Done {
        let master = at.kit.get(self.slot).map_err(Call::Check.failed())?;
        match self.size {
            Some((ws_row, ws_col)) => {
                tcsetwinsize(master, Winsize { ws_row, ws_col, ws_xpixel: 0, ws_ypixel: 0 })
                    .map_err(Call::Ioctl.failed())
            }
            None => Ok(()),
        }
    }
}

impl fmt::Display for TakeConsole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("take the other end of the container's terminal")?;
        self.size.map_or(Ok(()), |(rows, columns)| write!(f, ", {rows} rows of {columns} columns"))
    }
}

impl Describe for TakeConsole {
    const NAME: &'static str = "take-console";

    fn why(&self) -> Cow<'static, str> {
        "it was opened inside, in a devpts that we cannot reach by name; its size is right before the program starts".into()
    }
}
