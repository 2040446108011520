//! The calls that some architectures also have behind one call: sockets behind socketcall(2), System V IPC behind ipc(2).
//!
//! The kernel shows a filter the outer call, whose first argument says which is meant. The arguments of the inner one are in
//! memory, where no filter can read, or moved; so a condition on the first argument of the inner call is dropped there, and the
//! others are applied to what stands at their place, as libseccomp does.

/// `SYS_SOCKET` and its like, <linux/net.h>: the calls in the order of their numbers, from 1.
const SOCKETCALL: [&str; 20] = [
    "socket",
    "bind",
    "connect",
    "listen",
    "accept",
    "getsockname",
    "getpeername",
    "socketpair",
    "send",
    "recv",
    "sendto",
    "recvfrom",
    "shutdown",
    "setsockopt",
    "getsockopt",
    "sendmsg",
    "recvmsg",
    "accept4",
    "recvmmsg",
    "sendmmsg",
];

/// `SEMOP` and its like, <linux/ipc.h>.
const IPC: [(&str, u64); 12] = [
    ("semop", 1),
    ("semget", 2),
    ("semctl", 3),
    ("semtimedop", 4),
    ("msgsnd", 11),
    ("msgrcv", 12),
    ("msgget", 13),
    ("msgctl", 14),
    ("shmat", 21),
    ("shmdt", 22),
    ("shmget", 23),
    ("shmctl", 24),
];

/// The outer call of `name`, and the first argument by which it is meant.
pub fn outer(name: &str) -> Option<(&'static str, u64)> {
    // Quick to say no: most calls begin with another letter.
    if !matches!(name.as_bytes().first(), Some(b'a' | b'b' | b'c' | b'g' | b'l' | b'm' | b'r' | b's')) {
        return None;
    }
    if let Some(at) = SOCKETCALL.iter().position(|call| *call == name) {
        return Some(("socketcall", at as u64 + 1));
    }
    IPC.iter().find(|call| call.0 == name).map(|call| ("ipc", call.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_and_ipc_have_an_outer_call_and_others_not() {
        assert_eq!(outer("socket"), Some(("socketcall", 1)));
        assert_eq!(outer("sendmmsg"), Some(("socketcall", 20)));
        assert_eq!(outer("shmctl"), Some(("ipc", 24)));
        assert_eq!(outer("read"), None);
        for name in SOCKETCALL.iter().chain(IPC.iter().map(|call| &call.0)) {
            assert!(outer(name).is_some(), "{name}");
        }
    }
}
