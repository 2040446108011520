//! The numbers that our network namespace has for others: RTM_GETNSID, rtnetlink(7).

use super::snapshot::Netnsid;
use rustix::fd::{AsRawFd, BorrowedFd, OwnedFd};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with};

const RTM_NEWNSID: u16 = 88;
const RTM_GETNSID: u16 = 90;
const NLM_F_REQUEST: u16 = 1;
const NETNSA_NSID: u16 = 1;
const NETNSA_FD: u16 = 3;
/// `NETNSA_NSID_NOT_ASSIGNED`, <linux/net_namespace.h>.
const NOT_ASSIGNED: i32 = -1;

/// A socket to ask by.
pub(super) struct Netnsids {
    socket: OwnedFd,
}

impl Netnsids {
    pub(super) fn open() -> Option<Netnsids> {
        // No protocol is 0, NETLINK_ROUTE.
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None);
        socket.ok().map(|socket| Netnsids { socket })
    }

    /// Asks for the number of an open network namespace.
    pub(super) fn of(&self, file: BorrowedFd<'_>) -> Netnsid {
        let mut answer = [0u8; 256];
        let asked = send(&self.socket, &request(file.as_raw_fd()), SendFlags::empty());
        let length = asked.and_then(|_| recv(&self.socket, &mut answer[..], RecvFlags::empty()));
        length.ok().and_then(|(length, _)| parse(answer.get(..length)?)).unwrap_or(Netnsid::Unknown)
    }
}

/// nlmsghdr (16 bytes), rtgenmsg padded to 4, one attribute of 8: the file descriptor.
fn request(fd: i32) -> [u8; 28] {
    let mut bytes = [0u8; 28];
    bytes[0..4].copy_from_slice(&28u32.to_ne_bytes());
    bytes[4..6].copy_from_slice(&RTM_GETNSID.to_ne_bytes());
    bytes[6..8].copy_from_slice(&NLM_F_REQUEST.to_ne_bytes());
    bytes[20..22].copy_from_slice(&8u16.to_ne_bytes());
    bytes[22..24].copy_from_slice(&NETNSA_FD.to_ne_bytes());
    bytes[24..28].copy_from_slice(&fd.to_ne_bytes());
    bytes
}

/// The first attribute of an RTM_NEWNSID.
fn parse(message: &[u8]) -> Option<Netnsid> {
    let half = |at: usize| Some(u16::from_ne_bytes(message.get(at..at + 2)?.try_into().ok()?));
    if half(4)? != RTM_NEWNSID || half(22)? != NETNSA_NSID {
        return None;
    }
    match i32::from_ne_bytes(message.get(24..28)?.try_into().ok()?) {
        NOT_ASSIGNED => Some(Netnsid::Unassigned),
        id if id >= 0 => Some(Netnsid::Id(id)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_and_rubbish_is_not() {
        let mut answer = request(-1);
        answer[4..6].copy_from_slice(&RTM_NEWNSID.to_ne_bytes());
        answer[22..24].copy_from_slice(&NETNSA_NSID.to_ne_bytes());
        assert_eq!(parse(&answer), Some(Netnsid::Unassigned));
        answer[24..28].copy_from_slice(&7i32.to_ne_bytes());
        assert_eq!(parse(&answer), Some(Netnsid::Id(7)));
        assert_eq!(parse(&answer[..26]), None);
        assert_eq!(parse(&request(7)), None);
    }
}
