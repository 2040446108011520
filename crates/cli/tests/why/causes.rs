//! Calls that are really refused, each with its cause; and what tracing itself would change.

use super::{PATH, ended, why};
use crate::caller::Caller;
use insula_proof as proof;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::fs::chown;
use std::process::Command;

/// The answer that an `insula why --json -o answer.json` deep inside has left.
#[track_caller]
fn left_in(caller: &Caller) -> Value {
    let text = fs::read_to_string(caller.home().join("answer.json")).expect("read the answer");
    serde_json::from_str(&text).expect("an answer in JSON")
}

/// The refused call that is taken for the end's reason.
#[track_caller]
fn fatal(answer: &Value) -> &Value {
    let all = answer["refused"].as_array().expect("a list");
    all.iter()
        .find(|refused| refused["outcome"] == "fatal")
        .unwrap_or_else(|| panic!("none is fatal: {answer:#}"))
}

/// Runs `SCRIPT` with `why` as `$0`: `insula why --json -o answer.json --`.
#[track_caller]
fn inside(caller: &Caller, outer: &[&str], script: &str) -> i32 {
    let insula = caller.words(&[]).remove(0);
    let script = format!("why() {{ {insula} why --json -o answer.json -- \"$@\"; }}; {script}");
    let mut command = caller.command(outer.first().unwrap_or(&"sh"));
    let rest = if outer.is_empty() { &[][..] } else { &outer[1..] };
    command.args(rest);
    if !outer.is_empty() {
        command.arg("sh");
    }
    ended(command.args(["-c", &script])).code()
}

#[test]
fn a_namespace_without_the_right_to_it() {
    let caller = proof::or_skip!(Caller::user());
    let answer = why(&caller, &["unshare", "--net", "true"]);
    assert_eq!(answer.end.code(), 1);
    let fatal = answer.fatal();
    assert_eq!((&fatal["text"], &fatal["errno"]), (&"unshare(CLONE_NEWNET)".into(), &"EPERM".into()));
    assert_eq!(fatal["family"], "namespaces");
    let cause = fatal["cause"]["text"].as_str().unwrap_or_default();
    assert!(cause.contains("CAP_SYS_ADMIN"), "{fatal:#}");
    assert!(fatal["said"].as_str().is_some_and(|said| said.starts_with("unshare: ")), "{fatal:#}");
}

#[test]
fn a_root_without_the_right_to_it() {
    let caller = proof::or_skip!(Caller::user());
    let answer = why(&caller, &["chroot", "/tmp", "true"]);
    assert_eq!(answer.end.code(), 125);
    assert_eq!(answer.fatal()["text"], "chroot(\"/tmp\")");
    assert_eq!(answer.fatal()["cause"]["key"], "capability-lacking", "{:#}", answer.json);
}

#[test]
fn a_limit_of_namespaces() {
    let caller = proof::or_skip!(Caller::user());
    let code = inside(
        &caller,
        &["unshare", "-Ur"],
        "echo 0 > /proc/sys/user/max_net_namespaces && why unshare --net true",
    );
    assert_eq!(code, 1);
    let answer = left_in(&caller);
    let fatal = fatal(&answer);
    assert_eq!(fatal["errno"], "ENOSPC", "{fatal:#}");
    let cause = fatal["cause"]["text"].as_str().unwrap_or_default();
    assert!(cause.contains("user.max_net_namespaces"), "{fatal:#}");
}

#[test]
fn a_proc_that_would_show_what_is_hidden() {
    let caller = proof::or_skip!(Caller::user());
    let code = inside(
        &caller,
        &["unshare", "-Urm"],
        "mount -t tmpfs none /proc/fs && why unshare -Urmpf mount -t proc proc /proc",
    );
    assert_ne!(code, 0);
    let answer = left_in(&caller);
    let fatal = fatal(&answer);
    assert_eq!((&fatal["call"], &fatal["errno"]), (&"mount".into(), &"EPERM".into()), "{answer:#}");
    let cause = fatal["cause"]["text"].as_str().unwrap_or_default();
    assert!(cause.contains("/proc/fs"), "{fatal:#}");
}

#[test]
fn a_map_that_breaks_a_rule() {
    let caller = proof::or_skip!(Caller::user());
    let answer = why(&caller, &["unshare", "-U", "sh", "-c", "echo 0 0 7 > /proc/self/uid_map"]);
    assert_ne!(answer.end.code(), 0);
    let fatal = answer.fatal();
    assert!(
        fatal["text"].as_str().is_some_and(|text| text.ends_with("/uid_map>, \"0 0 7\\n\", 6)")),
        "{fatal:#}"
    );
    assert!(fatal["cause"]["text"].as_str().is_some_and(|text| text.contains("`0 0 7`")), "{fatal:#}");
}

