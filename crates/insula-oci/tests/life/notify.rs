//! Calls that an agent decides: how it gets the listener, what it is told, and that its word holds. Where runc is installed,
//! the same container runs by both.

use crate::room::{Ended, Room};
use crate::users::Theirs;
use insula_proof::need;
use insula_sys::notify::{Verdict, decide, receive};
use insula_sys::seccomp::{Flags, known};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use serde_json::{Value, json};
use std::fs;
use std::io::{IoSliceMut, Read};
use std::mem::MaybeUninit;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(20);

/// What one connection brought: the state, and the listener.
fn taken(mut stream: &UnixStream) -> (Value, Option<OwnedFd>) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut bytes = vec![0u8; 1 << 16];
    let got = recvmsg(stream, &mut [IoSliceMut::new(&mut bytes)], &mut ancillary, RecvFlags::CMSG_CLOEXEC);
    let length = got.expect("a message").bytes;
    let fd = ancillary.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
        _ => None,
    });
    bytes.truncate(length);
    loop {
        if let Ok(state) = serde_json::from_slice(&bytes) {
            return (state, fd);
        }
        let mut more = [0u8; 4096];
        match stream.read(&mut more).expect("read") {
            0 => return (Value::Null, fd),
            length => bytes.extend(&more[..length]),
        }
    }
}

/// An agent that decides by `verdict` until nobody is filtered any more, and passes on what it is told.
fn agent(path: &std::path::Path, verdict: fn(i64) -> Verdict) -> Receiver<Value> {
    let socket = UnixListener::bind(path).expect("listen");
    // For a user's runtime as well.
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    fs::set_permissions(path, mode).expect("open the socket to all");
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for stream in socket.incoming() {
            let Ok(stream) = stream else { return };
            let tell = tell.clone();
            std::thread::spawn(move || {
                let (state, listener) = taken(&stream);
                let is_ours = state["state"]["annotations"]["by"] != "runc";
                let _ = tell.send(state);
                let Some(listener) = listener else { return };
                // One state a connection, which is closed behind it: whatever the program waits for. (runc keeps it open.)
                if is_ours {
                    stream.set_read_timeout(Some(LONG)).expect("set a timeout");
                    assert!(matches!((&stream).read(&mut [0u8; 1]), Ok(0)), "the connection is still open");
                }
                while !is_hung_up(&listener) {
                    let Ok(call) = receive(listener.as_fd()) else { continue };
                    let _ = decide(listener.as_fd(), call.id, verdict(call.number.into()));
                }
            });
        }
    });
    told
}

/// Waits for a call, or the end of all that make them.
fn is_hung_up(listener: &OwnedFd) -> bool {
    use rustix::event::{PollFd, PollFlags, poll};
    let mut one = [PollFd::new(listener, PollFlags::IN)];
    let _ = poll(&mut one, None);
    !one[0].revents().contains(PollFlags::IN)
}

/// A room whose program is `script`, under a filter that asks an agent about these calls.
fn filtered(spec: &mut Value, socket: &std::path::Path, script: &str, calls: &[&str]) {
    spec["process"]["args"] = json!(["sh", "-c", script]);
    spec["linux"]["seccomp"] = json!({
        "defaultAction": "SCMP_ACT_ALLOW",
        "listenerPath": socket,
        "listenerMetadata": "of a test",
        "syscalls": [{ "names": calls, "action": "SCMP_ACT_NOTIFY" }],
    });
}

fn room(script: &str, calls: &[&str]) -> Room {
    let room = Room::new(|_| {});
    let socket = room.scratch.join("agent");
    room.change(|spec| filtered(spec, &socket, script, calls));
    room
}

/// Of each machine's calls, those that make and remove a directory.
const MAKE: &[i64] = &[
    libc::SYS_mkdirat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_mkdir,
];
const REMOVE: &[i64] = &[
    libc::SYS_unlinkat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rmdir,
];

