//! Names of whole sets: what is said of them, and that each command takes them.

use crate::room::rooms;
use insula_proof as proof;
use serde_json::Value;

#[test]
fn a_set_is_listed_and_shown_as_one_name() {
    let script = r#"
"$INSULA" ns new web --net --uts --hostname web.example
"$INSULA" ns ls --json -o +ns > "$OUT/list"
"$INSULA" ns show web --json > "$OUT/shown"
"$INSULA" ns show web > "$OUT/text"
"$INSULA" ns show "uts:[$("$INSULA" nsenter --uts=web stat -L -c %i /proc/self/ns/uts)]" --json > "$OUT/by-inode"
"#;
    for room in rooms!() {
        room.text(script);
        let read = |name: &str| std::fs::read_to_string(room.directory.join(name)).expect("written");
        let json = |name: &str| -> Value { serde_json::from_str(&read(name)).expect("JSON") };
        let list = json("list");
        assert_eq!(
            list["names"].as_array().map(Vec::len),
            Some(1),
            "one line, not another for /run/netns: {list}"
        );
        let line = &list["names"][0];
        let expected = [("name", "web"), ("kinds", "net,uts"), ("hold", "pinned"), ("state", "ok")];
        for (key, value) in expected {
            assert_eq!(line[key], value, "{line}");
        }
        assert!(line["age"].is_string());
        let shown = json("shown");
        assert_eq!((&shown["name"], &shown["hold"]["by"]), (&"web".into(), &"pinned".into()));
        let uts = &shown["namespaces"][1];
        assert_eq!(
            (&uts["uts"]["hostname"], &uts["names"]),
            (&"web.example".into(), &serde_json::json!(["web"]))
        );
        assert!(read("text").starts_with("name web, pinned"), "{}", read("text"));
        assert_eq!(json("by-inode")["namespaces"][0]["names"], serde_json::json!(["web"]));
    }
}

#[test]
fn each_command_enters_by_name() {
    if proof::need::program("ip").is_err() {
        proof::skip!("no ip(8)");
    }
    let script = r#"
"$INSULA" ns new web --net --uts --ipc --hostname web.example
net() { readlink /proc/self/ns/net; }
NET="net:[$(stat -L -c %i /run/netns/web)]"
say() { echo "$1 $2"; }
say nsenter "$("$INSULA" nsenter --uts=web hostname)"
say set "$("$INSULA" nsenter --target web --all hostname) $("$INSULA" nsenter -t web -a readlink /proc/self/ns/net)"
say kind "$("$INSULA" nsenter -t web -u hostname) $("$INSULA" nsenter -t web -u readlink /proc/self/ns/net)"
say none "$("$INSULA" nsenter -t web readlink /proc/self/ns/net)"
say own "$(readlink /proc/self/ns/net)"
say link "$("$INSULA" link show --in web --json | tr -d ' \n' | grep -o '"name":"lo"')"
ip link add v0 type veth peer name v1
"$INSULA" link move v1 web --name eth0
say moved "$(ip netns exec web ip -br link show eth0 | cut -d@ -f1)"
say net "$NET"
"#;
    for room in rooms!() {
        let said = room.text(script);
        let of = |word: &str| {
            let line = said.lines().find_map(|line| line.strip_prefix(word)?.strip_prefix(' '));
            line.unwrap_or_else(|| panic!("no {word} in {said}")).to_owned()
        };
        let (net, own) = (of("net"), of("own"));
        assert_ne!(net, own);
        assert_eq!(of("nsenter"), "web.example");
        assert_eq!(of("set"), format!("web.example {net}"));
        assert_eq!(of("kind"), format!("web.example {own}"), "only the kind that is asked for");
        assert_eq!(of("none"), own, "nothing is entered that is not asked for");
        assert_eq!(of("link"), "\"name\":\"lo\"");
        assert_eq!(of("moved"), "eth0");
    }
}

#[test]
fn run_joins_namespaces_by_name() {
    proof::need!(root, program "unshare");
    let script = r#"
"$INSULA" ns new plain --net --uts --hostname plain.example
"$INSULA" ns new own --user --net --uts --hostname own.example
for name in plain own; do
    echo "$name $(stat -L -c %i /run/netns/$name) $("$INSULA" run --net $name --uts $name -- sh -c 'hostname; readlink /proc/self/ns/net' | tr -dc 'a-z0-9. \n' | tr '\n' ' ')"
done
"#;
    for room in rooms!().into_iter().filter(crate::room::Room::is_root) {
        let said = room.text(script);
        for line in said.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            assert_eq!(words[2..], [format!("{}.example", words[0]), format!("net{}", words[1])], "{said}");
        }
        assert_eq!(said.lines().count(), 2);
    }
}

