//! Ordinary users: in a tree that was delegated to them, by the words of the hint; and without one.

use std::fs;

use insula_proof::{need, or_skip};

use crate::caller::{Caller, Started, ended};
use crate::room::{Look, Room, until};

#[test]
fn without_a_place_the_words_say_how_to_get_one() {
    let user = or_skip!(Caller::user());
    let uid = user.uid();
    let end = ended(&mut user.insula(&["cgroup", "new", "web", "--pids", "5"]));
    if end.code() == 0 {
        drop(ended(&mut user.insula(&["cgroup", "rm", "web"])));
        insula_proof::skip!("this user has a cgroup of its own");
    }
    assert_eq!((end.code(), end.out.as_str()), (125, ""));
    assert!(
        end.err
            .contains(&format!("insula: error: find a place for `web`: no cgroup here is uid {uid}'s own\n")),
        "{}",
        end.err
    );
    assert!(end.err.contains(&format!("as root: `insula cgroup new --owner {uid} /u{uid}`")), "{}", end.err);
    let end = ended(&mut user.insula(&["cgroup", "new", "/insula-test-not-ours"]));
    assert_eq!(end.code(), 125);
    assert!(end.err.contains("belongs to uid 0, and this is uid "), "{}", end.err);
    // Seeing is free.
    let shown = ended(&mut user.insula(&["cgroup", "show"])).said();
    assert!(shown.contains("(not yours)"), "{shown}");
    assert_eq!(ended(&mut user.insula(&["cgroup", "ls"])).said(), "");
}

/// What the user does, once its shell has been moved.
const SCRIPT: &str = r#"
while [ ! -e go ]; do sleep 0.02; done
set -e
$INSULA cgroup new web --pids 8
$INSULA cgroup exec web -- sh -c 'echo in; (sleep 60 &); exit 3' || echo code $?
$INSULA cgroup freeze web
$INSULA cgroup thaw web
$INSULA cgroup show web --json > shown
$INSULA cgroup rm web 2> busy || echo busy
$INSULA cgroup rm --force web
$INSULA cgroup ls
$INSULA cgroup set "$TOP" --pids 99 2> refused || echo refused
"#;

/// The commands of the hint, as root; then the user has a tree of its own.
#[test]
fn in_a_delegated_tree_a_user_makes_groups() {
    or_skip!(crate::room::controller("pids"));
    let user = or_skip!(Caller::user());
    let top = Room::new(Look::Here);
    let shell = format!("{}/shell", top.name);
    let uid = user.uid().to_string();
    top.says(&["new", "--owner", &uid, &top.name]);
    top.says(&["new", "--owner", &uid, &shell]);
    let mut sh = user.command("sh");
    let insula = user.words(&[]).remove(0);
    sh.args(["-c", SCRIPT]).env("INSULA", insula).env("TOP", &top.name);
    let mut started = Started::new(&mut sh);
    top.says(&["join", &shell, &started.child.id().to_string()]);
    user.write("go", "");
    let end = started.ended();
    assert_eq!((end.code(), end.err.as_str()), (0, ""), "{}", end.out);
    assert_eq!(end.out, "in\ncode 3\nbusy\nrefused\n");
    let read = |name: &str| fs::read_to_string(user.home().join(name)).expect("what it wrote");
    let shown: serde_json::Value = serde_json::from_str(&read("shown")).expect("JSON");
    assert_eq!(shown["limits"]["pids"], 8);
    assert_eq!(shown["members"].as_array().map(Vec::len), Some(1));
    for place in shown["places"].as_array().expect("a list") {
        assert_eq!(place["path"], format!("{}/insula/web", top.name));
    }
    assert!(read("busy").contains("cause: processes or groups are in it"), "{}", read("busy"));
    let refused = read("refused");
    assert!(refused.contains("write `99` to") && refused.contains("Permission denied"), "{refused}");
    top.says(&["rm", "-r", &top.name]);
}

/// Version 2 lets nobody take a process out of a tree that is another's.
#[test]
fn a_user_brings_no_process_in_from_outside() {
    need!(root, cgroup_v2);
    let user = or_skip!(Caller::user());
    let top = Room::new(Look::Here);
    top.says(&["new", "--owner", &user.uid().to_string(), &top.name]);
    let end = ended(&mut user.insula(&["cgroup", "exec", &top.name, "true"]));
    assert_eq!(end.code(), 125);
    assert!(end.err.contains("write `0` to `") && end.err.contains("Permission denied"), "{}", end.err);
    assert!(
        end.err
            .contains("hint: moving a process takes write access to `cgroup.procs` of the group above both"),
        "{}",
        end.err
    );
    until("nobody is in it", || top.members().is_empty());
    top.says(&["rm", &top.name]);
}
