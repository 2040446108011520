//! Asks the process that keeps the namespaces of a name for them.
//!
//! It listens on a socket in the name's own directory, and gives them to its own user alone, SCM_RIGHTS of unix(7). What
//! comes is trusted no more than any input: who sent it is looked at, and each namespace is compared with the record by who asked. It
//! cannot make us wait for longer than [`PATIENCE`].

use super::record::Process;
use super::store::SOCKET;
use super::trouble::{Stale, Trouble};
use crate::id::Identity;
use insula_launch::plan::Kind;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::fs::{Mode, OFlags, open as open_file};
use rustix::io::Errno;
use rustix::net::sockopt::socket_peercred;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SocketAddrUnix, SocketFlags,
    SocketType, connect, recvmsg, socket_with,
};
use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::time::{Duration, Instant};

/// How long a keeper has to answer; it takes it microseconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who is asked.
#[derive(Debug)]
pub(super) struct Keeper {
    /// The name's directory.
    pub(super) directory: String,
    /// The process that was written down, if it lives and its pid means something here.
    pub(super) process: Option<Process>,
    /// A kind that it keeps, for a complaint.
    pub(super) kind: Kind,
}

/// What it gives.
pub(super) fn ask(keeper: &Keeper) -> Result<Vec<(Kind, OwnedFd)>, Trouble> {
    let silent = |what: &'static str| move |_: Errno| Trouble::Silent(what);
    let gone = || Trouble::Stale(keeper.kind, Stale::KeeperEnded);
    let deadline = Instant::now() + PATIENCE;
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let directory = open_file(keeper.directory.as_str(), flags, Mode::empty())
        .map_err(silent("its directory cannot be opened"))?;
    // An address has 107 bytes (unix(7)), a path may have more.
    let address = SocketAddrUnix::new(format!("/proc/self/fd/{}/{SOCKET}", directory.as_raw_fd()))
        .map_err(silent("no address"))?;
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket =
        socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).map_err(silent("no socket"))?;
    loop {
        match connect(&socket, &address) {
            Ok(()) => break,
            // Many wait already.
            Err(Errno::AGAIN | Errno::INTR) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(1));
            }
            Err(Errno::CONNREFUSED | Errno::NOENT) => return Err(gone()),
            Err(errno) => return Err(silent("connect")(errno)),
        }
    }
    is_the_keeper(keeper, &socket).map_err(silent("another process listens there"))?;
    let left = deadline.saturating_duration_since(Instant::now());
    let left =
        Timespec { tv_sec: left.as_secs().try_into().unwrap_or(0), tv_nsec: left.subsec_nanos().into() };
    match poll(&mut [PollFd::new(&socket, PollFlags::IN)], Some(&left)) {
        Ok(1..) => receive(&socket).map_err(silent("it gave nothing")),
        Ok(0) => Err(Trouble::Silent("it took too long")),
        Err(errno) => Err(silent("wait")(errno)),
    }
}

/// Who listens has to be the process that was written down, and our own user.
fn is_the_keeper(keeper: &Keeper, socket: &OwnedFd) -> Result<(), Errno> {
    let peer = socket_peercred(socket)?;
    let is_ours = peer.uid == rustix::process::geteuid();
    // In another pid namespace its pid is another.
    let is_it = keeper.process.is_none_or(|process| process.pid == peer.pid.as_raw_nonzero().get());
    if is_ours && is_it { Ok(()) } else { Err(Errno::PERM) }
}

/// One byte, and with it the namespaces.
fn receive(socket: &OwnedFd) -> Result<Vec<(Kind, OwnedFd)>, Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(Kind::ALL.len()))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0u8];
    let received = recvmsg(
        socket,
        &mut [IoSliceMut::new(&mut byte)],
        &mut control,
        RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT,
    )?;
    let mut given = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(files) = message {
            for file in files {
                // What is no namespace is closed.
                if let Ok(identity) = Identity::of_file(file.as_fd()) {
                    given.push((identity.kind, file));
                }
            }
        }
    }
    if received.bytes == 0 || given.is_empty() { Err(Errno::PERM) } else { Ok(given) }
}
