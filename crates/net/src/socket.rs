//! A netlink socket: one request, its answers; and again while the kernel says that a list has changed meanwhile.

use crate::error::{Act, Error};
use crate::message::{Answer, HEADER, Malformed, Request, answers, attributes, i32_at, text};
use crate::number::{
    NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK, NLM_F_ACK, NLM_F_ACK_TLVS, NLM_F_CAPPED,
    NLM_F_DUMP, NLM_F_DUMP_INTR, NLMSG_DONE, NLMSG_ERROR, NLMSG_NOOP, NLMSGERR_ATTR_MSG,
};
use insula_sys::net::netlink_option;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, recvfrom, sendto, socket_with,
};

/// The longest datagram that the kernel makes of a list (`NLMSG_GOODSIZE` grows up to this with the reader's buffer).
const DATAGRAM: usize = 32 * 1024;

/// How often a list is asked for again when it changed while it was read.
const ATTEMPTS: usize = 32;

/// A socket of rtnetlink(7). It speaks of the network namespace that it was opened in, wherever its process goes.
#[derive(Debug)]
pub struct Socket {
    file: OwnedFd,
    sequence: u32,
    buffer: Vec<u8>,
}

/// A list, as far as it is read.
struct Listing<T> {
    list: Vec<T>,
    has_changed: bool,
}

/// What an attempt to read a list came to.
#[derive(Debug, PartialEq, Eq)]
enum Listed<T> {
    All(Vec<T>),
    Changed,
}

impl Socket {
    /// Opens a socket in the network namespace of this thread.
    pub fn open() -> Result<Socket, Error> {
        Socket::subscribed(0)
    }

    /// One that another process has opened with [`Socket::open`], in the network namespace where that one was.
    pub fn given(file: OwnedFd) -> Socket {
        Socket { file, sequence: 0, buffer: Vec::new() }
    }

    /// Its descriptor, to give away.
    pub fn into_file(self) -> OwnedFd {
        self.file
    }

