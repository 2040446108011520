//! The attempt itself: sockets that were opened in A's network namespace connect, all at once, until one has an answer.

use crate::listener::Protocol;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::sockopt::socket_error;
use rustix::net::{RecvFlags, SendFlags, connect, getsockname, recv, send};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// What became of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried {
    /// It was answered.
    Answered {
        /// Our own address.
        source: IpAddr,
        /// How long it took.
        after: Duration,
    },
    /// It was refused with this errno.
    Failed(Errno),
    /// Nothing came in time.
    Silent,
}

/// One attempt.
#[derive(Debug)]
pub struct Attempt {
    /// Where to.
    pub to: SocketAddr,
    file: Option<OwnedFd>,
    begun: Instant,
    tried: Option<Tried>,
}

impl Attempt {
    /// Begins it. A kernel without IPv6 has no socket for it: that is its answer.
    pub fn begin(protocol: Protocol, file: Result<OwnedFd, Errno>, to: SocketAddr) -> Attempt {
        let begun = Instant::now();
        let file = match file {
            Ok(file) => file,
            Err(errno) => return Attempt { to, file: None, begun, tried: Some(Tried::Failed(errno)) },
        };
        let connected = match (connect(&file, &to), protocol) {
            // An empty datagram is enough to be refused, and harms nobody.
            (Ok(()), Protocol::Udp) => send(&file, &[], SendFlags::NOSIGNAL).map(|_| ()),
            (connected, _) => connected,
        };
        let tried = match (connected, protocol) {
            (Ok(()), Protocol::Tcp) => Some(Tried::Answered { source: own(&file), after: begun.elapsed() }),
            (Ok(()), Protocol::Udp) | (Err(Errno::INPROGRESS), _) => None,
            (Err(errno), _) => Some(Tried::Failed(errno)),
        };
        Attempt { to, file: Some(file), begun, tried }
    }

    /// What became of it.
    pub fn tried(&self) -> Tried {
        self.tried.unwrap_or(Tried::Silent)
    }

    /// Looks for an answer.
    fn look(&mut self, protocol: Protocol) {
        let Some(file) = &self.file else { return };
        let answered = match (socket_error(file), protocol) {
            (Ok(Err(errno)) | Err(errno), _) => Err(errno),
            (Ok(Ok(())), Protocol::Tcp) => Ok(()),
            (Ok(Ok(())), Protocol::Udp) => recv(file, &mut [0u8; 1][..], RecvFlags::empty()).map(|_| ()),
        };
        self.tried = Some(match answered {
            Ok(()) => Tried::Answered { source: own(file), after: self.begun.elapsed() },
            Err(errno) => Tried::Failed(errno),
        });
    }
}

fn own(file: &OwnedFd) -> IpAddr {
    let name = getsockname(file).ok().and_then(|name| SocketAddr::try_from(name).ok());
    name.map_or(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), |name| name.ip())
}

/// Waits until one is answered, all are refused, or the time is over. Returns the first that was answered.
pub fn wait(
    protocol: Protocol,
    attempts: &mut [Attempt],
    begun: Instant,
    timeout: Duration,
) -> Option<usize> {
    loop {
        let answered = |attempt: &Attempt| matches!(attempt.tried, Some(Tried::Answered { .. }));
        if let Some(at) = attempts.iter().position(answered) {
            return Some(at);
        }
        let left = timeout.checked_sub(begun.elapsed())?;
        let open: Vec<usize> = (0..attempts.len()).filter(|at| attempts[*at].tried.is_none()).collect();
        if open.is_empty() {
            return None;
        }
        let event = if protocol == Protocol::Tcp { PollFlags::OUT } else { PollFlags::IN };
        let file = |at: &usize| {
            attempts[*at].file.as_ref().map(|file| PollFd::from_borrowed_fd(file.as_fd(), event))
        };
        let mut files: Vec<PollFd<'_>> = open.iter().filter_map(file).collect();
        let ready = match poll(&mut files, Some(&Timespec::try_from(left).ok()?)) {
            Ok(_) => files.iter().map(|file| !file.revents().is_empty()).collect::<Vec<_>>(),
            Err(Errno::INTR) => continue,
            Err(_) => return None,
        };
        for (at, _) in open.into_iter().zip(ready).filter(|(_, ready)| *ready) {
            attempts[at].look(protocol);
        }
    }
}