/// A directory is made, by the kernel; none is removed; and everybody is 4242.
fn by_call(number: i64) -> Verdict {
    match number {
        libc::SYS_geteuid => Verdict::Value(4242),
        number if MAKE.contains(&number) => Verdict::Continue,
        number if REMOVE.contains(&number) => Verdict::Refuse(Errno::XDEV),
        other => panic!("call {other} was not to be asked about"),
    }
}

const SCRIPT: &str = "busybox mkdir /tmp/a && ls /tmp; busybox rmdir /tmp/a; echo $?; id -u";
const CALLS: &[&str] = &["mkdir", "mkdirat", "rmdir", "unlinkat", "geteuid"];
const SAID: &str = "a\n1\n4242\n";

#[test]
fn the_agents_word_holds_as_by_runc() {
    need!(root, program "busybox");
    for privileges in [true, false] {
        let room = room(SCRIPT, CALLS);
        room.change(|spec| spec["process"]["noNewPrivileges"] = json!(!privileges));
        let told = agent(&room.scratch.join("agent"), by_call);
        let ours = room.run(&["run", &room.id]);
        assert_eq!((ours.code, ours.out.as_str()), (Some(0), SAID), "{}", ours.err);
        assert!(ours.err.contains("Invalid cross-device link"), "{}", ours.err);
        let state = told.recv_timeout(LONG).expect("a state");
        assert_eq!(state["fds"], json!(["seccompFd"]));
        assert_eq!(state["metadata"], "of a test");
        assert_eq!(state["pid"], state["state"]["pid"]);
        assert_eq!(state["state"]["id"], room.id);
        assert_eq!(state["state"]["status"], if privileges { "creating" } else { "created" });
        room.change(|spec| spec["annotations"] = json!({ "by": "runc" }));
        let Some(by_runc) = runc(&room) else { continue };
        assert_eq!((by_runc.code, by_runc.out.as_str()), (Some(0), SAID), "{}", by_runc.err);
        let theirs = told.recv_timeout(LONG).expect("a state");
        for field in ["fds", "metadata"] {
            assert_eq!(state[field], theirs[field], "{field}");
        }
        let keys = |value: &Value| {
            let keys = value.as_object().expect("an object").keys().cloned();
            keys.filter(|key| key != "annotations").collect::<Vec<_>>()
        };
        assert_eq!(keys(&state), keys(&theirs));
        assert_eq!(keys(&state["state"]), keys(&theirs["state"]));
    }
}

/// The same container by runc, where that knows agents.
fn runc(room: &Room) -> Option<Ended> {
    let features = Command::new("runc").arg("features").output().ok()?;
    if !String::from_utf8_lossy(&features.stdout).contains("SCMP_ACT_NOTIFY") {
        return None;
    }
    let _ = fs::remove_dir(room.bundle().join("rootfs/tmp/a"));
    let mut command = Command::new("runc");
    command.arg("--root").arg(room.scratch.join("runc")).args(["run", &room.id]);
    command.current_dir(room.bundle()).stdin(Stdio::null());
    let ended = room.finish(command);
    let _ = fs::remove_dir(room.bundle().join("rootfs/tmp/a"));
    Some(ended)
}

#[test]
fn it_gets_the_listener_when_the_program_starts_and_one_more_for_each_that_joins() {
    need!(root, program "busybox");
    let room = room("id -u; exec sleep 1000", &["geteuid"]);
    let told = agent(&room.scratch.join("agent"), by_call);
    room.run(&["create", &room.id]).well();
    assert!(told.try_recv().is_err(), "no filter is there before the start");
    let pid = room.pid();
    room.on("start").well();
    let state = told.recv_timeout(LONG).expect("a state");
    assert_eq!((&state["pid"], &state["state"]["pid"]), (&json!(pid), &json!(pid)));
    assert_eq!(room.run(&["exec", &room.id, "id", "-u"]).well(), "4242\n");
    let state = told.recv_timeout(LONG).expect("a state");
    assert_eq!((&state["state"]["pid"], &state["state"]["status"]), (&json!(pid), &json!("running")));
    assert!(state["pid"].as_i64().is_some_and(|other| other != pid), "{state}");
}

