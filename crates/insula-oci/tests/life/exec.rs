//! Another process in a container: in all of its namespaces, with no more rights than its first process.

use crate::room::Room;
use insula_proof::need;
use serde_json::json;

fn running(change: impl FnOnce(&mut serde_json::Value)) -> Room {
    let room = Room::new(|spec| {
        spec["process"]["args"] = json!(["sleep", "1000"]);
        change(spec);
    });
    room.run(&["run", "-d", &room.id]).well();
    room
}

#[test]
fn it_is_in_every_namespace_of_the_first_process() {
    need!(root, program "busybox");
    let room = running(|_| {});
    let inside =
        room.run(&["exec", &room.id, "sh", "-c", "cd /proc/self/ns; for i in *; do readlink $i; done"]);
    let directory = format!("/proc/{}/ns", room.pid());
    let mut links: Vec<String> = std::fs::read_dir(directory)
        .expect("look at the container")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            std::fs::read_link(path).expect("a link").to_str().expect("UTF-8").to_owned()
        })
        .collect();
    let mut seen: Vec<String> = inside.well().lines().map(str::to_owned).collect();
    links.sort();
    seen.sort();
    assert_eq!(seen, links);
}

#[test]
fn its_rights_are_those_of_the_configuration() {
    need!(root, program "busybox");
    let room = running(|_| {});
    let grep = "^(Cap|NoNewPrivs|Groups|Seccomp:)";
    let first = room.run(&["exec", &room.id, "grep", "-E", grep, "/proc/1/status"]).well();
    let second = room.run(&["exec", &room.id, "grep", "-E", grep, "/proc/self/status"]).well();
    assert_eq!(first, second);
    assert!(first.contains("NoNewPrivs:\t1"), "{first}");
    let more = room.run(&["exec", "--cap", "CAP_NET_ADMIN", &room.id, "grep", "CapEff", "/proc/self/status"]);
    assert!(more.well().contains("0000000020001420"), "kill, net_bind_service, audit_write and net_admin");
    room.run(&["exec", "--cap", "CAP_NOTHING", &room.id, "true"]).refused("is no capability");
}

#[test]
fn flags_say_who_it_is_and_where() {
    need!(root, program "busybox");
    let room = running(|_| {});
    let words = ["exec", "--user", "7:8", "-g", "9", "--cwd", "/tmp", "-e", "A=b", &room.id];
    let script = ["sh", "-c", "id; pwd; echo $A; echo $HOME"];
    let out = room.run(&[&words[..], &script[..]].concat()).well();
    assert_eq!(out, "uid=7(ada) gid=8 groups=9\n/tmp\nb\n/home/ada\n");
    let file = room.scratch.write(
        "process.json",
        json!({ "args": ["sh", "-c", "echo $0", "here"], "cwd": "/", "user": { "uid": 0, "gid": 0 } })
            .to_string(),
    );
    let out = room.run(&["exec", "--process", file.to_str().expect("UTF-8"), &room.id]).well();
    assert_eq!(out, "here\n");
}

#[test]
fn it_ends_as_its_program_ends() {
    need!(root, program "busybox");
    let room = running(|_| {});
    assert_eq!(room.run(&["exec", &room.id, "sh", "-c", "exit 9"]).code, Some(9));
    assert_eq!(room.run(&["exec", &room.id, "sh", "-c", "kill -15 $$"]).code, Some(143));
    let missing = room.run(&["exec", &room.id, "nothing"]);
    missing.refused("executable file not found in $PATH");
    assert_eq!(missing.code, Some(255));
    assert_eq!(room.run(&["exec", &room.id]).code, Some(255));
    room.run(&["kill", &room.id, "KILL"]).well();
    room.until_status("stopped");
    let stopped = room.run(&["exec", &room.id, "true"]);
    stopped.refused("cannot exec in a stopped container");
    assert_eq!(stopped.code, Some(255));
}

#[test]
fn its_terminal_is_sent_where_it_was_asked_for() {
    need!(root, program "busybox");
    let room = running(|_| {});
    let path = room.scratch.join("console");
    let listener = std::os::unix::net::UnixListener::bind(&path).expect("listen");
    let socket = path.to_str().expect("UTF-8").to_owned();
    let command = ["exec", "-t", "-d", "--console-socket", &socket, &room.id, "sh", "-c", "tty; sleep 1000"];
    let (room, words) = (&room, &command[..]);
    std::thread::scope(|scope| {
        let run = scope.spawn(move || room.run(words));
        let (stream, _) = listener.accept().expect("a connection");
        let master = received(&stream);
        run.join().expect("run").well();
        let mut line = [0u8; 64];
        let length = rustix::io::read(&master, &mut line).expect("read the terminal");
        // As a terminal has it at first, and as engines expect it: their clients' own terminals are raw.
        assert_eq!(std::str::from_utf8(&line[..length]), Ok("/dev/pts/0\r\n"));
    });
}

/// The descriptor that came.
pub fn received(stream: &std::os::unix::net::UnixStream) -> rustix::fd::OwnedFd {
    use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut bytes = [0u8; 64];
    let mut io = [std::io::IoSliceMut::new(&mut bytes)];
    recvmsg(stream, &mut io, &mut ancillary, RecvFlags::CMSG_CLOEXEC).expect("a message");
    let message = ancillary.drain().next().expect("a descriptor");
    match message {
        RecvAncillaryMessage::ScmRights(mut fds) => fds.next().expect("a descriptor"),
        _ => panic!("no descriptor"),
    }
}
