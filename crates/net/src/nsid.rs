//! Ids of network namespaces: small numbers that one network namespace has for others (ip-netns(8), "nsid").
//!
//! An id holds in the namespace that gave it, and there only. The kernel gives one where a device's other end lies
//! elsewhere; anybody with CAP_NET_ADMIN can.

use crate::error::{Act, Error};
use crate::message::{Answer, Malformed, Request, attributes, i32_at};
use crate::number::{
    AF_UNSPEC, NETNSA_CURRENT_NSID, NETNSA_FD, NETNSA_NSID, NETNSA_TARGET_NSID, RTM_DELNSID, RTM_GETNSID,
    RTM_NEWNSID, RTNLGRP_NSID,
};
use crate::socket::Socket;
use rustix::fd::{AsFd, AsRawFd, BorrowedFd};

/// `NETNSA_NSID_NOT_ASSIGNED`: no id; in a request: any that is free.
const NONE: i32 = -1;

/// An id of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The id, in the namespace that was asked about.
    pub nsid: i32,
    /// The id of the same namespace in the socket's, where another namespace was asked about (`target`) and it has one.
    pub current: Option<i32>,
}

/// What happened to an id of the socket's namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A namespace has this id now.
    Added(i32),
    /// The namespace of this id is gone.
    Deleted(i32),
}

/// The id that the socket's namespace has for the one that `namespace` is a file of; `None` if none. It asks for no
/// capability. EINVAL: it is no network namespace.
pub fn get(socket: &mut Socket, namespace: BorrowedFd<'_>) -> Result<Option<i32>, Error> {
    let mut request = Request::new(RTM_GETNSID, 0, &[AF_UNSPEC]);
    request.put_i32(NETNSA_FD, namespace.as_raw_fd());
    let entry = socket.one(Act::List, "ask for the id of a network namespace", &mut request, entry)?;
    Ok(Some(entry.nsid).filter(|nsid| *nsid != NONE))
}

/// The namespace of id `nsid` in the socket's, as the one of id `target` (in the socket's too) knows it: the entry's `nsid`
/// is its id there, -1 if it has none, `current` its id here. `ip netns list-id target-nsid TARGET nsid NSID`. Without a
/// target it tells whether the id is anybody's. ENOENT: it is nobody's. A target asks for CAP_NET_ADMIN over it.
pub fn translate(socket: &mut Socket, nsid: i32, target: Option<i32>) -> Result<Entry, Error> {
    let mut request = Request::new(RTM_GETNSID, 0, &[AF_UNSPEC]);
    request.put_i32(NETNSA_NSID, nsid);
    if let Some(target) = target {
        request.put_i32(NETNSA_TARGET_NSID, target);
    }
    socket.one(Act::List, &format!("ask for the network namespace of id {nsid}"), &mut request, entry)
}

/// Gives the namespace that `namespace` is a file of the id `nsid` in the socket's, or any that is free. An id cannot be
/// changed once it is given: EEXIST, also where the id is another's.
pub fn set(socket: &mut Socket, namespace: BorrowedFd<'_>, nsid: Option<i32>) -> Result<(), Error> {
    let mut request = Request::new(RTM_NEWNSID, 0, &[AF_UNSPEC]);
    request.put_i32(NETNSA_FD, namespace.as_raw_fd());
    request.put_i32(NETNSA_NSID, nsid.unwrap_or(NONE));
    let what = match nsid {
        Some(nsid) => format!("give a network namespace the id {nsid}"),
        None => "give a network namespace an id".to_owned(),
    };
    socket.acknowledged(Act::Identify, &what, &mut request)
}

/// All ids that the socket's namespace has for others; or those of the one whose id here is `target`, which asks for
/// CAP_NET_ADMIN over it: `ip netns list-id [target-nsid TARGET]`.
pub fn list(socket: &mut Socket, target: Option<i32>) -> Result<Vec<Entry>, Error> {
    let mut request = Request::new(RTM_GETNSID, 0, &[AF_UNSPEC]);
    if let Some(target) = target {
        request.put_i32(NETNSA_TARGET_NSID, target);
    }
    socket.list("list the ids of network namespaces", &mut request, |answer| {
        if answer.kind == RTM_NEWNSID { entry(answer).map(Some) } else { Ok(None) }
    })
}

/// A socket that hears of new and gone ids of its namespace, as `ip monitor nsid`; poll(2) tells when there are some.
#[derive(Debug)]
pub struct Events(Socket);

impl Events {
    /// Begins to listen, in the network namespace of this thread.
    pub fn listen() -> Result<Events, Error> {
        Socket::subscribed(1 << (RTNLGRP_NSID - 1)).map(Events)
    }

    /// What has happened; waits for something to. ENOBUFS: something was missed, since nobody read for too long.
    pub fn wait(&mut self) -> Result<Vec<Event>, Error> {
        self.0.event("hear of the ids of network namespaces", |answer| {
            Ok(match answer.kind {
                RTM_NEWNSID => Some(Event::Added(entry(answer)?.nsid)),
                RTM_DELNSID => Some(Event::Deleted(entry(answer)?.nsid)),
                _ => None,
            })
        })
    }
}

impl AsFd for Events {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Reads an `RTM_NEWNSID` or `RTM_DELNSID`: `struct rtgenmsg`, then attributes.
fn entry(answer: &Answer<'_>) -> Result<Entry, Malformed> {
    let (mut nsid, mut current) = (None, None);
    for attribute in attributes(answer.payload, 1) {
        let (kind, value) = attribute?;
        match kind {
            NETNSA_NSID => nsid = Some(i32_at(value, 0)?),
            NETNSA_CURRENT_NSID => current = Some(i32_at(value, 0)?).filter(|nsid| *nsid != NONE),
            _ => {}
        }
    }
    Ok(Entry { nsid: nsid.ok_or(Malformed("an id that is not there"))?, current })
}