#[test]
fn it_may_be_asked_about_every_call_there_is() {
    need!(root, program "busybox");
    for annotation in [json!({}), json!({ "org.insula.init": "true" })] {
        // Of a number above all that a profile names nobody is asked.
        let room = room("echo here", &["sendmsg", "landlock_restrict_self"]);
        room.change(|spec| {
            spec["linux"]["seccomp"]["defaultAction"] = json!("SCMP_ACT_NOTIFY");
            let mut flags = vec!["SECCOMP_FILTER_FLAG_TSYNC"];
            if known().contain(Flags::WAIT_KILLABLE_RECV) {
                flags.push("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV");
            }
            spec["linux"]["seccomp"]["flags"] = json!(flags);
            spec["annotations"] = annotation.clone();
        });
        let told = agent(&room.scratch.join("agent"), |_| Verdict::Continue);
        assert_eq!(room.run(&["run", &room.id]).well(), "here\n", "{annotation}");
        told.recv_timeout(LONG).expect("a state");
    }
}

#[test]
fn a_profile_need_not_allow_what_we_wait_with() {
    need!(root, program "busybox");
    let room = room("exec id -u", &["geteuid"]);
    room.change(|spec| {
        let denied =
            json!({ "names": ["wait4", "close", "sendmsg", "exit_group"], "action": "SCMP_ACT_ERRNO" });
        spec["linux"]["seccomp"]["syscalls"].as_array_mut().expect("rules").push(denied);
    });
    let _told = agent(&room.scratch.join("agent"), by_call);
    let ended = room.run(&["run", &room.id]);
    // It cannot end as it would.
    assert_eq!(ended.out, "4242\n", "{}", ended.err);
}

#[test]
fn where_there_is_no_agent_there_is_no_container() {
    need!(root, program "busybox");
    let room = room("true", &["mkdir"]);
    let path = room.scratch.join("agent");
    let missing = room.run(&["run", &room.id]);
    missing.refused("linux.seccomp.listenerPath: connect to the seccomp agent at");
    missing.refused("No such file or directory");
    room.nothing_is_left();
    fs::write(&path, "").expect("write a file");
    room.run(&["create", &room.id]).refused("Connection refused");
    room.nothing_is_left();
    room.change(|spec| spec["linux"]["seccomp"]["listenerPath"] = json!(null));
    let faults = room.run(&["create", &room.id]);
    faults.refused("linux.seccomp.listenerPath: SCMP_ACT_NOTIFY needs the socket of an agent");
    faults.refused("linux.seccomp.listenerMetadata: it is for the agent");
    room.nothing_is_left();
}

#[test]
fn an_agent_that_is_gone_at_the_start_fails_it() {
    need!(root, program "busybox");
    for annotation in [json!({}), json!({ "org.insula.init": "true" })] {
        let room = room("echo here; exec sleep 1000", &["mkdir"]);
        room.change(|spec| spec["annotations"] = annotation.clone());
        let socket = UnixListener::bind(room.scratch.join("agent")).expect("listen");
        room.run(&["create", &room.id]).well();
        drop(socket.accept().expect("a connection"));
        let failed = room.on("start");
        failed.refused("send the seccomp listener");
        failed.refused("Broken pipe");
        room.until_status("stopped");
        assert!(!failed.out.contains("here"));
    }
}

#[test]
fn a_users_agent_decides_as_well() {
    need!(user_namespaces, program "busybox");
    let theirs = Theirs::new(|_| {});
    let socket = theirs.room.scratch.join("agent");
    theirs.change(|spec| filtered(spec, &socket, "id -u", &["geteuid"]));
    let _told = agent(&socket, by_call);
    assert_eq!(theirs.run(&["run", &theirs.room.id]).well(), "4242\n");
}
