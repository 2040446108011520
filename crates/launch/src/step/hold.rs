//! Becomes the process that holds namespaces: MODE hold of the freestanding init.

use super::{Child, Describe};
use crate::fault::{Call, Done, Fault};
use crate::kit::Slot;
use crate::plan::Kind;
use insula_sys::exec::{Strings, cloexec_from, decimal, execveat};
use rustix::fd::BorrowedFd;
use rustix::fs::{Mode, OFlags, open};
use rustix::io::{Errno, FdFlags, fcntl_setfd};
use rustix::net::listen;
use std::borrow::Cow;
use std::ffi::{CStr, CString};
use std::fmt;

/// How many may wait to be served.
const BACKLOG: i32 = 128;

/// Opens the namespaces that we are in, for the holder.
#[derive(Debug)]
pub struct KeepOpen {
    /// Which, and where they go.
    pub namespaces: Vec<(Kind, Slot)>,
}

impl KeepOpen {
    pub(super) fn run(&self, at: &mut Child<'_>) -> Done {
        for (kind, slot) in &self.namespaces {
            // What was made with us, or for our children: of pid and time they may differ.
            let path: &CStr = match kind {
                Kind::User => c"/proc/self/ns/user",
                Kind::Mnt => c"/proc/self/ns/mnt",
                Kind::Pid => c"/proc/self/ns/pid_for_children",
                Kind::Net => c"/proc/self/ns/net",
                Kind::Ipc => c"/proc/self/ns/ipc",
                Kind::Uts => c"/proc/self/ns/uts",
                Kind::Cgroup => c"/proc/self/ns/cgroup",
                Kind::Time => c"/proc/self/ns/time_for_children",
            };
            let file = open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
                .map_err(Call::Openat2.failed())?;
            at.kit.put(*slot, file).map_err(Call::Check.failed())?;
        }
        Ok(())
    }
}

impl fmt::Display for KeepOpen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("open the namespaces")?;
        self.namespaces.iter().try_for_each(|(kind, _)| write!(f, " {}", kind.name()))
    }
}

impl Describe for KeepOpen {
    const NAME: &'static str = "keep-open";

    fn why(&self) -> Cow<'static, str> {
        "who may not mount keeps a namespace by an open file of it; while /proc is still the caller's".into()
    }
}

/// Executes the holder.
#[derive(Debug)]
pub struct Hold {
    /// The sealed memfd of the init.
    pub init: Slot,
    /// The end of a pipe: what is written there says that the name is made.
    pub lifeline: Slot,
    /// A bound unix socket, if what is held is asked for there.
    pub socket: Option<Slot>,
    /// The open namespaces that are given to who asks.
    pub namespaces: Vec<Slot>,
    argv: Strings,
    envp: Strings,
}

impl Hold {
    /// A descriptor's number may stand from here on.
    const NUMBERS_AT: usize = 2;
    /// The report, the lifeline, the socket, and a namespace of each kind.
    const MOST: usize = 3 + Kind::ALL.len();

    /// The step. Without a socket no namespaces are given.
    pub fn new(init: Slot, lifeline: Slot, served: Option<(Slot, Vec<Slot>)>) -> Hold {
        let (socket, namespaces) = served.map_or((None, Vec::new()), |(socket, held)| (Some(socket), held));
        let numbers = 2 + usize::from(socket.is_some()) + namespaces.len();
        let mut argv: Vec<CString> = vec![c"insula-init".into(), c"hold".into()];
        argv.extend((0..numbers).map(|_| c"-".to_owned()));
        let (argv, envp) = (Strings::new(argv), Strings::new(Vec::new()));
        Hold { init, lifeline, socket, namespaces, argv, envp }
    }

    /// The table of its arguments.
    pub(crate) fn room(&self) -> insula_sys::exec::Room {
        self.argv.room()
    }

    pub(super) fn run(&self, at: &mut Child<'_>) -> Done {
        let rooms = at.rooms.as_mut().ok_or(Fault { call: Call::Check, errno: Errno::NOMEM })?;
        let room = &mut rooms.argv;
        if let Some(socket) = self.socket {
            // By the holder itself: who connects is told by the kernel that it is this process (unix(7), SO_PEERCRED).
            at.kit.get(socket).and_then(|socket| listen(socket, BACKLOG)).map_err(Call::Socket.failed())?;
        }
        cloexec_from(3).map_err(Call::CloseRange.failed())?;
        let mut space = [[0u8; 16]; Hold::MOST];
        let mut numbers: [(usize, &CStr); Hold::MOST] = [(usize::MAX, c""); Hold::MOST];
        let slots =
            [Some(self.lifeline), self.socket].into_iter().flatten().chain(self.namespaces.iter().copied());
        let fds = std::iter::once(Ok(at.report.fd())).chain(slots.map(|slot| at.kit.get(slot)));
        for (i, (fd, (space, number))) in fds.zip(space.iter_mut().zip(&mut numbers)).enumerate() {
            let fd: BorrowedFd<'_> = fd.map_err(Call::Check.failed())?;
            fcntl_setfd(fd, FdFlags::empty()).map_err(Call::Fcntl.failed())?;
            let text = decimal(fd, space).ok_or(Fault { call: Call::Check, errno: Errno::OVERFLOW })?;
            *number = (Hold::NUMBERS_AT + i, text);
        }
        let argv = self.argv.put(numbers, room);
        let init = at.kit.get(self.init).map_err(Call::Check.failed())?;
        Err(Fault { call: Call::Execve, errno: execveat(init, argv, self.envp.vector()) })
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("become a small process that holds them")?;
        f.write_str(if self.socket.is_some() { ", and gives them to its own user" } else { "" })
    }
}

impl Describe for Hold {
    const NAME: &'static str = "hold";

    fn why(&self) -> Cow<'static, str> {
        match self.socket {
            Some(_) => "they end with it; by a socket each command gets the namespaces themselves, whatever has its pid".into(),
            None => "the first process of a pid namespace must reap, and the namespace ends with it; the others are kept \
                     already, and without one this process ends when all is done"
                .into(),
        }
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        (fault.call == Call::Execve && fault.errno == Errno::ACCESS)
            .then(|| "memory files may not be executed (sysctl vm.memfd_noexec)".into())
    }
}
