//! A visitor: a child that enters one namespace, looks round there, and waits until we have looked at it from outside.
//!
//! Where setns(2) is refused here, the user namespace that owns the namespace is entered first, as its owner may. So all
//! that a process is told of it, we are told.

use insula_sys::birth::{exit_now, fork, setns};
use insula_sys::nsfs;
use insula_sys::prctl;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{fstat, stat};
use rustix::io::{Errno, read, write};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use rustix::process::{Signal, WaitId, WaitIdOptions, pidfd_send_signal, waitid};
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;

/// The most that a visitor tells: more would be a mistake.
const MOST_BYTES: usize = 4 << 20;

/// What it brings along from inside: a text, and an open file.
pub(super) type Brought = (Vec<u8>, Option<OwnedFd>);

/// A visitor that is inside.
#[derive(Debug)]
pub(super) struct Visit {
    /// Its pid: `/proc/PID` shows what is inside.
    pub(super) pid: u32,
    /// What it has told.
    pub(super) text: Vec<u8>,
    /// The file that it has opened there.
    pub(super) file: Option<OwnedFd>,
    pidfd: OwnedFd,
    /// Our end of the socket: when it is closed the visitor leaves.
    socket: Option<OwnedFd>,
}

impl Visit {
    /// Sends one into a namespace. `look` is what it does there; this process has to have one thread.
    pub(super) fn to(
        namespace: BorrowedFd<'_>,
        look: impl FnOnce() -> Result<Brought, Errno>,
    ) -> Result<Visit, Errno> {
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        let mut ours = Some(ours);
        let mut theirs = Some(theirs);
        let born = fork(|| {
            drop(ours.take());
            let socket = theirs.take();
            // It must not outlive us, waiting for a word; and who is inside must not get hold of it.
            let _ = prctl::death_signal(Signal::KILL.as_raw());
            if let Some(socket) = socket
                && prctl::dumpable(false).is_ok()
            {
                live(&socket, namespace, look);
            }
            exit_now(0)
        })?;
        drop(theirs);
        let pid = u32::try_from(born.pid).unwrap_or(0);
        let mut visit = Visit { pid, text: Vec::new(), file: None, pidfd: born.pidfd, socket: ours.take() };
        visit.hear()?;
        Ok(visit)
    }

    /// Reads what it says: an errno with a file perhaps, then the text, then an end that is only of writing.
    fn hear(&mut self) -> Result<(), Errno> {
        let socket = self.socket.as_ref().ok_or(Errno::NOTCONN)?;
        let mut errno = [0u8; 4];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let got = loop {
            let mut into = [IoSliceMut::new(&mut errno)];
            match recvmsg(socket, &mut into, &mut ancillary, RecvFlags::CMSG_CLOEXEC) {
                Err(Errno::INTR) => {}
                got => break got?.bytes,
            }
        };
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(files) = message {
                self.file = files.last();
            }
        }
        if got != errno.len() {
            // It died without a word.
            return Err(Errno::SRCH);
        }
        match i32::from_ne_bytes(errno) {
            0 => {}
            code => return Err(Errno::from_raw_os_error(code)),
        }
        let mut room = vec![0u8; 16 << 10];
        while self.text.len() < MOST_BYTES {
            match read(socket, room.as_mut_slice()) {
                Ok(0) => break,
                Ok(more) => self.text.extend_from_slice(&room[..more]),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
        }
        Ok(())
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        // It is ours and waits for nothing else; it has nothing to put away.
        let _ = pidfd_send_signal(&self.pidfd, Signal::KILL);
        while matches!(waitid(WaitId::PidFd(self.pidfd.as_fd()), WaitIdOptions::EXITED), Err(Errno::INTR)) {}
    }
}

/// The visitor's life.
fn live(socket: &OwnedFd, namespace: BorrowedFd<'_>, look: impl FnOnce() -> Result<Brought, Errno>) {
    let seen = enter(namespace).and_then(|()| look());
    let code = seen.as_ref().err().map_or(0, |errno| errno.raw_os_error());
    let (text, file) = seen.unwrap_or_default();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let files: Vec<BorrowedFd<'_>> = file.iter().map(AsFd::as_fd).collect();
    if !files.is_empty() {
        ancillary.push(SendAncillaryMessage::ScmRights(&files));
    }
    let code = code.to_ne_bytes();
    if sendmsg(socket, &[IoSlice::new(&code)], &mut ancillary, SendFlags::NOSIGNAL).is_err() {
        return;
    }
    let mut rest = text.as_slice();
    while !rest.is_empty() {
        match write(socket, rest) {
            Ok(done) => rest = &rest[done..],
            Err(Errno::INTR) => {}
            Err(_) => return,
        }
    }
    if rustix::net::shutdown(socket, rustix::net::Shutdown::Write).is_ok() {
        // Until it is killed, or the other end is gone.
        let _ = read(socket, &mut [0u8; 1]);
    }
}

/// Takes this process into a namespace, unless it is there.
fn enter(namespace: BorrowedFd<'_>) -> Result<(), Errno> {
    let inode = fstat(namespace)?.st_ino;
    let is_own = |kind: &str| stat(format!("/proc/self/ns/{kind}")).is_ok_and(|own| own.st_ino == inode);
    let kinds = ["user", "mnt", "net", "ipc", "uts", "cgroup", "time"];
    if kinds.into_iter().any(is_own) {
        return Ok(());
    }
    match setns(namespace, 0) {
        Err(Errno::PERM) => {
            let owner = nsfs::owner(namespace)?;
            setns(owner.as_fd(), 0).map_err(|_| Errno::PERM)?;
            setns(namespace, 0)
        }
        done => done,
    }
}
