//! `--pidfd-socket`: who listens gets a descriptor of the process, with the word that runc sends.

use crate::room::Room;
use insula_proof::need;
use rustix::fd::OwnedFd;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use rustix::process::{Signal, pidfd_send_signal};
use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

fn listen(room: &Room) -> (UnixListener, PathBuf) {
    let path = room.scratch.join("pidfd.sock");
    (UnixListener::bind(&path).expect("listen"), path)
}

/// One message: its word, and its descriptor.
fn receive(listener: &UnixListener) -> (String, OwnedFd) {
    let (stream, _) = listener.accept().expect("somebody has connected");
    let mut bytes = [0u8; 64];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let got = recvmsg(&stream, &mut [IoSliceMut::new(&mut bytes)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)
        .expect("receive");
    let fd = ancillary.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
        _ => None,
    });
    (String::from_utf8_lossy(&bytes[..got.bytes]).into_owned(), fd.expect("a descriptor"))
}

#[test]
fn who_listens_can_kill_the_container_and_what_joins_it_by_their_descriptors() {
    need!(root, program "busybox");
    for verb in [&["create"][..], &["run", "--detach"]] {
        let room = Room::of(&["sleep", "1000"]);
        let (listener, path) = listen(&room);
        let path = path.to_str().expect("UTF-8");
        room.run(&[verb, &["--pidfd-socket", path, &room.id]].concat()).well();
        let (word, first) = receive(&listener);
        assert_eq!(word, "standard");
        if verb.len() > 1 {
            let pid_file = room.scratch.join("exec.pid");
            let file = pid_file.to_str().expect("UTF-8");
            let words = ["exec", "-d", "--pid-file", file, "--pidfd-socket", path, &room.id, "sleep", "1000"];
            room.run(&words).well();
            let (word, joined) = receive(&listener);
            assert_eq!(word, "setns");
            let pid = std::fs::read_to_string(&pid_file).expect("there is a pid");
            pidfd_send_signal(&joined, Signal::KILL).expect("it lives");
            let comm = format!("/proc/{pid}/comm");
            room.until("its end", |_| {
                std::fs::read_to_string(&comm).is_ok_and(|_| is_dead(&pid)) || is_dead(&pid)
            });
            assert_eq!(room.status(), "running", "it was another process's");
        }
        pidfd_send_signal(&first, Signal::KILL).expect("it lives");
        room.until_status("stopped");
    }
}

/// Gone, or a zombie that nobody has waited for yet.
fn is_dead(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.map_or(true, |stat| stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with(['Z', 'X'])))
}

#[test]
fn nobody_who_listens_fails_the_creation() {
    need!(root, program "busybox");
    let room = Room::of(&["true"]);
    let path = room.scratch.join("nobody.sock");
    let path = path.to_str().expect("UTF-8");
    room.run(&["create", "--pidfd-socket", path, &room.id]).refused("pidfd socket `");
    room.nothing_is_left();
}
