//! Namespaces without a process: each is held by one other thing, and ours says by what.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::UdpSocket;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;

use insula_launch::plan::Kind;
use insula_proof as proof;
use insula_sys::birth::unshare;
use serde_json::Value;

use crate::room::{Room, text};

/// Asks ours for the rows of one namespace: `null` where it does not see it.
fn row(inode: u64, words: &[&str]) -> Value {
    let filter = format!("NS == {inode}");
    let mut command = proof::insula();
    command.args(["lsns", "-J", "-l", "-o", "NS,TYPE,NPROCS,HOLDERS", "-Q", &filter]).args(words);
    let table: Value = serde_json::from_str(&text(&command.output().expect("start insula"))).expect("JSON");
    table["namespaces"][0].clone()
}

/// The row when it is as wanted, or after some seconds.
fn soon(inode: u64, wanted: impl Fn(&Value) -> bool) -> Value {
    let mut seen = row(inode, &[]);
    for _ in 0..200 {
        if wanted(&seen) {
            break;
        }
        thread::sleep(std::time::Duration::from_millis(10));
        seen = row(inode, &[]);
    }
    seen
}

/// As [`row`], with the columns of lsns(8) alone.
fn is_in_the_view_of_lsns(inode: u64) -> bool {
    let mut command = proof::insula();
    command.args(["lsns", "-n", "-r", "-l", "-o", "NS", "-Q", &format!("NS == {inode}")]);
    text(&command.output().expect("start insula")).trim() == inode.to_string()
}

/// The inode in the text of a link: `uts:[4026531838]`.
fn inode(link: &str) -> u64 {
    let digits: String = fs::read_link(link)
        .expect("a namespace")
        .to_string_lossy()
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    digits.parse().expect("an inode")
}

/// Runs in a thread that has a new namespace of this kind, and ends.
fn in_a_new<T: Send + 'static>(kind: Kind, act: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = thread::spawn(move || {
        unshare(kind.flag()).expect("root makes namespaces");
        act()
    });
    thread.join().expect("the thread has ended")
}

/// A process that ends with the test.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

/// Starts a program that writes one line when it is ready, and returns that line.
fn started(command: &mut Command) -> (Ends, String) {
    let mut child = Ends(command.stdout(Stdio::piped()).spawn().expect("start it"));
    let mut line = String::new();
    let out = child.0.stdout.take().expect("a pipe");
    BufReader::new(out).read_line(&mut line).expect("a line");
    (child, line.trim().to_owned())
}

#[test]
fn a_thread_alone_holds_one() {
    proof::need!(root);
    let (told, tell) = (mpsc::channel(), mpsc::channel::<()>());
    let held = thread::spawn(move || {
        unshare(Kind::Uts.flag()).expect("root makes namespaces");
        told.0.send(inode("/proc/thread-self/ns/uts")).expect("the test listens");
        let _ = tell.1.recv();
    });
    let uts = told.1.recv().expect("the thread has a namespace");
    let seen = row(uts, &[]);
    assert!(!is_in_the_view_of_lsns(uts), "lsns(8) does not look at threads");
    drop(tell.0);
    held.join().expect("the thread has ended");
    assert_eq!((&seen["type"], &seen["nprocs"]), (&"uts".into(), &0.into()), "{seen}");
    assert_eq!(seen["holders"]["threads"], 1);
    // Who waits for a thread is woken a little before it lets go of its namespaces.
    assert_eq!(soon(uts, |row| row.is_null()), Value::Null, "it ended with its thread");
}

#[test]
fn an_open_file_alone_holds_one() {
    proof::need!(root);
    let file = in_a_new(Kind::Ipc, || File::open("/proc/thread-self/ns/ipc").expect("our own"));
    let ipc = rustix::fs::fstat(&file).expect("an open file").st_ino;
    let seen = row(ipc, &[]);
    assert_eq!((&seen["type"], &seen["nprocs"]), (&"ipc".into(), &0.into()), "{seen}");
    // A test beside this one may have forked, and not yet executed: for a moment its child has our files too.
    assert!(seen["holders"]["fds"].as_u64() >= Some(1), "{seen}");
    assert!(is_in_the_view_of_lsns(ipc));
    assert_eq!(row(ipc, &["-t", "uts"]), Value::Null);
}

#[test]
fn a_socket_alone_holds_one() {
    proof::need!(root);
    let (socket, net) = in_a_new(Kind::Net, || {
        (UdpSocket::bind("0.0.0.0:0").expect("a socket"), inode("/proc/thread-self/ns/net"))
    });
    let seen = row(net, &[]);
    assert_eq!((&seen["type"], &seen["nprocs"]), (&"net".into(), &0.into()), "{seen}");
    assert!(seen["holders"]["sockets"].as_u64() >= Some(1), "{seen}");
    assert!(is_in_the_view_of_lsns(net));
    drop(socket);
}

