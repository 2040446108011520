//! What newer nsenter(1) has, and what only ours has.

use std::fs;
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::both::Both;
use crate::caller::{Caller, ended};
use crate::netns::Netns;
use crate::target::{ALL_BUT_USER, Target};
use insula_namespaces::id::Identity;
use insula_proof as proof;
use rustix::fd::AsFd;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

fn callers() -> impl Iterator<Item = Caller> {
    [Caller::root(), Caller::user()].into_iter().flatten()
}

#[test]
fn a_pid_with_the_inode_of_its_pidfd_means_no_other_process() {
    for caller in callers() {
        let target = proof::or_skip!(Target::new(&caller, &["-r", "-u"]));
        let pid = Pid::from_raw(target.pid().parse().expect("a pid")).expect("a pid");
        let pidfd = pidfd_open(pid, PidfdFlags::empty()).expect("its pidfd");
        let inode = rustix::fs::fstat(&pidfd).expect("its inode").st_ino;
        let another =
            rustix::fs::fstat(pidfd_open(rustix::process::getpid(), PidfdFlags::empty()).expect("ours"));
        if another.expect("its inode").st_ino == inode {
            proof::skip!("the pidfds of this kernel have no inodes of their own");
        }
        let both = Both::new(&caller);
        let enter = |inode: u64| {
            let of = format!("{}:{inode}", target.pid());
            both.ours(&["-t", &of, "-U", "--preserve-credentials", "readlink", "/proc/self/ns/user"])
        };
        assert_eq!(enter(inode).said(), target.namespace("user"));
        let end = enter(inode + 1);
        assert_eq!((end.code(), end.out.as_str()), (1, ""));
        assert!(end.err.contains("another process has this pid now"), "{}", end.err);
    }
}

#[test]
fn a_namespace_is_entered_by_its_id() {
    for caller in callers() {
        let target = proof::or_skip!(Target::new(&caller, &["-r", "-u"]));
        let both = Both::new(&caller);
        let id = |kind| Identity::of(format!("/proc/{}/ns/{kind}", target.pid())).expect("a namespace").id;
        let (Some(user), Some(uts)) = (id("user"), id("uts")) else {
            proof::skip!("the namespaces of this kernel have no ids");
        };
        let (by_user, by_uts) = (format!("--user=:{user}"), format!("-u:{uts}"));
        let end = both.ours(&[
            &by_user,
            &by_uts,
            "--preserve-credentials",
            "readlink",
            "/proc/self/ns/user",
            "/proc/self/ns/uts",
        ]);
        assert_eq!(end.said(), [target.namespace("user"), target.namespace("uts")].join("\n"));
        // The id of another kind, and one that nobody has.
        for line in [format!("--net=:{uts}"), "--net=:18446744073709551615".to_owned()] {
            let end = both.ours(&[&line, "true"]);
            assert_eq!(end.code(), 1, "{line}");
            assert!(end.err.contains("no net namespace"), "{line}: {}", end.err);
        }
    }
}

#[test]
fn a_network_namespace_is_entered_by_its_name_but_a_file_comes_first() {
    proof::need!(root, program "ip");
    let caller = proof::or_skip!(Caller::root());
    let blue = proof::or_skip!(Netns::new(&caller));
    let script = "insula=$1; name=$2; \
                  there=$(ip netns exec \"$name\" readlink /proc/self/ns/net); \
                  here=$(\"$insula\" nsenter --net=\"$name\" readlink /proc/self/ns/net); \
                  [ -n \"$here\" ] && [ \"$here\" = \"$there\" ] && echo same; \
                  : > \"$name\"; \"$insula\" nsenter --net=\"$name\" true; echo $?";
    let words = ["sh", "-c", script, "sh", &caller.words(&[])[0], blue.name()];
    let words = words.iter().map(|word| (*word).to_owned()).collect();
    let end = ended(&mut blue.around(&caller, words));
    assert_eq!(end.out, "same\n1\n", "{}", end.err);
    assert!(end.err.contains("no namespace"), "{}", end.err);
}