#[test]
fn what_a_name_lacks_is_said() {
    let script = r#"
"$INSULA" ns new web --net
for words in '--uts=web' '--target web --uts' '--target web --all --root' '--target nope --all'; do
    "$INSULA" nsenter $words true 2>&1 | head -1
done
"$INSULA" run --uts web true 2>&1 | head -1
"#;
    for room in rooms!() {
        let said = room.text(script);
        let expected = [
            "insula: error: the name `web` has no uts namespace",
            "insula: error: the name `web` has no uts namespace",
            "insula: error: `--root`: this is taken from a process, and `web` is a name",
            "insula: error: `--target nope`: this is no process id, and no name",
            "insula: error: the name `web` has no uts namespace",
        ];
        assert_eq!(said.lines().collect::<Vec<_>>(), expected);
    }
}

#[test]
fn a_kept_set_is_said_to_end_with_its_keeper_and_then_is_never_entered() {
    let script = r#"
"$INSULA" ns new web --keeper --net --uts --hostname web.example 2> /dev/null
"$INSULA" ns ls --json > "$OUT/before" 2> "$OUT/note"
"$INSULA" nsenter -t web -u hostname
"$INSULA" link show --in web | grep -c loopback
KEEPER=$(sed -n 's/.*kept by \([0-9]*\).*/\1/p' "$OUT/before")
"$INSULA" ns holders web --json > "$OUT/holders"; echo "$KEEPER"
kill -9 $KEEPER; soon '[ "$("$INSULA" ns ls -n -o state 2>/dev/null)" = stale ]'
"$INSULA" ns ls --json -o +why > "$OUT/after" 2>/dev/null
"$INSULA" ns show web > "$OUT/shown"
"$INSULA" nsenter -t web -u hostname 2>&1 || true
"$INSULA" ns pids web 2>&1 || true
"#;
    for room in rooms!() {
        let said = room.text(script);
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines[..2], ["web.example", "1"], "{said}");
        let read = |name: &str| std::fs::read_to_string(room.directory.join(name)).expect("written");
        let json = |name: &str| -> Value { serde_json::from_str(&read(name)).expect("JSON") };
        assert_eq!(json("before")["names"][0]["hold"], format!("kept by {}", lines[2]));
        assert!(read("note").contains("ends with its keeper"), "{}", read("note"));
        let holders = json("holders");
        let keeper =
            holders["holders"].as_array().into_iter().flatten().map(|holder| holder["pid"].to_string());
        assert!(keeper.into_iter().all(|pid| pid == lines[2]), "{holders}");
        let after = json("after");
        assert_eq!(
            (&after["names"][0]["state"], &after["names"][0]["kinds"]),
            (&"stale".into(), &Value::Null)
        );
        assert!(after["names"][0]["why"].as_str().is_some_and(|why| why.contains("has ended")), "{after}");
        assert!(read("shown").contains("cure") && !read("shown").contains("hostname"), "{}", read("shown"));
        let refused: Vec<&&str> = lines.iter().filter(|line| line.starts_with("insula: error: ")).collect();
        assert_eq!(refused.len(), 2, "neither is entered nor listed: {said}");
        assert!(!lines[3..].contains(&"web.example"), "{said}");
    }
}

#[test]
fn a_watch_tells_a_set_once_with_all_that_it_has() {
    let script = r#"
"$INSULA" ns watch --json --timeout 15 --name web > "$OUT/told" 2> /dev/null & WATCH=$!
soon "test -s $OUT/told"
"$INSULA" ns new web --net --uts --ipc; soon 'grep -q added "$OUT/told"'
"$INSULA" ns rm web; soon 'grep -q removed "$OUT/told"'; soon '[ "$(grep -c gone "$OUT/told")" = 3 ]'
kill $WATCH; wait $WATCH || true; cat "$OUT/told"
"#;
    for room in rooms!() {
        let said = room.text(script);
        let told: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let names: Vec<&Value> = told.iter().filter(|event| event["event"] == "name").collect();
        let changes: Vec<&Value> = names.iter().map(|event| &event["change"]).collect();
        assert_eq!(changes, ["added", "removed"], "{told:#?}");
        let kinds: Vec<&Value> =
            names[0]["namespaces"].as_array().into_iter().flatten().map(|which| &which["kind"]).collect();
        assert_eq!(kinds, ["net", "ipc", "uts"], "{}", names[0]);
    }
}
