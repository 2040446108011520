//! `insula ns holders`: each thing that keeps a namespace is named, alone and together with others.

use crate::room::rooms;
use insula_proof as proof;
use serde_json::Value;

/// What holds, by the words of the answer.
fn by(answer: &Value) -> Vec<&str> {
    answer["holders"].as_array().into_iter().flatten().filter_map(|holder| holder["by"].as_str()).collect()
}

#[test]
fn each_holder_is_named() {
    let script = r#"
touch "$OUT/pin"
unshare --uts="$OUT/pin" true
"$INSULA" ns holders --json "$OUT/pin" > "$OUT/by-mount"
INODE=$(stat -L -c %i "$OUT/pin")
sleep 60 3< "$OUT/pin" & soon "test -e /proc/$!/fd/3"
umount --lazy "$OUT/pin"
soon "\"$INSULA\" ns show \"uts:[$INODE]\""
"$INSULA" ns holders --json "uts:[$INODE]" > "$OUT/by-fd"
nsenter --uts=/proc/$!/fd/3 sleep 60 & is $! sleep
"$INSULA" ns holders --json $INODE > "$OUT/by-both"
echo $!
"#;
    for room in rooms!() {
        let pid: u32 = room.text(script).trim().parse().expect("a pid");
        let read = |name: &str| -> Value {
            serde_json::from_slice(&std::fs::read(room.directory.join(name)).expect("written")).expect("JSON")
        };
        let mount = read("by-mount");
        assert_eq!(by(&mount), ["mount"], "{mount}");
        assert_eq!(mount["holders"][0]["mount_point"], format!("{}/pin", room.directory.display()));
        let fd = read("by-fd");
        assert_eq!(by(&fd), ["open_file"], "{fd}");
        assert_eq!((&fd["holders"][0]["fd"], &fd["holders"][0]["command"]), (&3.into(), &"sleep 60".into()));
        let both = read("by-both");
        assert_eq!(by(&both), ["process", "open_file"], "{both}");
        assert_eq!(both["holders"][0]["pid"], pid);
        assert_eq!(both["unseen"]["processes"], 0, "all of the room is ours to look at");
    }
}

#[test]
fn a_mount_of_another_mount_namespace_and_a_child_are_named() {
    let script = r#"
touch "$OUT/pin"
unshare --mount --propagation private sh -c 'unshare --uts="$OUT/pin" true; stat -L -c %i "$OUT/pin" > "$OUT/inode"; exec sleep 60' &
soon "test -s \"$OUT/inode\""
"$INSULA" ns holders --json "uts:[$(cat "$OUT/inode")]" > "$OUT/by-mount"
unshare --user --map-root-user unshare --user --map-root-user sleep 60 & is $! sleep
PARENT=$("$INSULA" ns show --kind user --json $! | tr -d ' ",' | sed -n 's/^parent://p')
"$INSULA" ns holders --json "user:[$PARENT]" > "$OUT/by-child"
ns $! user
"#;
    for room in rooms!() {
        let inode: u64 = room.text(script).trim().parse().expect("an inode");
        let read = |name: &str| -> Value {
            serde_json::from_slice(&std::fs::read(room.directory.join(name)).expect("written")).expect("JSON")
        };
        let mount = read("by-mount");
        assert_eq!(by(&mount), ["mount"], "{mount}");
        assert_eq!(mount["holders"][0]["command"], "sleep 60", "a process of that mount namespace");
        let child = read("by-child");
        assert_eq!(by(&child), ["child"], "{child}");
        assert_eq!(child["holders"][0]["namespace"], serde_json::json!({ "kind": "user", "inode": inode }));
    }
}

#[test]
fn a_strange_mount_point_is_shown_on_one_line() {
    let script = r#"
PIN="$OUT/$(printf 'a\nb\033[31m c')"; touch "$PIN"
mount --bind /proc/self/ns/uts "$PIN"
"$INSULA" ns holders "$PIN"; "$INSULA" ns show "$PIN"; umount "$PIN"
"#;
    for room in rooms!() {
        let said = room.text(script);
        assert!(
            said.lines().any(|line| line.contains("mount") && line.contains("a\\x0ab\\x1b[31m c")),
            "{said}"
        );
        assert!(said.lines().any(|line| line.contains("a\\u{a}b\\u{1b}[31m c")), "{said}");
        assert!(!said.contains('\u{1b}'));
    }
}

#[test]
fn what_could_not_be_looked_at_is_counted() {
    if std::fs::read_link("/proc/1/ns/net").is_ok() && !proof::id::is_root() {
        proof::skip!("all processes are this user's");
    }
    let user = proof::Ordinary::new();
    let output =
        user.insula().args(["ns", "holders", "--json", "/proc/self/ns/uts"]).output().expect("start insula");
    let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(answer["unseen"]["processes"].as_u64() > Some(0), "{answer}");
    assert!(answer["unseen"]["blind"].as_str().is_some_and(|blind| blind.contains("SCM_RIGHTS")));
    let output = user.insula().args(["ns", "holders", "/proc/self/ns/uts"]).output().expect("start insula");
    assert!(String::from_utf8_lossy(&output.stderr).contains("could not be looked at"));
}