    /// The same, with the events of the groups that are bits of `groups` (`1 << (RTNLGRP_… - 1)`).
    pub(crate) fn subscribed(groups: u32) -> Result<Socket, Error> {
        let failed = |errno| refused(Act::Socket, "open a netlink socket", errno, None);
        // NETLINK_ROUTE is 0, as no protocol is.
        let file = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)
            .map_err(failed)?;
        let socket = Socket::of(file);
        if groups != 0 {
            bind(&socket.file, &SocketAddrNetlink::new(0, groups)).map_err(failed)?;
        }
        Ok(socket)
    }

    /// A netlink socket that was opened elsewhere, as by a [`visit`](crate::visit) in another namespace.
    pub fn of(file: OwnedFd) -> Socket {
        // Each is a help that a kernel may lack; the code below does without.
        for option in [NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK] {
            let _ = netlink_option(file.as_fd(), option, true);
        }
        Socket { file, sequence: 0, buffer: Vec::new() }
    }

    /// Sends a request that has no answer but yes or no.
    pub(crate) fn acknowledged(&mut self, act: Act, what: &str, request: &mut Request) -> Result<(), Error> {
        let sequence = self.send(act, what, request, NLM_F_ACK)?;
        loop {
            for answer in self.receive(act, what)? {
                let answer = answer.map_err(|part| malformed(what, part))?;
                if answer.sequence == sequence && answer.kind == NLMSG_ERROR {
                    return verdict(act, what, &answer);
                }
            }
        }
    }

    /// Sends a request that has one answer, which `read` reads.
    pub(crate) fn one<T>(
        &mut self,
        act: Act,
        what: &str,
        request: &mut Request,
        read: impl Fn(&Answer<'_>) -> Result<T, Malformed>,
    ) -> Result<T, Error> {
        let sequence = self.send(act, what, request, 0)?;
        loop {
            for answer in self.receive(act, what)? {
                let answer = answer.map_err(|part| malformed(what, part))?;
                match answer.kind {
                    _ if answer.sequence != sequence => {}
                    NLMSG_ERROR => {
                        verdict(act, what, &answer)?;
                        return Err(malformed(what, Malformed("an acknowledgement in place of an answer")));
                    }
                    _ => return read(&answer).map_err(|part| malformed(what, part)),
                }
            }
        }
    }

    /// Sends a request for a list; `read` reads one of it, or `None` where it is not of those that are sought.
    pub(crate) fn list<T>(
        &mut self,
        what: &str,
        request: &mut Request,
        read: impl Fn(&Answer<'_>) -> Result<Option<T>, Malformed>,
    ) -> Result<Vec<T>, Error> {
        for _ in 0..ATTEMPTS {
            if let Listed::All(list) = self.list_once(what, request, &read)? {
                return Ok(list);
            }
        }
        Err(Error::Restless { what: what.to_owned() })
    }

    fn list_once<T>(
        &mut self,
        what: &str,
        request: &mut Request,
        read: &impl Fn(&Answer<'_>) -> Result<Option<T>, Malformed>,
    ) -> Result<Listed<T>, Error> {
        let sequence = self.send(Act::List, what, request, NLM_F_DUMP)?;
        let mut listing = Listing::new();
        loop {
            for answer in self.receive(Act::List, what)? {
                let answer = answer.map_err(|part| malformed(what, part))?;
                if answer.sequence == sequence && listing.is_ended_by(what, &answer, read)? {
                    return Ok(listing.listed());
                }
            }
        }
    }

    /// The next event of the groups that the socket is subscribed to; waits for it. ENOBUFS: events were lost, because
    /// nobody read them for too long.
    pub(crate) fn event<T>(
        &mut self,
        what: &str,
        read: impl Fn(&Answer<'_>) -> Result<Option<T>, Malformed>,
    ) -> Result<Vec<T>, Error> {
        let mut events = Vec::new();
        for answer in self.receive(Act::Socket, what)? {
            let answer = answer.map_err(|part| malformed(what, part))?;
            events.extend(read(&answer).map_err(|part| malformed(what, part))?);
        }
        Ok(events)
    }

    fn send(&mut self, act: Act, what: &str, request: &mut Request, flags: u16) -> Result<u32, Error> {
        self.sequence = self.sequence.wrapping_add(1).max(1);
        let bytes = request.sealed(self.sequence, flags);
        let kernel = SocketAddrNetlink::new(0, 0);
        loop {
            match sendto(&self.file, bytes, SendFlags::empty(), &kernel) {
                Ok(_) => return Ok(self.sequence),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(refused(act, what, errno, None)),
            }
        }
    }

    /// The messages of the next datagram of the kernel's. Another process may send to our port as well: such is not read.
    fn receive(
        &mut self,
        act: Act,
        what: &str,
    ) -> Result<impl Iterator<Item = Result<Answer<'_>, Malformed>>, Error> {
        self.buffer.resize(DATAGRAM, 0);
        let length = loop {
            match recvfrom(&self.file, self.buffer.as_mut_slice(), RecvFlags::TRUNC) {
                Ok((_, length, sender)) => {
                    let sender = sender.and_then(|sender| SocketAddrNetlink::try_from(sender).ok());
                    if sender.is_some_and(|sender| sender.pid() == 0) {
                        break length;
                    }
                }
                Err(Errno::INTR) => {}
                Err(errno) => return Err(refused(act, what, errno, None)),
            }
        };
        let datagram =
            self.buffer.get(..length).ok_or_else(|| malformed(what, Malformed("it is too long")))?;
        Ok(answers(datagram))
    }
}

impl<T> Listing<T> {
    fn new() -> Listing<T> {
        Listing { list: Vec::new(), has_changed: false }
    }

    /// Takes a message; true if it is the last one.
    fn is_ended_by(
        &mut self,
        what: &str,
        answer: &Answer<'_>,
        read: &impl Fn(&Answer<'_>) -> Result<Option<T>, Malformed>,
    ) -> Result<bool, Error> {
        // It may stand in any message, the last one too.
        self.has_changed |= answer.flags & NLM_F_DUMP_INTR != 0;
        match answer.kind {
            NLMSG_DONE | NLMSG_ERROR => return verdict(Act::List, what, answer).map(|()| true),
            NLMSG_NOOP => {}
            _ => self.list.extend(read(answer).map_err(|part| malformed(what, part))?),
        }
        Ok(false)
    }

    fn listed(self) -> Listed<T> {
        if self.has_changed { Listed::Changed } else { Listed::All(self.list) }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// What an `NLMSG_ERROR` or `NLMSG_DONE` says: an errno below 0, or all is well; and, where the kernel has one, a text.
fn verdict(act: Act, what: &str, answer: &Answer<'_>) -> Result<(), Error> {
    // A DONE of an old kernel may have no number.
    let code = match i32_at(answer.payload, 0) {
        Err(_) if answer.kind == NLMSG_DONE => 0,
        code => code.map_err(|part| malformed(what, part))?,
    };
    if code >= 0 {
        return Ok(());
    }
    // Errno takes no other: the kernel's MAX_ERRNO.
    if code < -4095 {
        return Err(malformed(what, Malformed("an errno")));
    }
    Err(refused(act, what, Errno::from_raw_os_error(-code), said(answer)))
}

/// The text of an extended acknowledgement. It is a courtesy: what of it cannot be read is left out.
fn said(answer: &Answer<'_>) -> Option<String> {
    if answer.flags & NLM_F_ACK_TLVS == 0 {
        return None;
    }
    // Behind the number an ERROR has the request's header, and the rest of the request unless it is capped.
    let structure = match answer.kind {
        NLMSG_ERROR if answer.flags & NLM_F_CAPPED == 0 => {
            4 + usize::try_from(i32_at(answer.payload, 4).ok()?).ok()?
        }
        NLMSG_ERROR => 4 + HEADER,
        _ => 4,
    };
    let message =
        attributes(answer.payload, structure).flatten().find(|(kind, _)| *kind == NLMSGERR_ATTR_MSG)?;
    Some(text(message.1)).filter(|text| !text.is_empty())
}

/// The kernel refused.
pub(crate) fn refused(act: Act, what: &str, errno: Errno, said: Option<String>) -> Error {
    Error::Refused { act, what: what.to_owned(), errno, said }
}

fn malformed(what: &str, part: Malformed) -> Error {
    Error::Malformed { what: what.to_owned(), part: part.0 }
}

#[cfg(test)]
#[path = "socket_tests.rs"]
mod tests;
