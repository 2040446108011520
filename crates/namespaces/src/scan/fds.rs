//! Open files that hold namespaces: files of nsfs, and sockets, which hold their network namespace.

use super::found::{Found, identity};
use super::procfs::{Link, Path, Proc, link, number, open_place};
use super::snapshot::{By, Holder, Process};
use insula_launch::plan::Kind;
use insula_sys::net;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, OFlags, RawDir, StatxFlags, major, minor, readlinkat_raw, stat, statx};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};
use std::collections::{HashMap, HashSet};
use std::ffi::CStr;
use std::mem::MaybeUninit;

/// Room for a few hundred entries.
const LIST_BYTES: usize = 8 << 10;
/// What one entry of a directory of numbers takes at most: linux_dirent64 is 19 bytes, the name up to 10 and a NUL.
const ENTRY_BYTES: usize = 32;

/// What was met so far.
pub(super) struct Fds {
    /// One open file of each namespace: its number, and whose.
    files: HashMap<u64, (u32, u32)>,
    /// The namespaces of sockets, by their cookies: each is asked for once. `None`: it is not ours to know.
    cookies: HashMap<u64, Option<u64>>,
    /// Sockets' namespaces that were handed to the snapshot.
    known: HashSet<u64>,
    /// The device of nsfs.
    nsfs: Option<(u32, u32)>,
}

impl Fds {
    pub(super) fn new() -> Fds {
        let own = stat("/proc/thread-self/ns/uts").ok();
        let nsfs = own.map(|own| (major(own.st_dev), minor(own.st_dev)));
        Fds { files: HashMap::new(), cookies: HashMap::new(), known: HashSet::new(), nsfs }
    }

    /// Looks at the open files of a process.
    pub(super) fn process(&mut self, proc: &Proc, found: &mut Found<'_>, name: &[u8], process: &Process) {
        let path = Path::new(&[name, b"/fd"]);
        let Ok(directory) = proc.open_file(&path, OFlags::RDONLY | OFlags::DIRECTORY) else { return };
        let mut room = [MaybeUninit::<u8>::uninit(); LIST_BYTES];
        let mut list = RawDir::new(&directory, &mut room);
        let mut entries = 0;
        let mut sockets = Vec::new();
        while let Some(Ok(entry)) = list.next() {
            entries += 1;
            let mut text = [MaybeUninit::<u8>::uninit(); 48];
            if let Some(fd) = number(entry.file_name().to_bytes()).and_then(|fd| u32::try_from(fd).ok())
                && let Ok((text, _)) = readlinkat_raw(&directory, entry.file_name(), &mut text[..])
            {
                match link(text) {
                    Link::Namespace(_, inode) => self.file(found, inode, process.pid, fd),
                    Link::Socket => sockets.push(fd),
                    // One that was opened by the file on which it is mounted has that file's path.
                    Link::Other if matches!(text.first(), Some(b'/' | b'(')) => {
                        if let Some(inode) = self.mounted(directory.as_fd(), entry.file_name()) {
                            self.file(found, inode, process.pid, fd);
                        }
                    }
                    Link::Other => {}
                }
            }
            // The kernel fills the room as far as the entries go: where much is left there is nothing more to ask for.
            if list.is_buffer_empty() && (entries + 1) * ENTRY_BYTES < LIST_BYTES / 2 {
                break;
            }
        }
        if found.look.at(Kind::Net) && !sockets.is_empty() {
            self.sockets(found, process, &sockets);
        }
    }

    /// The inode of an open file that is a namespace. What the kernel has of it will do: no server is asked.
    fn mounted(&self, directory: BorrowedFd<'_>, fd: &CStr) -> Option<u64> {
        let found = statx(directory, fd, AtFlags::STATX_DONT_SYNC, StatxFlags::INO).ok()?;
        ((found.stx_dev_major, found.stx_dev_minor) == self.nsfs?).then_some(found.stx_ino)
    }

    fn file(&mut self, found: &mut Found<'_>, inode: u64, pid: u32, fd: u32) {
        self.files.entry(inode).or_insert((pid, fd));
        found.hold(Holder { namespace: inode, by: By::Fd { pid, fd } });
    }

    /// Looks at the sockets of a process, by copies of them (pidfd_getfd(2), Linux 5.6).
    fn sockets(&mut self, found: &mut Found<'_>, process: &Process, sockets: &[u32]) {
        let pid = i32::try_from(process.pid).ok().and_then(Pid::from_raw);
        let Some(Ok(pidfd)) = pid.map(|pid| pidfd_open(pid, PidfdFlags::empty())) else { return };
        for fd in sockets {
            let Ok(number) = i32::try_from(*fd) else { continue };
            // One that may not be copied says that none may.
            let Ok(socket) = pidfd_getfd(&pidfd, number, PidfdGetfdFlags::empty()) else { return };
            let Some(inode) = self.socket(found, &socket) else { continue };
            if Some(inode) != process.namespace(Kind::Net) {
                found.hold(Holder { namespace: inode, by: By::Socket { pid: process.pid, fd: *fd } });
            }
        }
    }

    /// The network namespace of a socket.
    fn socket(&mut self, found: &mut Found<'_>, socket: &OwnedFd) -> Option<u64> {
        let cookie = net::namespace_cookie(socket.as_fd()).ok();
        if let Some(known) = cookie.and_then(|cookie| self.cookies.get(&cookie)) {
            return *known;
        }
        let file = net::namespace_of(socket.as_fd()).ok();
        let inode = file.as_ref().and_then(|file| identity(file.as_fd())).map(|(_, inode)| inode);
        if let Some(cookie) = cookie {
            self.cookies.insert(cookie, inode);
        }
        if let (Some(file), Some(inode)) = (file, inode)
            && self.known.insert(inode)
            && !found.knows(inode)
        {
            found.file(file.as_fd());
        }
        inode
    }

    /// Adds the namespaces of the open files, after all processes are known.
    pub(super) fn finish(self, proc: &Proc, found: &mut Found<'_>) {
        let mut files: Vec<_> = self.files.into_iter().collect();
        files.sort_unstable();
        for (_, (pid, fd)) in files {
            let path = Path::new(&[pid.to_string().as_bytes(), b"/fd/", fd.to_string().as_bytes()]);
            // By now the number may be another file's.
            if let Ok(file) = proc.open_file(&path, OFlags::PATH).and_then(|place| open_place(&place)) {
                found.file(file.as_fd());
            }
        }
    }
}