#[test]
fn a_mount_in_another_mount_namespace_alone_holds_one() {
    proof::need!(root, program "unshare");
    let scratch = proof::Scratch::new();
    let file = scratch.write("a file", "");
    let script = r#"unshare --uts="$1" true; stat -L -c %i "$1"; exec sleep 300"#;
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-c", script, "sh"]).arg(&file);
    let (_holder, said) = started(&mut command);
    let uts = said.parse().expect("an inode");
    let seen = row(uts, &[]);
    assert_eq!((&seen["type"], &seen["nprocs"]), (&"uts".into(), &0.into()), "{seen}");
    assert_eq!(seen["holders"]["mounts"], 1);
    assert!(!is_in_the_view_of_lsns(uts), "lsns(8) looks at its own mounts");
}

#[test]
fn a_child_namespace_alone_holds_one() {
    proof::need!(user_namespaces, program "unshare");
    let user = proof::Ordinary::new();
    let outer =
        "readlink /proc/self/ns/user; exec unshare --user --map-root-user sh -c 'echo; exec sleep 300'";
    let mut command = user.command("unshare");
    let (_holder, said) = started(command.args(["--user", "--map-root-user", "sh", "-c", outer]));
    let parent = said.chars().filter(char::is_ascii_digit).collect::<String>().parse().expect("an inode");
    // The shell leaves the outer one when it executes unshare(1), soon after it has said its number.
    let seen = soon(parent, |row| row["nprocs"] == 0);
    assert_eq!((&seen["type"], &seen["nprocs"]), (&"user".into(), &0.into()), "{seen}");
    assert_eq!(seen["holders"]["children"], 1);
    assert!(!is_in_the_view_of_lsns(parent), "lsns(8) shows it in a tree alone");
}

#[test]
fn a_process_whose_children_will_be_in_one_holds_it() {
    proof::need!(root, program "unshare", namespace "time");
    let script = "readlink /proc/self/ns/time; exec sleep 300";
    let mut command = Command::new("unshare");
    command.args(["--time", "--fork", "--kill-child", "sh", "-c", script]).process_group(0);
    let (_holder, said) = started(&mut command);
    let time = said.chars().filter(char::is_ascii_digit).collect::<String>().parse().expect("an inode");
    // readlink(1) may not have ended yet.
    let seen = soon(time, |row| row["nprocs"] == 1);
    assert_eq!((&seen["nprocs"], &seen["holders"]["for_children"]), (&1.into(), &1.into()), "{seen}");
}

#[test]
fn a_mounted_one_has_its_mount_points_and_its_name() {
    let rooms = Room::all();
    if rooms.is_empty() || proof::need::program("unshare").is_err() {
        proof::skip!("neither root nor user namespaces, or no unshare(1)");
    }
    let script = r#"
mount -t tmpfs tmpfs /run; mkdir /run/netns; touch /run/netns/blue "/run/another place"
unshare --net=/run/netns/blue true
mount --bind /run/netns/blue "/run/another place"
"$OURS" -P -t net -l -n -r -o NAME,NSFS,NPROCS,TYPE
"$OURS" -P -t net -l -n -W -o NSFS
"$OURS" --all-holders -P -t net -l -n -o HOLDERS
"#;
    for room in rooms {
        let said = text(&room.run(script));
        let expected = "blue /run/netns/blue,/run/another\\x20place 0 net\n\
                        /run/netns/blue,/run/another place\n2 mounts\n";
        assert_eq!(said, expected);
    }
}

#[test]
fn what_could_not_be_seen_is_said_where_more_is_asked_for_than_lsns_has() {
    if fs::read_link("/proc/1/ns/net").is_ok() && !proof::id::is_root() {
        proof::skip!("all processes are this user's");
    }
    let user = proof::Ordinary::new();
    let said = |words: &[&str]| {
        let output = user.insula().arg("lsns").args(words).output().expect("start insula");
        (text(&output), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (_, errors) = said(&["-o", "NS,HOLDERS"]);
    assert!(errors.starts_with("insula: note: ") && errors.contains("could not be looked at"), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
    let (json, errors) = said(&["--all-holders", "-J"]);
    assert!(serde_json::from_str::<Value>(&json).is_ok());
    assert!(errors.contains("note"), "{errors}");
    assert_eq!(said(&[]).1, "", "as lsns(8), where nobody watches");
}