#[test]
fn the_network_namespace_of_a_socket_is_entered() {
    proof::need!(root, program "unshare");
    let caller = proof::or_skip!(Caller::root());
    let both = Both::new(&caller);
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let file = fs::File::open("/dev/null").expect("a file");
    let pid = std::process::id().to_string();
    let by_fd = |fd: i32| {
        let words = ["-t", &pid, "-N", &fd.to_string(), "readlink", "/proc/self/ns/net"];
        let mut command = caller.command("unshare");
        ended(command.arg("-n").args(both.words(crate::both::Tool::Ours, &words)))
    };
    let own = fs::read_link("/proc/self/ns/net").expect("our network namespace");
    assert_eq!(Some(by_fd(socket.as_raw_fd()).said().as_str()), own.to_str());
    for (fd, names) in [(file.as_raw_fd(), "no socket"), (9_999, "no such descriptor")] {
        let end = by_fd(fd);
        assert_eq!((end.code(), end.out.as_str()), (1, ""));
        assert!(end.err.contains(names), "{}", end.err);
    }
}

#[test]
fn the_parent_of_a_user_namespace_is_entered() {
    for caller in callers() {
        let target = proof::or_skip!(Target::new(&caller, &["-r", "unshare", "-r"]));
        let both = Both::new(&caller);
        let user = fs::File::open(format!("/proc/{}/ns/user", target.pid())).expect("its user namespace");
        let Ok(parent) = insula_sys::nsfs::owner(user.as_fd()) else {
            // To a user the namespace between is as much below as to root; a security module may say otherwise.
            panic!("the parent is out of view");
        };
        let parent = format!("user:[{}]", rustix::fs::fstat(&parent).expect("its inode").st_ino);
        let look = ["--preserve-credentials", "readlink", "/proc/self/ns/user"];
        let file = format!("--user=/proc/{}/ns/user", target.pid());
        for words in [vec!["-t", target.pid(), "--user-parent"], vec![&file, "--user-parent"]] {
            assert_eq!(both.ours(&[&words[..], &look].concat()).said(), parent, "{words:?}");
        }
        // The parent of that is our own.
        let first = proof::or_skip!(Target::new(&caller, &["-r"]));
        let end = both.ours(&["-t", first.pid(), "--user-parent", "true"]);
        assert_eq!(end.code(), 1);
        assert!(end.err.contains("it is this process' own user namespace already"), "{}", end.err);
    }
}

#[test]
fn ids_and_environment_are_those_of_the_target() {
    let caller = proof::or_skip!(Caller::user_with_subuids());
    let target = proof::or_skip!(Target::new(
        &caller,
        &["-r", "--map-auto", "-u", "setpriv", "--reuid", "5", "--regid", "6", "--clear-groups"]
    ));
    let both = Both::new(&caller);
    let end = both.ours(&[
        "-t",
        target.pid(),
        "-U",
        "-S",
        "follow",
        "-G",
        "follow",
        "sh",
        "-c",
        "id -u; id -g; id -G",
    ]);
    // Of another uid than ours it may not be looked into; what may be is told.
    assert_eq!(end.said(), "5\n6\n6");
    let end = both.ours(&["-t", target.pid(), "-u", "-U", "-e", "true"]);
    assert!(end.code() == 1 && end.err.contains("open `environ` of process"), "{}", end.err);
    let target = proof::or_skip!(Target::new(&caller, &["-r", "--map-auto", "-u"]));
    let words = ["-t", target.pid(), "-u", "-U", "-e", "sh", "-c", "echo \"$OF_TARGET\""];
    assert_eq!(both.ours(&words).said(), "here and now");
}

