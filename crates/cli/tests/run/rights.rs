//! What the program may do: capabilities, limits, kernel parameters, devices.

use crate::caller::{Caller, ended};

by_everyone!(
    the_capabilities_are_dockers_fourteen_or_those_asked_for,
    only_root_has_capabilities_in_effect,
    no_new_privileges_holds,
    limits_are_set,
    a_hard_limit_cannot_be_raised_by_a_user,
    parameters_of_its_namespaces_are_set,
    a_device_is_given,
);

/// The five sets of the program, in the order of proc_pid_status(5).
fn capabilities(caller: &Caller, flags: &[&str]) -> Vec<u64> {
    let words = [&["run"], flags, &["--", "grep", "Cap", "/proc/self/status"]].concat();
    let said = ended(&mut caller.insula(&words)).said();
    let set = |line: &str| line.split_whitespace().last().and_then(|set| u64::from_str_radix(set, 16).ok());
    said.lines().filter_map(set).collect()
}

fn all_capabilities() -> u64 {
    let last = std::fs::read_to_string("/proc/sys/kernel/cap_last_cap").expect("read the last capability");
    (1 << (last.trim().parse::<u32>().expect("a number") + 1)) - 1
}

const DOCKERS: u64 = 0xa804_25fb;

fn the_capabilities_are_dockers_fourteen_or_those_asked_for(caller: &Caller) {
    let table: [(&[&str], u64); 6] = [
        (&[], DOCKERS),
        (&["--cap-add", "SYS_ADMIN"], DOCKERS | 1 << 21),
        (&["--cap-drop", "CAP_CHOWN", "--cap-drop", "kill"], DOCKERS & !(1 | 1 << 5)),
        (&["--cap-drop", "ALL"], 0),
        (&["--cap-drop", "all", "--cap-add", "chown"], 1),
        (&["--cap-add", "ALL"], all_capabilities()),
    ];
    for (flags, mask) in table {
        assert_eq!(capabilities(caller, flags), [0, mask, mask, mask, 0], "{flags:?}");
    }
}

fn only_root_has_capabilities_in_effect(caller: &Caller) {
    if caller.maps_ranges() {
        assert_eq!(capabilities(caller, &["-u", "1000"]), [0, 0, 0, DOCKERS, 0]);
    }
}

fn no_new_privileges_holds(caller: &Caller) {
    // Once set it never goes away: where the tests have it, so has every program of theirs.
    let own = if insula_proof::need::privileged_programs().is_ok() { "0" } else { "1" };
    let table: [(&[&str], &str); 3] =
        [(&[], own), (&["--no-new-privileges"], "1"), (&["--security-opt", "no-new-privileges"], "1")];
    for (flags, expected) in table {
        let said = caller.sh(flags, "grep NoNewPrivs /proc/self/status");
        assert_eq!(said.split_whitespace().last(), Some(expected), "{flags:?}");
    }
}

fn limits_are_set(caller: &Caller) {
    let flags = ["--ulimit", "nofile=100:200", "--ulimit", "core=0", "--ulimit", "nproc=500"];
    let words = [&["run"], &flags[..], &["--", "cat", "/proc/self/limits"]].concat();
    let said = ended(&mut caller.insula(&words)).said();
    let values = |name: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(name)).expect("a limit of the name");
        line.split_whitespace().take(2).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(values("Max open files"), ["100", "200"]);
    assert_eq!(values("Max core file size"), ["0", "0"]);
    assert_eq!(values("Max processes"), ["500", "500"]);
}

fn a_hard_limit_cannot_be_raised_by_a_user(caller: &Caller) {
    if caller.is_root() {
        return;
    }
    let words = caller.words(&["run", "--ulimit", "nofile=100:200", "--", "true"]);
    let end = ended(caller.command("sh").args(["-c", "ulimit -n 150; exec \"$@\"", "sh"]).args(words));
    assert_eq!(end.code(), 125, "{}", end.err);
    assert!(end.err.contains("Operation not permitted"), "{}", end.err);
}

fn parameters_of_its_namespaces_are_set(caller: &Caller) {
    for (key, value) in
        [("net.ipv4.ip_forward", "1"), ("kernel.msgmax", "4321"), ("net.ipv4.ip_default_ttl", "99")]
    {
        let path = format!("/proc/sys/{}", key.replace('.', "/"));
        let before = std::fs::read_to_string(&path).expect("the host's value");
        let setting = format!("{key}={value}");
        assert_eq!(caller.sh(&["--sysctl", &setting], &format!("cat {path}")), value, "{key}");
        assert_eq!(std::fs::read_to_string(&path).expect("the host's value"), before, "{key} of the host");
    }
}

fn a_device_is_given(caller: &Caller) {
    assert_eq!(caller.sh(&["--device", "/dev/zero:/dev/nil"], "head -c 2 /dev/nil | od -An -tx1"), " 00 00");
    let end = ended(&mut caller.insula(&["run", "--", "test", "-e", "/dev/nil"]));
    assert_eq!(end.code(), 1, "it is in no other container");
}
