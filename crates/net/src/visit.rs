//! Sockets in another network namespace, for who stays where it is.
//!
//! A short-lived child enters the namespace, and its user namespace where it must; it opens the sockets there and hands them
//! back (unix(7), `SCM_RIGHTS`). A socket stays in the namespace that it was opened in. So one process can hold sockets of
//! namespaces that no single process could enter one after another, as those of two user namespaces side by side.

use crate::error::{Act, Error};
use crate::network;
use crate::socket::refused;
use insula_sys::birth;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, Protocol, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, netlink, recvmsg, sendmsg, socket_with,
    socketpair,
};
use rustix::process::{WaitId, WaitIdOptions, waitid};
use std::convert::Infallible;
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;

/// A socket that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// rtnetlink(7).
    Route,
    /// sock_diag(7).
    Diagnosis,
    /// The netlink of nftables, `NETLINK_NETFILTER`.
    Netfilter,
    /// TCP over IPv4 or IPv6, non-blocking.
    Tcp {
        /// Over IPv6.
        v6: bool,
    },
    /// The same of UDP.
    Udp {
        /// Over IPv6.
        v6: bool,
    },
    /// A unix socket of a type, non-blocking.
    Unix(SocketType),
}

impl Wanted {
    fn open(self) -> Result<OwnedFd, Errno> {
        let netlink =
            |protocol| socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, protocol);
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let family = |v6: bool| if v6 { AddressFamily::INET6 } else { AddressFamily::INET };
        match self {
            Wanted::Route => netlink(None),
            Wanted::Diagnosis => netlink(Some(netlink::SOCK_DIAG)),
            Wanted::Netfilter => netlink(Some(netlink::NETFILTER)),
            Wanted::Tcp { v6 } => socket_with(family(v6), SocketType::STREAM, flags, None::<Protocol>),
            Wanted::Udp { v6 } => socket_with(family(v6), SocketType::DGRAM, flags, None::<Protocol>),
            Wanted::Unix(kind) => socket_with(AddressFamily::UNIX, kind, flags, None::<Protocol>),
        }
    }
}

/// The sockets, in the order in which they are wanted; a kernel may lack one of them. `name` is the namespace's, for
/// messages. EPERM: it is not ours to enter.
pub fn sockets(
    namespace: BorrowedFd<'_>,
    name: &str,
    wanted: &[Wanted],
) -> Result<Vec<Result<OwnedFd, Errno>>, Error> {
    let failed = |errno| refused(Act::Enter, &format!("enter {name}"), errno, None);
    if network::is_own(namespace) {
        return Ok(wanted.iter().map(|wanted| wanted.open()).collect());
    }
    let (ours, theirs) =
        socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).map_err(failed)?;
    let born = birth::clone3(0, || child(namespace, theirs.as_fd(), wanted)).map_err(failed)?;
    drop(theirs);
    let answers = entered(ours.as_fd()).map(|()| {
        wanted.iter().map(|_| receive(ours.as_fd()).and_then(|file| file.ok_or(Errno::IO))).collect()
    });
    // It ends by itself once all is sent, or nobody listens any more.
    drop(ours);
    while matches!(waitid(WaitId::PidFd(born.pidfd.as_fd()), WaitIdOptions::EXITED), Err(Errno::INTR)) {}
    answers.map_err(failed)
}

/// Did the child get in?
fn entered(from: BorrowedFd<'_>) -> Result<(), Errno> {
    receive(from).map(drop)
}

/// Its whole life: no allocation, since a caller may have threads.
fn child(namespace: BorrowedFd<'_>, to: BorrowedFd<'_>, wanted: &[Wanted]) -> Infallible {
    let entered = network::enter(namespace);
    let is_in = entered.is_ok();
    send(to, entered.map(|()| None));
    if is_in {
        for wanted in wanted {
            send(to, wanted.open().map(Some));
        }
    }
    birth::exit_now(0)
}

/// One message: the errno, 0 where all is well, and the socket.
fn send(to: BorrowedFd<'_>, answer: Result<Option<OwnedFd>, Errno>) {
    let errno = answer.as_ref().err().map_or(0, |errno| errno.raw_os_error()).to_ne_bytes();
    let mut room = [MaybeUninit::<u8>::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut room);
    let file = answer.ok().flatten();
    let files = file.as_ref().map(|file| [file.as_fd()]);
    if let Some(files) = &files {
        control.push(SendAncillaryMessage::ScmRights(files));
    }
    // Nobody listens: nothing is left to do.
    let _ = sendmsg(to, &[IoSlice::new(&errno)], &mut control, SendFlags::NOSIGNAL);
}

fn receive(from: BorrowedFd<'_>) -> Result<Option<OwnedFd>, Errno> {
    let mut errno = [0u8; 4];
    let mut room = [MaybeUninit::<u8>::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut room);
    let bytes = loop {
        match recvmsg(from, &mut [IoSliceMut::new(&mut errno)], &mut control, RecvFlags::CMSG_CLOEXEC) {
            Err(Errno::INTR) => {}
            message => break message?.bytes,
        }
    };
    // The child died.
    if bytes != errno.len() {
        return Err(Errno::IO);
    }
    match i32::from_ne_bytes(errno) {
        0 => {}
        raw => return Err(Errno::from_raw_os_error(raw)),
    }
    Ok(control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut files) => files.next(),
        _ => None,
    }))
}