#[test]
fn the_capabilities_are_kept_where_that_is_asked() {
    for caller in callers() {
        let target = proof::or_skip!(Target::new(&caller, &["-c", "-u"]));
        let both = Both::new(&caller);
        let caps = |more: &[&str]| {
            let words = [
                &["-t", target.pid(), "-U", "--preserve-credentials"],
                more,
                &["grep", "CapEff", "/proc/self/status"],
            ]
            .concat();
            both.ours(&words).said()
        };
        let all = caps(&["--keep-caps"]);
        assert!(all.trim_end().ends_with("ffff"), "{all}");
        if !caller.is_root() {
            assert!(caps(&[]).ends_with("\t0000000000000000"), "{}", caps(&[]));
        }
    }
}

/// A control group of this test's own in one hierarchy, gone when dropped.
struct Group(PathBuf);

impl Group {
    fn new(hierarchy: &Path, pid: &str) -> Group {
        let path = hierarchy.join(format!("insula-proof-{}", proof::scratch::unique()));
        fs::create_dir(&path).expect("make a control group");
        fs::write(path.join("cgroup.procs"), pid).expect("move the target into it");
        Group(path)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Busy until its last process is gone.
        for _ in 0..500 {
            if fs::remove_dir(&self.0).is_ok() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}

#[test]
fn the_control_groups_of_the_target_are_joined_in_every_hierarchy() {
    proof::need!(root, cgroup_v2, program "unshare");
    let caller = proof::or_skip!(Caller::root());
    let both = Both::new(&caller);
    let mut hierarchies = vec![proof::need::cgroup2_mount().expect("a mount of cgroup2")];
    if proof::need::cgroup_v1("pids").is_ok() {
        hierarchies.push(PathBuf::from("/sys/fs/cgroup/pids"));
    }
    // Dropped in the reverse order: the target first.
    let mut groups = Vec::new();
    let target = proof::or_skip!(Target::new(&caller, &["-u"]));
    groups.extend(hierarchies.iter().map(|hierarchy| Group::new(hierarchy, target.pid())));
    let theirs = fs::read_to_string(format!("/proc/{}/cgroup", target.pid())).expect("its groups");
    assert_ne!(theirs, fs::read_to_string("/proc/self/cgroup").expect("our groups"));
    for way in [&["-u", "-c"][..], &["-c"], &["-u", "--join-cgroup"]] {
        let words = [&["-t", target.pid()], way, &["cat", "/proc/self/cgroup"]].concat();
        assert_eq!(both.ours(&words).said(), theirs.trim_end(), "{way:?}");
    }
    drop(target);
}

#[test]
fn a_control_group_that_may_not_be_joined_is_named() {
    proof::need!(root, cgroup_v2, program "unshare");
    let caller = proof::or_skip!(Caller::user());
    let target = proof::or_skip!(Target::new(&caller, &["-r"]));
    let mount = proof::need::cgroup2_mount().expect("a mount of cgroup2");
    let group = Group::new(&mount, target.pid());
    let end = Both::new(&caller).ours(&["-t", target.pid(), "-U", "-c", "--preserve-credentials", "true"]);
    assert_eq!(end.code(), 1);
    let file = group.0.join("cgroup.procs");
    assert!(end.err.contains(file.to_str().expect("UTF-8")), "{}", end.err);
    drop(target);
}

#[test]
fn a_group_that_is_ours_already_is_joined_by_anybody() {
    for caller in callers() {
        let target = proof::or_skip!(Target::new(&caller, &["-r"]));
        let words = ["-t", target.pid(), "-U", "-c", "--preserve-credentials", "echo", "in"];
        assert_eq!(Both::new(&caller).ours(&words).said(), "in");
    }
}

#[test]
fn the_value_of_a_letter_may_stand_behind_an_equals_sign() {
    let caller = proof::or_skip!(Caller::user());
    let both = Both::new(&caller);
    for line in [["-w=/etc", "pwd"], ["-w/etc", "pwd"], ["-W=/etc", "pwd"], ["--wd=/etc", "pwd"]] {
        assert_eq!(both.ours(&line).said(), "/etc", "{line:?}");
    }
    let target = proof::or_skip!(Target::new(&caller, &["-r"]));
    let user = format!("-U=/proc/{}/ns/user", target.pid());
    let words = [&user, "--preserve-credentials", "readlink", "/proc/self/ns/user"];
    assert_eq!(both.ours(&words).said(), target.namespace("user"));
}

#[test]
fn a_supervisor_is_told_of_the_child_and_its_end() {
    for caller in callers() {
        let target = proof::or_skip!(Target::new(&caller, &[&["-r"], &ALL_BUT_USER[..]].concat()));
        let both = Both::new(&caller);
        let way = ["-t", target.pid(), "-U", "-u", "--preserve-credentials", "--json"];
        let end = both.ours(&[&way[..], &["sh", "-c", "readlink /proc/self/ns/uts; exit 7"]].concat());
        assert_eq!((end.code(), end.out.trim_end()), (7, target.namespace("uts").as_str()), "{}", end.err);
        let lines: Vec<serde_json::Value> =
            end.err.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
        let inode = lines[0]["uts-namespace"].as_u64().expect("a number");
        assert_eq!(format!("uts:[{inode}]"), target.namespace("uts"));
        assert!(lines[0]["child-pid"].is_u64() && lines[0]["net-namespace"].is_null(), "{}", lines[0]);
        assert_eq!(lines[1], serde_json::json!({ "exit-code": 7 }));
        let end = both.ours(&[&way[..], &["--no-fork", "true"]].concat());
        assert!(end.code() == 1 && end.err.contains("contradicts `--no-fork`"), "{}", end.err);
    }
}

#[test]
fn a_plan_is_explained_and_nothing_of_it_is_done() {
    for caller in callers() {
        let target = proof::or_skip!(Target::new(&caller, &[&["-r"], &ALL_BUT_USER[..]].concat()));
        let both = Both::new(&caller);
        let words = ["-t", target.pid(), "-a", "--explain=json", "touch", "made"];
        let plan: serde_json::Value = serde_json::from_str(&both.ours(&words).said()).expect("JSON");
        let steps: Vec<&str> = plan["steps"]
            .as_array()
            .expect("steps")
            .iter()
            .filter_map(|step| step["step"].as_str())
            .collect();
        let wanted = ["leave-groups", "enter-process", "same-namespaces", "fork", "set-ids", "execvp"];
        assert_eq!(steps, wanted);
        let text = both.ours(&["-t", target.pid(), "-a", "--explain", "touch", "made"]).said();
        assert!(text.contains("enter the namespaces") && text.contains(&target.namespace("net")), "{text}");
        assert!(!caller.home().join("made").exists());
    }
}

#[test]
fn a_thread_that_is_not_the_first_is_entered_as_well() {
    let caller = proof::or_skip!(Caller::root());
    // A thread of this process.
    let (tell, hear) = std::sync::mpsc::channel();
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::spawn(move || {
        tell.send(rustix::thread::gettid().as_raw_nonzero().get()).expect("heard");
        assert!(ended.recv().is_err(), "nothing is sent");
    });
    let tid = hear.recv().expect("a thread id").to_string();
    let said = Both::new(&caller).ours(&["-t", &tid, "-u", "readlink", "/proc/self/ns/uts"]).said();
    assert_eq!(Some(said.as_str()), fs::read_link("/proc/self/ns/uts").expect("ours").to_str());
    drop(end);
    thread.join().expect("the thread ends");
}

#[test]
fn help_and_version_are_told_under_the_name_of_the_link() {
    let caller = proof::or_skip!(Caller::user());
    let both = Both::new(&caller);
    for flag in ["--help", "-h"] {
        let said = both.ours(&[flag]).said();
        assert!(said.contains("Usage: nsenter [FLAGS") && said.contains("--follow-context"), "{said}");
    }
    assert!(both.ours(&["-V"]).said().starts_with("nsenter from insula "));
    let mut command = caller.insula(&["nsenter", "--help"]);
    assert!(ended(command.stdin(Stdio::null())).said().contains("Usage: insula nsenter [FLAGS"));
}
