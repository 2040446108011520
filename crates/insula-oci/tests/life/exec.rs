//! Another process in a container: in all of its namespaces, with no more rights than its first process.

use crate::room::Room;
use insula_proof::need;
use serde_json::json;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

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

/// The lines of proc_pid_status(5) that can make a process weaker or stronger.
const TRAITS: [&str; 13] = [
    "Umask",
    "Uid",
    "Gid",
    "Groups",
    "SigBlk",
    "SigIgn",
    "Cap",
    "NoNewPrivs",
    "Seccomp",
    "Speculation",
    "Cpus_a",
    "Mems_a",
    "THP_enabled",
];

/// What the kernel says of a process, asked by a program that is that process or stands beside it.
fn traits(room: &Room, of: &str, exec: &[&str]) -> String {
    let asks = |program: &str, files: &[&str]| {
        let paths: Vec<String> = files.iter().map(|file| format!("/proc/{of}/{file}")).collect();
        let words = exec.iter().copied().chain([room.id.as_str(), program]);
        room.run(&words.chain(paths.iter().map(String::as_str)).collect::<Vec<_>>()).well()
    };
    let status = asks("cat", &["status"]);
    let mut told: String = status
        .lines()
        .filter(|line| TRAITS.iter().any(|name| line.starts_with(name)))
        .flat_map(|line| [line, "\n"])
        .collect();
    told += &asks("cat", &["limits", "cgroup", "oom_score_adj", "uid_map", "gid_map", "setgroups"]);
    let kinds = ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"];
    for link in kinds.map(|kind| format!("ns/{kind}")).iter().map(String::as_str).chain(["root", "cwd"]) {
        told += &asks("readlink", &[link]);
    }
    told
}

