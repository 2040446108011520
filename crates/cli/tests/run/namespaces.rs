//! Namespaces: new ones, the host's, those of others.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{ChildStdout, Stdio};

use crate::caller::{Caller, Started, ended, works};
use crate::netns::Netns;
use insula_proof as proof;

by_everyone!(
    all_eight_namespaces_are_new,
    the_hosts_are_kept_where_asked_for,
    those_of_a_process_are_entered,
    names_are_the_containers_own,
    the_loopback_device_is_up,
    it_sees_its_own_processes_alone,
    clocks_are_set_off,
    ids_are_mapped_as_asked,
);

const ALL: [&str; 8] = ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"];
const READ: &str = "cd /proc/self/ns; readlink cgroup ipc mnt net pid time user uts";

/// The kinds that are those of this process.
fn shared(said: &str) -> Vec<&'static str> {
    let ours = |kind: &str| fs::read_link(format!("/proc/self/ns/{kind}")).expect("a namespace");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), ALL.len(), "{said}");
    ALL.into_iter()
        .zip(lines)
        .filter(|(kind, line)| ours(kind).to_str() == Some(line))
        .map(|(kind, _)| kind)
        .collect()
}

fn all_eight_namespaces_are_new(caller: &Caller) {
    assert_eq!(shared(&caller.sh(&[], READ)), [""; 0]);
    assert_eq!(shared(&caller.sh(&["-t"], READ).replace('\r', "")), [""; 0]);
    if caller.is_root() {
        assert_eq!(shared(&caller.sh(&["--userns", "host"], READ)), ["user"]);
    }
}

fn the_hosts_are_kept_where_asked_for(caller: &Caller) {
    let table =
        [("--net", "net"), ("--pid", "pid"), ("--ipc", "ipc"), ("--uts", "uts"), ("--cgroupns", "cgroup")];
    for (flag, kind) in table {
        assert_eq!(shared(&caller.sh(&[flag, "host"], READ)), [kind], "{flag}");
    }
    assert_eq!(caller.sh(&["--net", "host"], "ls /sys/class/net"), names("/sys/class/net"));
    // A caller's own processes are in sight.
    let pid = std::process::id();
    assert_eq!(caller.sh(&["--pid", "host"], &format!("ls -d /proc/{pid}")), format!("/proc/{pid}"));
}

fn names(directory: &str) -> String {
    let mut names: Vec<String> = fs::read_dir(directory)
        .expect("list")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .collect();
    names.sort_unstable();
    names.join("\n")
}

/// A container that stays, and the pid of its first process as the host has it.
struct Other {
    _started: Started,
    pid: u32,
    namespaces: Vec<String>,
}

impl Other {
    fn new(caller: &Caller) -> Other {
        let script = format!("hostname; {READ}; exec sleep 60");
        let words = ["run", "--name", "other", "--", "sh", "-c", &script];
        let mut child = caller.insula(&words).stdout(Stdio::piped()).spawn().expect("start a container");
        let mut out: BufReader<ChildStdout> = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut lines = (0..9).map(|_| {
            let mut line = String::new();
            out.read_line(&mut line).expect("what it says");
            line.trim_end().to_owned()
        });
        assert_eq!(lines.next().as_deref(), Some("other"));
        let namespaces = lines.collect();
        let path = format!("/proc/{0}/task/{0}/children", child.id());
        let children = fs::read_to_string(path).expect("its children");
        let pid = children.trim().parse().expect("one child, its first process");
        Other { _started: Started::of(child), pid, namespaces }
    }
}

fn those_of_a_process_are_entered(caller: &Caller) {
    if caller.is_root() {
        proof::or_skip!(works("idmap-tmpfs"));
    }
    let other = Other::new(caller);
    let table = [
        ("--net", "net", 3),
        ("--pid", "pid", 4),
        ("--ipc", "ipc", 1),
        ("--uts", "uts", 7),
        ("--cgroupns", "cgroup", 0),
    ];
    for (flag, kind, at) in table {
        let path = format!("/proc/{}/ns/{kind}", other.pid);
        let said = caller.sh(&[flag, &path], READ);
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines[at], other.namespaces[at], "{flag} {path}");
        let same = (0..8).filter(|i| ALL[*i] != "user" && lines[*i] == other.namespaces[*i]).count();
        assert_eq!(same, 1, "{flag}: one is entered, the others are new: {said}");
    }
    let uts = format!("/proc/{}/ns/uts", other.pid);
    assert_eq!(caller.sh(&["--uts", &uts], "hostname"), "other");
    let pid = format!("/proc/{}/ns/pid", other.pid);
    assert_eq!(
        caller.sh(&["--pid", &pid], "readlink /proc/1/exe; cat /proc/1/comm"),
        "/memfd:insula-init (deleted)\ninsula-init"
    );
}

