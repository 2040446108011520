//! Each limit is hit, on whichever version its controller is.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use insula_proof::need as needs;
use insula_proof::{self as proof, need, or_skip};

use crate::caller::ended;
use crate::room::{Look, Room, controller};

fn room() -> Room {
    Room::new(Look::Here)
}

#[test]
fn memory_above_the_limit_is_killed_and_counted() {
    or_skip!(controller("memory"));
    let room = room();
    room.make(&["--memory", "24m"]);
    // Swap would only put it off.
    if room.show()["usage"]["memory"]["swap_bytes"].is_u64() {
        room.says(&["set", &room.name, "--memory", "24m", "--memory-swap", "24m"]);
    }
    assert_eq!(room.number("/limits/memory_bytes"), 24 << 20);
    let below = ended(&mut room.sh("head -c 4194304 /dev/zero | tail -c 1 | wc -c"));
    assert_eq!(below.said(), "1");
    assert_eq!(room.number("/usage/memory/oom_kills"), 0);
    // tail(1) keeps a line until it ends.
    let above = ended(&mut room.sh("exec tail /dev/zero"));
    assert_eq!(above.code(), 137, "{}", above.err);
    assert_eq!(room.number("/usage/memory/oom_kills"), 1);
    // Version 1 leaves memory.failcnt at 0 on Linux 6.18.
    assert!(needs::cgroup_v1("memory").is_ok() || room.number("/usage/memory/limit_hits") > 0);
    assert!(room.number("/usage/memory/peak_bytes") > 20 << 20);
    assert!(room.says(&["show", &room.name]).contains(", killed for want of memory: 1"));
    room.says(&["rm", &room.name]);
}

#[test]
fn a_fork_above_the_limit_is_refused_and_counted() {
    or_skip!(controller("pids"));
    let room = room();
    room.make(&["--pids", "4"]);
    let end = ended(&mut room.sh("for i in 1 2 3 4 5 6 7 8; do sleep 5 > /dev/null 2>&1 & done; wait"));
    assert_ne!(end.code(), 0);
    assert!(end.err.to_lowercase().contains("fork"), "{}", end.err);
    assert!(room.number("/usage/pids/refused") >= 1);
    assert!(room.members().len() <= 4);
    assert_eq!(room.number("/limits/pids"), 4);
    room.says(&["kill", &room.name]);
    room.says(&["set", &room.name, "--pids-limit", "max"]);
    let end = ended(&mut room.sh("for i in 1 2 3 4 5 6 7 8; do sleep 0.01 & done; wait"));
    assert_eq!((end.code(), end.err.as_str()), (0, ""));
    room.says(&["rm", "--force", &room.name]);
}

#[test]
fn time_above_the_quota_is_withheld_and_counted() {
    or_skip!(controller("cpu"));
    let room = room();
    room.make(&["--cpus", "0.1"]);
    // On a slow machine the start of the programs alone takes a part of it.
    let seconds = proof::patience(Duration::from_secs(1)).as_secs();
    let end = ended(&mut room.sh(&format!("timeout {seconds} sh -c 'while :; do :; done'")));
    assert_eq!(end.code(), 124, "{}", end.err);
    let used_us = room.number("/usage/cpu/usage_us");
    assert!(
        (20_000..400_000 * seconds).contains(&used_us),
        "a tenth of {seconds} s, and it took {used_us} us"
    );
    assert!(room.number("/usage/cpu/throttled") >= 3);
    assert!(room.number("/usage/cpu/throttled_us") > 100_000);
    room.says(&["rm", &room.name]);
}

#[test]
fn a_program_runs_on_the_cpus_of_its_set() {
    or_skip!(controller("cpuset"));
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    or_skip!(needs::that(cpus > 1, "there is one CPU only"));
    let room = room();
    room.make(&["--cpuset-cpus", "1", "--cpuset-mems", "0"]);
    let allowed = ended(&mut room.sh("grep Cpus_allowed_list /proc/self/status")).said();
    assert_eq!(allowed.split_whitespace().last(), Some("1"));
    room.says(&["set", &room.name, "--cpuset-cpus", "0-1"]);
    let allowed = ended(&mut room.sh("grep Cpus_allowed_list /proc/self/status")).said();
    assert_eq!(allowed.split_whitespace().last(), Some("0-1"));
    room.says(&["rm", &room.name]);
}

/// A directory on a whole disk that takes O_DIRECT, and the disk's numbers.
fn on_disk() -> Option<(PathBuf, String)> {
    let places = [std::env::temp_dir(), PathBuf::from("/var/tmp")];
    places.into_iter().find_map(|place| {
        let number = fs::metadata(&place).ok()?.dev();
        let number = format!("{}:{}", rustix::fs::major(number), rustix::fs::minor(number));
        let mut disks = fs::read_dir("/sys/block").ok()?.filter_map(Result::ok);
        disks
            .any(|disk| fs::read_to_string(disk.path().join("dev")).is_ok_and(|dev| dev.trim() == number))
            .then_some((place, number))
    })
}