/// A filter that answers EPERM to unshare(2), as a container engine's does; for `bwrap --seccomp`.
fn filter() -> Vec<u8> {
    let unshare =
        insula_sys::syscall::all().find(|(_, name)| *name == "unshare").expect("unshare has a number").0;
    let unshare = u32::try_from(unshare).expect("a small number");
    let program: [(u16, u8, u8, u32); 4] =
        [(0x20, 0, 0, 0), (0x15, 0, 1, unshare), (0x06, 0, 0, 0x0005_0001), (0x06, 0, 0, 0x7fff_0000)];
    let bytes = |(code, jt, jf, k): (u16, u8, u8, u32)| {
        [&code.to_ne_bytes()[..], &[jt, jf], &k.to_ne_bytes()[..]].concat()
    };
    program.into_iter().flat_map(bytes).collect()
}

#[test]
fn an_outer_filter_is_seen_though_it_answers_before_the_kernel_does() {
    proof::need!(program "bwrap");
    let caller = proof::or_skip!(Caller::user());
    let file = caller.home().join("filter");
    fs::write(&file, filter()).expect("write the filter");
    let script = "exec 9<filter; exec bwrap --bind / / --dev-bind /dev /dev --seccomp 9 \
                  \"$0\" why --json -o answer.json -- unshare -Ur true";
    let insula = caller.words(&[]).remove(0);
    let end = ended(caller.command("sh").args(["-c", script, &insula]));
    assert_eq!(end.code(), 1, "{}", end.err);
    let answer = left_in(&caller);
    let fatal = fatal(&answer);
    assert_eq!((&fatal["call"], &fatal["errno"]), (&"unshare".into(), &"EPERM".into()), "{answer:#}");
    assert!(fatal["cause"]["key"].as_str().is_some_and(|key| key.contains("filter")), "{fatal:#}");
}

#[test]
fn a_helper_that_is_not_there() {
    let caller = proof::or_skip!(Caller::user_with_subuids());
    let bare = caller.directory("bare");
    let script =
        format!("ln -s \"$(command -v unshare)\" {bare}/; PATH={bare}; why unshare -U --map-users=auto true");
    let code = inside(&caller, &[], &script);
    assert_ne!(code, 0);
    let answer = left_in(&caller);
    let refused = answer["refused"].as_array().expect("a list");
    let helper =
        refused.iter().find(|refused| refused["text"].as_str().unwrap_or_default().contains("newuidmap"));
    let helper = helper.unwrap_or_else(|| panic!("no newuidmap in {answer:#}"));
    assert_eq!((&helper["family"], &helper["errno"]), (&"exec".into(), &"ENOENT".into()));
}

fn a_program_that_is_not_there(caller: &Caller) {
    let answer = why(caller, &["insula-no-such-program"]);
    assert_eq!((answer.end.code(), answer.json["not-executed"].as_str()), (127, Some("ENOENT")));
    let fatal = answer.fatal();
    let places = fatal["places"].as_array().expect("a list").len();
    assert_eq!(places, PATH.split(':').count(), "{fatal:#}");
    let end = ended(caller.insula(&["why", "--", "insula-no-such-program"]).env("PATH", PATH));
    assert!(end.err.contains("could not be executed: no directory of PATH has it"), "{}", end.err);
}

fn programs_that_are_there_and_none(caller: &Caller) {
    let script = |name: &str, text: &str, mode: u32| {
        let path = caller.write(name, text);
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("set the mode");
        path
    };
    let no_interpreter = script("no-interpreter", "#!/no/such/interpreter\n", 0o755);
    let answer = why(caller, &[&no_interpreter]);
    assert_eq!(answer.end.code(), 127);
    assert_eq!(answer.fatal()["cause"]["key"], "no-interpreter", "{:#}", answer.json);
    let closed = script("closed", "#!/bin/sh\n", 0o644);
    let answer = why(caller, &[&closed]);
    assert_eq!(answer.end.code(), 126);
    assert_eq!(answer.fatal()["cause"]["key"], "not-executable", "{:#}", answer.json);
    // In a program that goes on it is one of its calls.
    let answer = why(caller, &["env", &no_interpreter]);
    assert_eq!(answer.end.code(), 127);
    assert_eq!(answer.fatal()["cause"]["key"], "no-interpreter", "{:#}", answer.json);
}

fn a_search_that_finds_its_program_is_no_refusal(caller: &Caller) {
    let script = "PATH=/no/such:/nor/this:$PATH; why env true";
    assert_eq!(inside(caller, &[], script), 0);
    assert_eq!(left_in(caller)["refused"], serde_json::json!([]));
}