fn names_are_the_containers_own(caller: &Caller) {
    let script = "hostname; cat /proc/sys/kernel/domainname; echo $HOSTNAME";
    assert_eq!(caller.sh(&[], script), "insula\n(none)\ninsula");
    assert_eq!(caller.sh(&["--name", "web"], script), "web\n(none)\nweb");
    assert_eq!(caller.sh(&["-h", "a.b", "--domainname", "example"], script), "a.b\nexample\na.b");
}

fn the_loopback_device_is_up(caller: &Caller) {
    assert_eq!(caller.sh(&[], "ls /sys/class/net; cat /sys/class/net/lo/flags"), "lo\n0x9");
}

fn it_sees_its_own_processes_alone(caller: &Caller) {
    assert_eq!(caller.sh(&[], "echo /proc/[0-9]* $$; cat /proc/1/comm"), "/proc/1 /proc/2 2\ninsula-init");
    assert_eq!(caller.sh(&["--init=false"], "echo /proc/[0-9]* $$"), "/proc/1 1");
}

fn clocks_are_set_off(caller: &Caller) {
    let said = caller.sh(
        &["--time-offset", "boottime=1000000,monotonic=-1.5"],
        "cat /proc/uptime /proc/self/timens_offsets",
    );
    let uptime =
        |text: &str| text.split('.').next().and_then(|seconds| seconds.parse::<u64>().ok()).expect("seconds");
    let host = uptime(&fs::read_to_string("/proc/uptime").expect("the host's"));
    assert!((0..60).contains(&(host + 1_000_000 - uptime(&said))), "{said}");
    let offsets: Vec<&str> = said.lines().skip(1).flat_map(str::split_whitespace).collect();
    assert_eq!(offsets, ["monotonic", "-2", "500000000", "boottime", "1000000", "0"]);
}

fn ids_are_mapped_as_asked(caller: &Caller) {
    if caller.is_root() {
        proof::or_skip!(works("idmap-tmpfs"));
    }
    let uid = caller.uid().to_string();
    assert_eq!(caller.sh(&["--userns", "keep-id"], "id -u"), uid);
    let map = "cat /proc/self/uid_map; id -u";
    let said = caller.sh(&["--userns", "identity", "-u", &format!("{uid}:{uid}")], map);
    let words: Vec<&str> = said.split_whitespace().collect();
    assert_eq!(words.last(), Some(&uid.as_str()), "{said}");
    assert!(!caller.is_root() || words[0] == words[1], "root maps each id to itself: {said}");
    let said = caller.sh(&[], map);
    let words: Vec<&str> = said.split_whitespace().collect();
    assert!(words[0] == "0" && words[1] != "0", "root inside is nobody of weight outside: {said}");
}

#[test]
fn a_named_network_is_entered() {
    proof::need!(root, program "ip");
    let caller = proof::or_skip!(Caller::root());
    let blue = proof::or_skip!(Netns::new(&caller));
    let read = "cut -d: -f1 /proc/net/dev | tail -n +3 | tr -d ' '; echo; ls /sys/class/net";
    for net in [blue.name().to_owned(), format!("/run/netns/{}", blue.name())] {
        for flags in [&[][..], &["--userns", "host"]] {
            let words = [&["run", "--net", &net], flags, &["--", "sh", "-c", read]].concat();
            let said = ended(&mut blue.around(&caller, caller.words(&words))).said();
            // With a user namespace /sys is the host's, and shows no devices rather than the host's.
            let shown = if flags.is_empty() { "lo" } else { "lo\n\nlo" };
            assert_eq!(said.trim_end(), shown, "{words:?}: its devices, and what /sys shows of them");
        }
    }
}
