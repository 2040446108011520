//! Births and ends of processes, told by the kernel as they happen: the proc connector (`NETLINK_CONNECTOR`, `CN_IDX_PROC`
//! of <linux/cn_proc.h>). It speaks in the initial user, pid and network namespaces, to root, and from Linux 6.6
//! on to everybody.

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::netlink::{self, SocketAddrNetlink};
use rustix::net::sockopt::{set_socket_recv_buffer_size, set_socket_recv_buffer_size_force};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, recvfrom, sendto, socket_with,
};

/// `CN_IDX_PROC` and `CN_VAL_PROC`.
const PROC: u32 = 1;
/// `PROC_CN_MCAST_LISTEN`.
const LISTEN: u32 = 1;
/// `struct nlmsghdr`.
const HEADER: usize = 16;
/// `struct cn_msg` without its data.
const MESSAGE: usize = 20;
/// `NLMSG_DONE`, the type that the connector's messages have.
const DONE: u16 = 3;
/// Room for some ten thousand events.
const ROOM_BYTES: usize = 4 << 20;

/// What happened to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Happened {
    /// It was born, or runs another program: look at it.
    Look(u32),
    /// It has ended.
    Ended(u32),
    /// The kernel has heard us.
    Heard,
}

/// The socket.
pub(super) struct Connector(OwnedFd);

impl Connector {
    /// Begins to listen; `None`: the kernel does not tell us.
    pub(super) fn listen() -> Option<Connector> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket =
            socket_with(AddressFamily::NETLINK, SocketType::DGRAM, flags, Some(netlink::CONNECTOR)).ok()?;
        // More room is a help; less will do.
        if set_socket_recv_buffer_size_force(&socket, ROOM_BYTES).is_err() {
            let _ = set_socket_recv_buffer_size(&socket, ROOM_BYTES);
        }
        bind(&socket, &SocketAddrNetlink::new(0, 1 << (PROC - 1))).ok()?;
        sendto(&socket, &request(), SendFlags::empty(), &SocketAddrNetlink::new(0, 0)).ok()?;
        let mut connector = Connector(socket);
        // The answer is there when the call returns; elsewhere than in the initial namespaces there is none.
        let heard = connector.happened().ok()?;
        heard.contains(&Happened::Heard).then_some(connector)
    }

    /// What happened since the last time. ENOBUFS: some of it was lost.
    pub(super) fn happened(&mut self) -> Result<Vec<Happened>, Errno> {
        let mut all = Vec::new();
        let mut room = [0u8; 4096];
        loop {
            match recvfrom(&self.0, room.as_mut_slice(), RecvFlags::empty()) {
                Ok((_, length, sender)) => {
                    // Another process may send to our port: only the kernel is believed.
                    let sender = sender.and_then(|sender| SocketAddrNetlink::try_from(sender).ok());
                    if sender.is_some_and(|sender| sender.pid() == 0) {
                        all.extend(read(room.get(..length).unwrap_or_default()));
                    }
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(all),
                // What came before is not lost for it: the caller looks at everything then.
                Err(errno) => return Err(errno),
            }
        }
    }
}

impl AsFd for Connector {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn request() -> Vec<u8> {
    let length = u32::try_from(HEADER + MESSAGE + 4).expect("forty bytes");
    let mut bytes = Vec::with_capacity(HEADER + MESSAGE + 4);
    bytes.extend(length.to_ne_bytes());
    bytes.extend(DONE.to_ne_bytes());
    bytes.extend([0; 10]);
    // struct cn_msg: idx, val, seq, ack, len, flags.
    for word in [PROC, PROC, 0, 0] {
        bytes.extend(word.to_ne_bytes());
    }
    bytes.extend(4u16.to_ne_bytes());
    bytes.extend(0u16.to_ne_bytes());
    bytes.extend(LISTEN.to_ne_bytes());
    bytes
}

/// Reads one message: `struct proc_event` behind both heads. What is of no interest, or makes no sense, is nothing.
fn read(message: &[u8]) -> Option<Happened> {
    let event = message.get(HEADER + MESSAGE..)?;
    let word = |at: usize| Some(u32::from_ne_bytes(event.get(at..at + 4)?.try_into().ok()?));
    // what, cpu, timestamp_ns; then the event's own.
    match word(0)? {
        0 => (word(16)? == 0).then_some(Happened::Heard),
        // Fork: the parent's pid and tgid, the child's. A new thread is in its process' namespaces.
        1 => (word(24)? == word(28)?).then_some(Happened::Look(word(28)?)),
        // Execve: pid and tgid.
        2 => Some(Happened::Look(word(20)?)),
        // Exit: pid and tgid.
        0x8000_0000 => (word(16)? == word(20)?).then_some(Happened::Ended(word(20)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(words: &[u32]) -> Vec<u8> {
        let mut bytes = vec![0u8; HEADER + MESSAGE];
        words.iter().for_each(|word| bytes.extend(word.to_ne_bytes()));
        bytes
    }

    #[test]
    fn an_event_says_whom_to_look_at() {
        assert_eq!(read(&message(&[1, 0, 0, 0, 7, 7, 9, 9])), Some(Happened::Look(9)));
        assert_eq!(read(&message(&[1, 0, 0, 0, 7, 7, 9, 7])), None, "a thread");
        assert_eq!(read(&message(&[2, 0, 0, 0, 8, 8])), Some(Happened::Look(8)));
        assert_eq!(read(&message(&[0x8000_0000, 0, 0, 0, 8, 8, 0])), Some(Happened::Ended(8)));
        assert_eq!(read(&message(&[0, 0, 0, 0, 0])), Some(Happened::Heard));
        assert_eq!(read(&message(&[0, 0, 0, 0, 1])), None, "refused");
        assert_eq!(read(&message(&[1, 0])), None);
        assert_eq!(read(&[0; 10]), None);
    }
}
