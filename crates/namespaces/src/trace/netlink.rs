//! netlink(7) answers with an error where a system call would be refused: the answers on a program's sockets are read.

use super::decode::int;
use super::flags::{NETLINK, choice};
use super::memory::Memory;
use super::place::link;
use rustix::io::Errno;
use std::collections::HashMap;

/// `AF_NETLINK`.
const AF_NETLINK: u64 = 16;
/// `NETLINK_ROUTE`.
const ROUTE: u64 = 0;
/// `NLMSG_ERROR`.
const ERROR: u16 = 2;

/// The netlink sockets of the processes: what they are linked to in /proc, and their protocol.
#[derive(Debug, Default)]
pub(super) struct Sockets(HashMap<(i32, i32), (Vec<u8>, u64)>);

impl Sockets {
    /// socket(2) has made one.
    pub(super) fn made(&mut self, pid: i32, tid: i32, args: &[u64; 6], value: i64) {
        let Ok(fd) = i32::try_from(value) else { return };
        if args[0] == AF_NETLINK
            && let Some(target) = link(tid, &format!("fd/{fd}"))
        {
            self.0.insert((pid, fd), (target, args[2]));
        }
    }

    /// The process has ended.
    pub(super) fn forget(&mut self, pid: i32) {
        self.0.retain(|(owner, _), _| *owner != pid);
    }

    /// The error in an answer that was just received: the request, and the errno.
    pub(super) fn error(&self, pid: i32, tid: i32, call: &str, args: &[u64; 6]) -> Option<(String, Errno)> {
        let fd = int(args[0]);
        let (target, protocol) = self.0.get(&(pid, fd))?;
        // The number may stand for something else by now.
        if link(tid, &format!("fd/{fd}")).as_ref() != Some(target) {
            return None;
        }
        let memory = Memory::of(tid);
        let buffer = match call {
            "recvfrom" => args[1],
            // The third word of a msghdr is the address of its vectors, the first of those that of the bytes.
            _ => *memory.words(*memory.words(args[1], 3).get(2)?, 1).first()?,
        };
        let (request, errno) = refused(&memory.bytes(buffer, 36))?;
        let text = match *protocol {
            ROUTE => format!("netlink {}", choice(request.into(), NETLINK)),
            other => format!("netlink, protocol {other}, message {request:#x}"),
        };
        Some((text, errno))
    }
}

/// A message of type `NLMSG_ERROR`: the type of the request that it answers, and the errno. An acknowledgement is 0.
fn refused(bytes: &[u8]) -> Option<(u16, Errno)> {
    let two = |at: usize| Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    let error = i32::from_ne_bytes(bytes.get(16..20)?.try_into().ok()?);
    let errno = Errno::from_raw_os_error(error.checked_neg().filter(|errno| (1..4096).contains(errno))?);
    let counts = matches!(
        errno,
        Errno::PERM
            | Errno::ACCESS
            | Errno::OPNOTSUPP
            | Errno::NOSYS
            | Errno::NOSPC
            | Errno::USERS
            | Errno::INVAL
    );
    (two(4)? == ERROR && counts).then_some((two(24)?, errno))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(kind: u16, error: i32, request: u16) -> Vec<u8> {
        let mut bytes = vec![0_u8; 36];
        bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
        bytes[16..20].copy_from_slice(&error.to_ne_bytes());
        bytes[24..26].copy_from_slice(&request.to_ne_bytes());
        bytes
    }

    #[test]
    fn an_error_is_told_with_its_request() {
        assert_eq!(refused(&answer(ERROR, -1, 16)), Some((16, Errno::PERM)));
        assert_eq!(refused(&answer(ERROR, 0, 16)), None, "an acknowledgement");
        assert_eq!(refused(&answer(16, -1, 16)), None, "another message");
        assert_eq!(refused(&answer(ERROR, i32::MIN, 16)), None);
        assert_eq!(refused(&answer(ERROR, -17, 16)), None, "it is there already");
        assert_eq!(refused(&[0; 17]), None);
    }
}
