//! `insula ns watch`: what comes and goes is told, each name and in its order.

use crate::room::rooms;
use insula_proof as proof;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// The events of a watch, a line each.
#[track_caller]
fn events(text: &str) -> Vec<Value> {
    let read = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    text.lines().map(read).collect()
}

/// Starts a watch in a room, does something, and returns what was told.
#[track_caller]
fn watched(room: &crate::room::Room, flags: &str, act: &str) -> Vec<Value> {
    let script = format!(
        r#"
"$INSULA" ns watch --json --timeout 15 {flags} > "$OUT/told" 2> "$OUT/said" & WATCH=$!
soon "test -s \"$OUT/told\""
{act}
kill $WATCH; wait $WATCH || true
cat "$OUT/told"; cat "$OUT/said" >&2
"#
    );
    events(&room.text(&script))
}

fn of<'e>(events: &'e [Value], event: &str, change: &str) -> Vec<&'e Value> {
    events.iter().filter(|one| one["event"] == event && one["change"] == change).collect()
}

#[test]
fn each_of_fifty_names_is_told_when_it_comes_and_when_it_goes() {
    if proof::need::program("ip").is_err() {
        proof::skip!("no ip(8)");
    }
    let act = r#"
i=0; while [ $i -lt 50 ]; do ip netns add n$i; i=$((i + 1)); done
i=0; while [ $i -lt 50 ]; do ip netns delete n$i; i=$((i + 1)); done
soon '[ "$(grep -c removed "$OUT/told")" = 50 ]'; soon '[ "$(grep -c gone "$OUT/told")" = 50 ]'
"#;
    for room in rooms!() {
        let told = watched(&room, "--kind net", act);
        let names = |change: &str| -> Vec<String> {
            of(&told, "name", change)
                .iter()
                .map(|one| one["name"].as_str().unwrap_or("").to_owned())
                .collect()
        };
        let expected: Vec<String> = (0..50).map(|number| format!("n{number}")).collect();
        assert_eq!(names("added"), expected);
        assert_eq!(names("removed"), expected);
        // Each stood for a namespace, which is told as well, once, and its end.
        for one in of(&told, "name", "added") {
            assert_eq!(one["namespaces"][0]["kind"], "net", "{one}");
            let id = ["inode", "id"].map(|key| one["namespaces"][0][key].clone());
            let is_it = |event: &&Value| id == ["inode", "id"].map(|key| event[key].clone());
            // ip(8) itself is in it before it has a name.
            assert_eq!(
                of(&told, "namespace", "new").into_iter().filter(is_it).count(),
                1,
                "{one} in {told:#?}"
            );
            let gone: Vec<&Value> = of(&told, "namespace", "gone").into_iter().filter(is_it).collect();
            assert_eq!(gone.len(), 1, "{one} in {told:#?}");
            assert_eq!(gone[0]["names"], serde_json::json!([one["name"]]));
        }
    }
}

#[test]
fn names_that_are_there_for_a_moment_only_are_told_too() {
    // Files without a namespace: the fastest that can come and go.
    let act = r#"
i=0; while [ $i -lt 50 ]; do : > /run/netns/m$i; rm /run/netns/m$i; i=$((i + 1)); done
soon '[ "$(grep -c removed "$OUT/told")" = 50 ]'
"#;
    for room in rooms!() {
        let told = watched(&room, "--only names", act);
        let changes: Vec<(String, String)> = told[1..]
            .iter()
            .map(|one| {
                (one["name"].as_str().unwrap_or("").into(), one["change"].as_str().unwrap_or("").into())
            })
            .collect();
        let expected: Vec<(String, String)> = (0..50)
            .flat_map(|number| ["added", "removed"].map(|change| (format!("m{number}"), change.to_owned())))
            .collect();
        assert_eq!(changes, expected);
    }
}

#[test]
fn a_process_is_told_when_it_joins_and_when_it_leaves() {
    let act = r#"
unshare --uts sleep 60 & soon "grep -q joined \"$OUT/told\""; ns $! uts > "$OUT/uts"; echo $! > "$OUT/pid"
kill $!; wait $! || true; soon "grep -q gone \"$OUT/told\""
"#;
    for room in rooms!() {
        let told = watched(&room, "--interval 0.1 --kind uts", act);
        let read = |name: &str| std::fs::read_to_string(room.directory.join(name)).expect("written");
        let number = |name: &str| read(name).trim().parse::<u64>().ok();
        let (uts, pid) = (number("uts"), number("pid"));
        assert!(uts.is_some() && pid.is_some());
        let order: Vec<String> = told[1..]
            .iter()
            .filter(|one| one["inode"].as_u64() == uts || one["pid"].as_u64() == pid)
            .map(|one| format!("{} {}", one["event"], one["change"]).replace('"', ""))
            .collect();
        let expected = ["namespace new", "member joined", "member left", "namespace gone"];
        assert_eq!(order, expected, "{told:?}");
    }
}