#[test]
fn writing_to_a_disk_takes_as_long_as_its_rate_says() {
    or_skip!(controller("io").or_else(|_| controller("blkio")));
    let Some((directory, disk)) = on_disk() else { proof::skip!("no file system here is on a whole disk") };
    let room = room();
    let file = directory.join(room.name.trim_start_matches('/'));
    let write = || {
        let script = format!("dd if=/dev/zero of={} bs=64k count=32 oflag=direct 2>&1", file.display());
        let start = Instant::now();
        let end = ended(&mut room.sh(&script));
        let took = start.elapsed();
        drop(fs::remove_file(&file));
        assert_eq!(end.code(), 0, "{}", end.out);
        took
    };
    room.make(&["--io-write-bps", &format!("{disk}:1m")]);
    let slow = write();
    assert!(slow > Duration::from_millis(1500), "2 MiB at 1 MiB a second took {slow:?}");
    let shown = room.show();
    assert_eq!(
        shown["limits"]["io"][0].as_str().map(|line| line.contains("wbps=1048576")),
        Some(true),
        "{shown:#}"
    );
    assert!(
        shown["usage"]["io"][0]["written_bytes"].as_u64().is_some_and(|bytes| bytes >= 2 << 20),
        "{shown:#}"
    );
    room.says(&["set", &room.name, "--device-write-bps", &format!("{disk}:0")]);
    let fast = write();
    assert!(fast < slow / 2, "without a limit it took {fast:?}, with one {slow:?}");
    room.says(&["rm", &room.name]);
}

#[test]
fn memory_and_swap_are_raised_and_lowered_in_any_order() {
    or_skip!(controller("memory"));
    let room = room();
    room.make(&["--memory", "32m"]);
    if !room.show()["usage"]["memory"]["swap_bytes"].is_u64() {
        room.says(&["rm", &room.name]);
        proof::skip!("this kernel does not count swap");
    }
    for (memory, both) in [(32_u64, 48_u64), (64, 64), (16, 16), (20, 400), (300, 300), (8, 9)] {
        let (memory, both) = (memory << 20, both << 20);
        room.says(&["set", &room.name, "--memory", &memory.to_string(), "--memory-swap", &both.to_string()]);
        assert_eq!(room.number("/limits/memory_bytes"), memory);
        assert_eq!(room.number("/limits/memory_swap_bytes"), both);
    }
    let said = room.fails(&["set", &room.name, "--memory", "20m", "--memory-swap", "10m"]);
    assert!(said.contains("memory.swap: `10485760` is below the limit of memory"), "{said}");
    room.says(&["set", &room.name, "--memory", "-1"]);
    let limits = room.show()["limits"].clone();
    assert!(limits["memory_bytes"].is_null() && limits["memory_swap_bytes"].is_null(), "{limits:#}");
    room.says(&["rm", &room.name]);
}

#[test]
fn quota_and_period_change_in_any_order_and_one_keeps_the_other() {
    or_skip!(controller("cpu"));
    let room = room();
    room.make(&["--cpus", "0.5"]);
    // A group below has a share of it, which the kernel compares after each write.
    let below = format!("{}/below", room.name);
    room.says(&["new", &below, "--cpu-quota", "40000", "--cpu-period", "100000"]);
    for (quota, period) in [(4_000, 10_000), (400_000, 1_000_000), (10_000, 100_000), (450_000, 900_000)] {
        room.says(&["set", &below, "--cpu-quota", &quota.to_string(), "--cpu-period", &period.to_string()]);
    }
    room.says(&["set", &below, "--cpu-quota", "90000"]);
    let shown: serde_json::Value =
        serde_json::from_str(&room.says(&["show", &below, "--json"])).expect("JSON");
    assert_eq!(
        (&shown["limits"]["cpu_quota_us"], &shown["limits"]["cpu_period_us"]),
        (&90_000.into(), &900_000.into())
    );
    room.says(&["set", &below, "--cpu-period", "500000"]);
    let shown: serde_json::Value =
        serde_json::from_str(&room.says(&["show", &below, "--json"])).expect("JSON");
    assert_eq!(
        (&shown["limits"]["cpu_quota_us"], &shown["limits"]["cpu_period_us"]),
        (&90_000.into(), &500_000.into())
    );
    room.says(&["set", &room.name, "--cpus", "max"]);
    assert!(room.show()["limits"]["cpu_quota_us"].is_null());
    room.says(&["rm", "-r", &room.name]);
}

#[test]
fn a_weight_is_given_in_either_version_s_words() {
    or_skip!(controller("cpu"));
    let room = room();
    room.make(&["--cpu-shares", "2048"]);
    let (weight, shares) =
        (room.show()["limits"]["cpu_weight"].clone(), room.show()["limits"]["cpu_shares"].clone());
    assert!(weight == 174 && shares.is_null() || shares == 2048 && weight.is_null(), "{weight}, {shares}");
    room.says(&["set", &room.name, "--cpu-weight", "174"]);
    let (weight, shares) =
        (room.show()["limits"]["cpu_weight"].clone(), room.show()["limits"]["cpu_shares"].clone());
    assert!(
        weight == 174 || shares.as_u64().is_some_and(|shares| (2000..=2048).contains(&shares)),
        "{weight}, {shares}"
    );
    room.says(&["rm", &room.name]);
}

#[test]
fn a_limit_of_version_2_is_given_by_its_file() {
    need!(root, cgroup_v2_controller "memory");
    let room = room();
    room.make(&["--cgroup-conf", "memory.high=16777216", "--cgroup-conf", "memory.oom.group=1"]);
    let read = |file| fs::read_to_string(room.directory("memory").join(file)).expect("a control file");
    assert_eq!((read("memory.high").trim(), read("memory.oom.group").trim()), ("16777216", "1"));
    room.says(&["rm", &room.name]);
}

#[test]
fn an_ordinary_core_file_of_version_2_is_a_limit_too() {
    need!(root, cgroup_v2);
    let room = room();
    room.make(&["--cgroup-conf", "cgroup.max.descendants=1"]);
    room.says(&["new", &format!("{}/one", room.name)]);
    let said = room.fails(&["new", &format!("{}/two", room.name)]);
    assert!(said.contains("/two`: Resource temporarily unavailable"), "{said}");
    assert!(said.contains("cgroup.max.descendants"), "{said}");
    let left = room.show()["groups"].clone();
    assert_eq!(left, serde_json::json!(["one"]), "what was made of it is taken back");
    room.says(&["rm", "-r", &room.name]);
}