/// A configuration with everything that holds a process down, which init and exec have to have alike.
fn confined(spec: &mut serde_json::Value, no_new_privs: bool) {
    let process = &mut spec["process"];
    process["noNewPrivileges"] = json!(no_new_privs);
    process["user"] = json!({ "uid": 0, "gid": 3, "umask": 0o027, "additionalGids": [5, 9] });
    process["oomScoreAdj"] = json!(321);
    process["cwd"] = json!("/tmp");
    process["rlimits"] = json!([
        { "type": "RLIMIT_NOFILE", "soft": 100, "hard": 200 },
        { "type": "RLIMIT_CORE", "soft": 0, "hard": 0 },
    ]);
    let named = json!({ "names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 39 });
    spec["linux"]["seccomp"] = json!({ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [named] });
}

#[track_caller]
fn is_no_weaker(room: &Room) {
    let (first, second) = (traits(room, "1", &["exec"]), traits(room, "self", &["exec"]));
    // Else it would compare nothing.
    for line in
        ["Seccomp:\t2", "Groups:\t5 9", "Umask:\t0027", "Max open files            100", "321", "net:["]
    {
        assert!(first.contains(line), "{line}: {first}");
    }
    assert_eq!(first, second);
    let made = room.run(&["exec", &room.id, "busybox", "mkdir", "/tmp/x"]);
    assert!(made.code == Some(1) && made.err.contains("not empty"), "the filter answers ENOTEMPTY: {made:?}");
}

#[test]
fn it_is_never_weaker_than_the_first_process() {
    need!(root, program "busybox");
    for no_new_privs in [true, false] {
        let room = running(|spec| confined(spec, no_new_privs));
        is_no_weaker(&room);
        // What a process of its own asks for is its own; what the container is under stays.
        let mut process = room.kept()["process"].clone();
        process["args"] = json!(["cat", "/proc/self/status"]);
        process["noNewPrivileges"] = json!(false);
        let file = room.scratch.write("process.json", process.to_string());
        let out = room.run(&["exec", "--process", file.to_str().expect("UTF-8"), &room.id]).well();
        assert!(out.contains("NoNewPrivs:\t0") && out.contains("Seccomp:\t2"), "{out}");
    }
}

#[test]
fn in_a_user_namespace_it_is_never_weaker_either() {
    need!(root, program "busybox");
    let room = running(|spec| {
        confined(spec, true);
        let maps = json!([{ "containerID": 0, "hostID": 100_000, "size": 65536 }]);
        spec["linux"]["uidMappings"] = maps.clone();
        spec["linux"]["gidMappings"] = maps;
        spec["linux"]["namespaces"].as_array_mut().expect("namespaces").push(json!({ "type": "user" }));
    });
    is_no_weaker(&room);
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

#[test]
fn it_joins_a_group_below_the_containers() {
    need!(root, program "busybox");
    insula_proof::or_skip!(need::cgroup_v1("pids"));
    let room = running(|_| {});
    let groups = room.groups();
    for name in ["sub", "sub/deep", "pids"] {
        for group in &groups {
            let below = group.join(name);
            fs::create_dir(&below).expect("make a group");
            // cpuset(7): one without takes no process.
            for file in ["cpuset.cpus", "cpuset.mems"].iter().filter(|file| group.join(file).exists()) {
                let above = below.parent().expect("it has one").join(file);
                fs::write(below.join(file), fs::read(above).expect("read")).expect("give it");
            }
        }
    }
    // Of version 2 the hybrid machine's own directory, and the line of each hierarchy, are in it.
    let lines = |flags: &[&str]| {
        let words = [&["exec"], flags, &[room.id.as_str(), "cat", "/proc/self/cgroup"]].concat();
        let out = room.run(&words).well();
        let mut lines: Vec<(String, String)> = out
            .lines()
            .filter_map(|line| line.split_once(':')?.1.split_once(':'))
            .map(|(controllers, path)| (controllers.to_owned(), path.to_owned()))
            .filter(|(controllers, _)| !controllers.starts_with("name="))
            .collect();
        lines.sort();
        lines
    };
    assert!(lines(&[]).iter().all(|(_, path)| path == "/"));
    assert!(lines(&["--cgroup", "sub"]).iter().all(|(_, path)| path == "/sub"));
    assert!(lines(&["--cgroup", "/sub/deep"]).iter().all(|(_, path)| path == "/sub/deep"));
    for (controllers, path) in lines(&["--cgroup", "pids:pids", "--cgroup", "cpu,memory:sub"]) {
        let expected = match controllers.as_str() {
            "pids" => "/pids",
            "cpu" | "memory" => "/sub",
            _ => "/",
        };
        assert_eq!(path, expected, "{controllers}");
    }
    let refused = |flags: &[&str], words: &str| {
        let ended = room.run(&[&["exec"], flags, &[room.id.as_str(), "true"]].concat());
        ended.refused(words);
        assert_eq!(ended.code, Some(255));
    };
    refused(&["--cgroup", "none"], "none");
    refused(&["--cgroup", "../x"], "leads upwards");
    refused(&["--cgroup", "nothing:sub"], "no group in a hierarchy of this controller");
    refused(&["--cgroup", "sub", "--cgroup", "pids"], "of several each is");
    // Emptied, so that the container can be deleted.
    groups.iter().flat_map(|group| ["sub/deep", "sub", "pids"].map(|name| group.join(name))).for_each(
        |group| {
            remove_when_empty(&group);
        },
    );
}

/// A group whose last process has just ended is busy for a moment.
fn remove_when_empty(group: &Path) {
    let end = Instant::now() + Duration::from_secs(10);
    while let Err(error) = fs::remove_dir(group) {
        assert!(Instant::now() < end, "{}: {error}", group.display());
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn on_version_2_it_joins_a_group_below_and_where_the_first_process_has_gone() {
    need!(root, program "busybox");
    insula_proof::or_skip!(need::that(
        Path::new("/sys/fs/cgroup/unified/cgroup.procs").exists(),
        "the machine is not hybrid"
    ));
    let room = Room::of(&["sleep", "1000"]);
    let script = r#"
        set -e
        mount --bind /sys/fs/cgroup/unified /sys/fs/cgroup
        oci() { "$PROGRAM" --root "$ROOT" "$@"; }
        oci run -d "$ID" > /dev/null
        group=/sys/fs/cgroup/$ID
        mkdir $group/sub $group/first
        oci exec --cgroup sub "$ID" cat /proc/self/cgroup
        oci exec --cgroup pids:sub "$ID" true 2>&1 | grep -o 'one hierarchy for all controllers'
        oci exec "$ID" cat /proc/self/cgroup
        cat $group/cgroup.procs > $group/first/cgroup.procs
        echo +hugetlb > $group/cgroup.subtree_control
        oci exec "$ID" cat /proc/self/cgroup
        oci delete --force "$ID"
        test ! -e $group
    "#;
    let mut command = std::process::Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-c", script]).current_dir(room.bundle());
    command.env("PROGRAM", crate::room::PROGRAM).env("ROOT", room.state()).env("ID", &room.id);
    let out = room.finish(command).well();
    let lines: Vec<&str> =
        out.lines().filter(|line| line.starts_with("0::") || line.starts_with("one")).collect();
    assert_eq!(lines, ["0::/sub", "one hierarchy for all controllers", "0::/", "0::/first"], "{out}");
}