#[test]
fn a_namespace_that_something_else_holds_is_not_gone_with_its_last_process() {
    let act = r#"
unshare --uts sleep 60 & PID=$!; soon "grep -q joined \"$OUT/told\""
sleep 60 3< /proc/$PID/ns/uts & soon "test -e /proc/$!/fd/3"
kill $PID; wait $PID || true; soon "grep -q left \"$OUT/told\""; sleep 0.5
grep -c gone "$OUT/told" > "$OUT/early" || true
kill $!; wait $! || true; soon "grep -q gone \"$OUT/told\""
"#;
    for room in rooms!() {
        let told = watched(&room, "--interval 0.1 --kind uts", act);
        let early = std::fs::read_to_string(room.directory.join("early")).expect("written");
        assert_eq!(early.trim(), "0", "it was still held by an open file: {told:?}");
        assert_eq!(of(&told, "namespace", "gone").len(), 1);
    }
}

#[test]
fn filters_leave_out_what_is_not_asked_for() {
    if proof::need::program("ip").is_err() {
        proof::skip!("no ip(8)");
    }
    let act = r#"
ip netns add blue; ip netns add red; ip netns exec blue sleep 60 & soon "grep -q joined \"$OUT/told\""
ip netns delete red; unshare --uts true; sleep 0.3
"#;
    for room in rooms!() {
        let told = watched(&room, "--interval 0.1 --name blue --kind net", act);
        assert_eq!(told[0]["event"], "watching");
        for one in told[1..].iter().filter(|one| one["event"] != "missed") {
            let names = format!("{}{}", one["name"], one["names"]);
            assert!(names.contains("\"blue\"") && !names.contains("red"), "{one}");
        }
        assert_eq!(of(&told, "member", "joined").len(), 1, "{told:?}");
    }
}

#[test]
fn what_is_there_at_first_is_told_on_demand() {
    let act = "sleep 0.1";
    for room in rooms!() {
        let told = watched(&room, "--initial --kind uts", act);
        assert!(!of(&told, "namespace", "there").is_empty(), "{told:?}");
        let told = watched(&room, "--kind uts", act);
        assert_eq!(told.len(), 1, "{told:?}");
    }
}

#[test]
fn where_the_kernel_tells_of_processes_no_look_is_waited_for() {
    proof::need!(user_namespaces, program "unshare");
    let user = proof::Ordinary::new();
    let root = proof::id::is_root();
    let mut command = if root { proof::insula() } else { user.insula() };
    command.args(["ns", "watch", "--json", "--interval", "1000", "--timeout", "20", "--kind", "uts"]);
    let mut watch = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("start insula");
    let mut lines = BufReader::new(watch.stdout.take().expect("a pipe")).lines();
    let first = lines.next().and_then(Result::ok).unwrap_or_default();
    let told = first.contains("\"processes\":\"told\"");
    let mut made = user.command("unshare");
    made.args(["--user", "--map-root-user", "--uts", "sleep", "30"]);
    let mut sleeper = made.spawn().expect("start unshare(1)");
    let pid = sleeper.id();
    let is_it = |line: &str| line.contains("\"joined\"") && line.contains(&format!("\"pid\":{pid},"));
    let joined = told && lines.by_ref().map_while(Result::ok).any(|line| is_it(&line));
    let _ = sleeper.kill().and_then(|()| sleeper.wait());
    let left = |line: &str| line.contains("\"left\"") && line.contains(&format!("\"pid\":{pid},"));
    let has_left = joined && lines.map_while(Result::ok).any(|line| left(&line));
    let _ = watch.kill().and_then(|()| watch.wait());
    if !told {
        proof::skip!("the proc connector does not speak here");
    }
    assert!(joined, "its birth was not told");
    assert!(has_left, "its end was not told");
}

#[test]
fn it_ends_quietly_when_nobody_reads_it_any_more() {
    let mut command = proof::insula();
    command
        .args(["ns", "watch", "--json", "--kind", "time", "--timeout", "30"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("start insula");
    let mut reader = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    reader.read_line(&mut line).expect("the first line");
    drop(reader);
    let before = Instant::now();
    let output = child.wait_with_output().expect("it ends");
    assert!(before.elapsed() < Duration::from_secs(10), "not by its timeout");
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn it_does_not_spin() {
    let mut command = proof::insula();
    command.args(["ns", "watch", "--timeout", "20", "--interval", "10", "--kind", "time", "--only", "names"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("start insula");
    std::thread::sleep(Duration::from_millis(1500));
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).expect("it runs");
    let _ = child.kill().and_then(|()| child.wait());
    // utime and stime, in hundredths of a second.
    let fields = stat.rsplit(") ").next().expect("fields").split(' ').skip(11).take(2);
    let spent: u32 = fields.filter_map(|ticks| ticks.parse::<u32>().ok()).sum();
    assert!(spent < 50, "in a second and a half it was busy for {spent}0 ms");
}
