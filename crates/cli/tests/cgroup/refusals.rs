//! What is refused: each refusal names the file, the value and the cure, and leaves nothing behind.

use insula_proof::need;

use crate::caller::{Caller, ended};
use crate::room::{Look, Room, controller};

by_everyone!(a_name_that_no_group_can_have);

/// `new` with these limits fails and says all of these words, and the group is not there afterwards.
#[track_caller]
fn refused(limits: &[&str], words: &[&str]) {
    let room = Room::new(Look::Here);
    let said = room.fails(&[&["new", &room.name], limits].concat());
    for word in words {
        assert!(said.contains(word), "{limits:?} does not say `{word}`: {said}");
    }
    assert!(room.directories().is_empty(), "{limits:?} has left {:?}", room.directories());
}

#[test]
fn a_value_that_no_group_could_have() {
    for (limits, words) in [
        (["--memory", "lots"], ["`--memory lots`: `lots` is no number; write a size in bytes", "as 64m"]),
        (["--memory", "0"], ["`0` would let nothing run", "-1 or max is no limit"]),
        (["--cpus", "0"], ["`0` is too little", "write a number of CPUs, 0.01 or more"]),
        (["--pids", "many"], ["`--pids-limit many`", "as 20"]),
        (["--cpuset-cpus", "a"], ["`a` is no list of numbers", "as 0-2,4"]),
        (["--io-weight", "5"], ["`5` is no weight", "10 to 1000"]),
        (["--io-read-bps", "/dev/null:1m"], ["`/dev/null` is no block device", "8:0:1m"]),
        (["--cpu-weight", "0"], ["`0` is no weight", "1 to 10000"]),
        (["--cgroup-conf", "memory.high"], ["a file and a value are wanted", "FILE=VALUE"]),
        (["--cgroup-conf", "../x.y=1"], ["unified: `../x.y` is no name of a control file", ""]),
        (["--cgroup-conf", "cgroup.freeze=1"], ["unified: `cgroup.freeze` is no limit", ""]),
        (["--owner", "no such user"], ["`no such user` is no user here", "UID:GID"]),
    ] {
        refused(&limits, &words);
    }
    refused(&["--cpus", "1", "--cpu-quota", "1000"], &["`--cpus` and `--cpu-quota` say the same thing"]);
    refused(
        &["--cpu-shares", "2", "--cpu-weight", "1"],
        &["`--cpu-shares` and `--cpu-weight` say the same thing"],
    );
}

fn a_name_that_no_group_can_have(caller: &Caller) {
    for (name, words) in [
        ("/", "is no name of a group"),
        ("", "is no name of a group"),
        ("/a/../b", "leads upwards"),
        ("cgroup.procs", "looks like a control file"),
        ("a\x1b[31m\nb", "`a\\u{1b}[31m\\u{a}b` has a character that no cgroup's name can have"),
    ] {
        let end = ended(&mut caller.insula(&["cgroup", "new", name]));
        assert_eq!((end.code(), end.out.as_str()), (125, ""));
        assert!(end.err.contains(words), "{name:?}: {}", end.err);
    }
}

#[test]
fn a_value_that_the_kernel_refuses_is_named_with_its_file() {
    need!(root);
    if controller("cpuset").is_ok() {
        refused(
            &["--cpuset-cpus", "4000"],
            &["write `4000` to `/sys/fs/cgroup/", "/cpuset.cpus`: ", "hint: it takes CPUs"],
        );
    }
    if controller("cpu").is_ok() {
        refused(
            &["--cpu-quota", "5"],
            &["write `5", "Invalid argument", "hint: it takes a quota of 1000 microseconds"],
        );
        refused(&["--cpu-quota", "5000", "--cpu-burst", "9000"], &["write `9000` to", "0 to the quota"]);
    }
    if controller("io").is_ok() || controller("blkio").is_ok() {
        refused(&["--io-read-bps", "8:255:1m"], &["8:255", "No such device", "numbers of a whole disk"]);
    }
    if controller("memory").is_ok() {
        refused(
            &["--memory", "32m", "--memory-swap", "16m"],
            &["memory.swap: `16777216` is below the limit of memory"],
        );
    }
}

#[test]
fn what_the_machine_has_not_is_said() {
    need!(root);
    refused(
        &["--cgroup-conf", "nosuch.max=1"],
        &["write `` to `nosuch`: no mounted hierarchy has this controller", "hint: see /proc/cgroups"],
    );
    if insula_proof::need::cgroup_v1("memory").is_ok() {
        refused(
            &["--cgroup-conf", "memory.high=1"],
            &["write `1` to `memory.high`: cgroup version 1 has nothing like it"],
        );
    } else if controller("memory").is_ok() {
        refused(
            &["--memory-swappiness", "10"],
            &["write `10` to `memory.swappiness`: cgroup version 2 has nothing like it"],
        );
        refused(&["--cgroup-conf", "memory.nosuch=1"], &["memory.nosuch", "this kernel has no such file"]);
    }
}

#[test]
fn a_limit_that_is_refused_later_leaves_the_group_as_it_was() {
    insula_proof::or_skip!(controller("pids"));
    let room = Room::new(Look::Here);
    room.make(&["--pids", "7"]);
    assert!(room.fails(&["set", &room.name]).contains("no limit is given"));
    let said = room.fails(&["set", &room.name, "--pids", "99999999999"]);
    assert!(said.contains("write `99999999999` to"), "{said}");
    assert_eq!(room.number("/limits/pids"), 7);
    room.says(&["rm", &room.name]);
}

#[test]
fn memory_below_its_use_is_busy_with_the_cure() {
    // Version 2 reclaims and kills instead, memory.max in cgroup-v2.rst.
    need!(root, cgroup_v1 "memory");
    let room = Room::new(Look::Here);
    room.make(&[]);
    let mut started = room.start("head -c 20000000 /dev/zero | tail | sleep 60");
    crate::room::until("it holds memory", || room.number("/usage/memory/current_bytes") > 16 << 20);
    let said = room.fails(&["set", &room.name, "--memory", "1m"]);
    assert!(said.contains("memory.limit_in_bytes`: Device or resource busy\n"), "{said}");
    assert!(said.contains("cause: more than that is in use\n"), "{said}");
    assert!(said.contains("hint: free memory in the group first"), "{said}");
    room.says(&["rm", "--force", &room.name]);
    assert_eq!(started.ended().code(), 137);
}