by_everyone! {
    a_program_that_is_not_there,
    programs_that_are_there_and_none,
    a_search_that_finds_its_program_is_no_refusal,
}

#[test]
fn a_read_only_mount() {
    proof::need!(program "bwrap");
    let caller = proof::or_skip!(Caller::user());
    let answer = why(&caller, &["bwrap", "--ro-bind", "/", "/", "mkdir", "/insula-new"]);
    assert_eq!(answer.end.code(), 1);
    let fatal = answer.fatal();
    assert_eq!((&fatal["program"], &fatal["errno"]), (&"mkdir".into(), &"EROFS".into()), "{:#}", answer.json);
    assert_eq!(fatal["cause"]["key"], "read-only", "{fatal:#}");
}

#[test]
fn a_device_of_the_network() {
    proof::need!(program "ip");
    let caller = proof::or_skip!(Caller::user());
    let answer = why(&caller, &["ip", "link", "add", "insula0", "type", "veth"]);
    assert_eq!(answer.end.code(), 2);
    let fatal = answer.fatal();
    assert_eq!((&fatal["text"], &fatal["errno"]), (&"netlink RTM_NEWLINK".into(), &"EPERM".into()));
    assert!(fatal["cause"]["text"].as_str().is_some_and(|text| text.contains("CAP_NET_ADMIN")), "{fatal:#}");
}

#[test]
fn a_set_user_id_program_of_an_ordinary_user_keeps_its_rights() {
    proof::need!(root, privileged_programs);
    let caller = proof::or_skip!(Caller::user());
    let copy = caller.home().join("whoever");
    assert!(Command::new("cp").arg("/usr/bin/id").arg(&copy).status().is_ok_and(|status| status.success()));
    chown(&copy, Some(0), Some(0)).expect("give it to root");
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o4755)).expect("set the bit");
    let mount = rustix::fs::statvfs(&copy).expect("look at the mount");
    if mount.f_flag.contains(rustix::fs::StatVfsMountFlags::NOSUID) {
        proof::skip!("the scratch directory is nosuid");
    }
    let answer = why(&caller, &["sh", "-c", "./whoever -u; exit 3"]);
    assert_eq!((answer.end.code(), answer.end.out.as_str()), (3, "0\n"), "{}", answer.end.err);
    let notes = answer.json["notes"].to_string();
    assert!(notes.contains("set-user-ID"), "{notes}");
    // Root's own tracing takes nothing away, so that nothing has to be let go.
    let root = Caller::root().expect("we are root");
    let path = copy.to_str().expect("a path in UTF-8");
    let answer = why(&root, &["sh", "-c", &format!("{path} -u; exit 3")]);
    assert_eq!((answer.end.code(), answer.end.out.as_str()), (3, "0\n"));
    assert_eq!(answer.json["notes"], serde_json::json!([]));
}

#[test]
fn peers_that_succeed_are_refused_nothing() {
    let caller = proof::or_skip!(Caller::user());
    let mut calls =
        vec![vec!["unshare", "-Urmpf", "--mount-proc", "true"], vec!["unshare", "-Urnui", "true"]];
    if proof::need::program("bwrap").is_ok() {
        calls.push(vec![
            "bwrap",
            "--ro-bind",
            "/",
            "/",
            "--dev",
            "/dev",
            "--proc",
            "/proc",
            "--unshare-all",
            "true",
        ]);
    }
    for words in calls {
        let answer = why(&caller, &words);
        assert_eq!(answer.end.code(), 0, "{words:?}: {}", answer.end.err);
        let fatal = answer.refused().iter().any(|refused| refused["outcome"] != "got-over");
        assert!(!fatal && answer.json["verdict"] == Value::Null, "{words:?}: {:#}", answer.json);
    }
}

#[test]
fn nothing_is_left() {
    let _alone = proof::alone();
    for caller in [Caller::root().ok(), Caller::user().ok()].into_iter().flatten() {
        let before = caller.census();
        why(
            &caller,
            &["unshare", "-Urmpf", "--mount-proc", "sh", "-c", "true & mount -t proc x /no/such; exit 1"],
        );
        let end =
            ended(&mut caller.insula(&["why", "--", "insula", "unshare", "-Urmpf", "--mount-proc", "true"]));
        assert_eq!(end.code(), 0, "{}", end.err);
        let end = ended(&mut caller.insula(&["why", "--", "insula", "run", "no-such-program"]));
        assert_eq!(end.code(), 1, "{}", end.err);
        fs::remove_file(caller.home().join("answer.json")).expect("remove the answer");
        before.assert_equal_within(crate::caller::EXITS);
    }
}
