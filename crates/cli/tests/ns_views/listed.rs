//! `insula ns ls`: a line a name, and what is not named on demand.

use crate::room::rooms;
use insula_proof as proof;
use serde_json::Value;

/// The names of a list.
fn names(list: &Value) -> Vec<&str> {
    list["names"].as_array().into_iter().flatten().filter_map(|line| line["name"].as_str()).collect()
}

#[test]
fn names_are_those_that_ip_netns_lists_with_who_is_in_them() {
    if proof::need::program("ip").is_err() {
        proof::skip!("no ip(8)");
    }
    let script = r#"
"$INSULA" ns ls; "$INSULA" ns ls --json > "$OUT/none"
ip netns add red; ip netns add blue
ip netns exec blue sleep 60 & soon 'test -n "$(ip netns pids blue)"'
ip netns list | sort > "$OUT/theirs"; stat -L -c %i /run/netns/blue > "$OUT/inode"
"$INSULA" ns ls > "$OUT/text"
"$INSULA" ns ls --noheadings -o name > "$OUT/names"
"$INSULA" ns ls --json -o +ns,pid,command,owner
"#;
    for room in rooms!() {
        let list = room.json(script);
        let read = |name: &str| std::fs::read_to_string(room.directory.join(name)).expect("written");
        assert_eq!(
            serde_json::from_str::<Value>(&read("none")).expect("JSON"),
            serde_json::json!({ "names": [] })
        );
        assert_eq!(read("names"), read("theirs"));
        assert_eq!(names(&list), ["blue", "red"]);
        let blue = &list["names"][0];
        let expected = [("kinds", "net"), ("hold", "netns"), ("state", "ok"), ("command", "sleep 60")];
        for (key, value) in expected {
            assert_eq!(blue[key], value, "{blue}");
        }
        assert_eq!((&blue["processes"], &list["names"][1]["processes"]), (&1.into(), &0.into()));
        assert_eq!(blue["ns"], format!("net:[{}]", read("inode").trim()));
        let text = read("text");
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[0], ["NAME", "KINDS", "HOLD", "PROCESSES", "STATE", "AGE"]);
        assert_eq!(lines[1], ["blue", "net", "netns", "1", "ok", "-"]);
    }
}

#[test]
fn filters_kinds_and_columns_choose() {
    if proof::need::program("ip").is_err() {
        proof::skip!("no ip(8)");
    }
    let script = r#"
ip netns add red; ip netns add blue
ip netns exec blue sleep 60 & soon 'test -n "$(ip netns pids blue)"'
show() { "$INSULA" ns ls -n -o name "$@" | tr '\n' ' '; echo; }
show -Q 'PROCESSES > 0'; show -Q 'NAME =~ "^r" and KINDS == "net"'; show --kind uts; show --kind uts,net
show -Q 'PROCESSES > 5'
"#;
    for room in rooms!() {
        let said = room.text(script);
        assert_eq!(
            said.lines().map(str::trim).collect::<Vec<_>>(),
            ["blue", "red", "", "blue red", ""],
            "{said}"
        );
    }
}

#[test]
fn what_has_no_name_is_listed_on_demand_below_its_owner() {
    let script = r#"
unshare --user --map-root-user --uts sleep 60 & is $! sleep
"$INSULA" ns ls --all --tree --json -o ns,hold,processes > "$OUT/list"
echo "$(ns $! user)"; echo "$(ns $! uts)"
"#;
    for room in rooms!() {
        let said = room.text(script);
        let inodes: Vec<&str> = said.lines().collect();
        let (user, uts) = (format!("user:[{}]", inodes[0]), format!("uts:[{}]", inodes[1]));
        let text = std::fs::read_to_string(room.directory.join("list")).expect("written");
        let list: Value = serde_json::from_str(&text).expect("JSON");
        // Below our own user namespace, wherever that stands.
        fn find<'v>(value: &'v Value, ns: &str) -> Option<&'v Value> {
            if value["ns"] == ns {
                return Some(value);
            }
            let below = value["children"].as_array().or(value["names"].as_array())?;
            below.iter().find_map(|child| find(child, ns))
        }
        let owner = find(&list, &user).unwrap_or_else(|| panic!("no {user} in {text}"));
        assert_eq!((&owner["hold"], &owner["processes"]), (&"processes".into(), &1.into()), "{text}");
        assert!(find(owner, &uts).is_some(), "{uts} is owned by {user}: {text}");
    }
}

#[test]
fn all_of_them_are_those_that_lsns_lists_and_more() {
    if proof::need::program("lsns").is_err() {
        proof::skip!("no lsns(8)");
    }
    let script = r#"
unshare --uts --ipc sleep 60 & is $! sleep
lsns -n -r -l -o TYPE,NS | sort > "$OUT/theirs"
"$INSULA" ns ls --all -n -o ns | tr -d ']' | tr -s ':[' ' ' | sort
"#;
    for room in rooms!() {
        let said = room.text(script);
        let theirs = std::fs::read_to_string(room.directory.join("theirs")).expect("written");
        let ours: Vec<String> = said.lines().map(|line| line.trim().to_owned()).collect();
        assert!(theirs.lines().count() >= 10, "{theirs}");
        for line in theirs.lines() {
            assert!(ours.iter().any(|ours| ours == line), "{line} is missing in {said}");
        }
        let distinct: std::collections::BTreeSet<&String> = ours.iter().collect();
        assert_eq!(distinct.len(), ours.len(), "each is listed once: {said}");
    }
}

#[test]
fn what_is_no_column_or_expression_is_refused() {
    let refused = |words: &[&str]| {
        let output = proof::insula().args(["ns", "ls"]).args(words).output().expect("start insula");
        assert_eq!(output.status.code(), Some(125), "{words:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(refused(&["-o", "nonsense"]).contains("there is no such column"));
    assert!(refused(&["-Q", "NAME =="]).contains("`--filter NAME ==`"));
    assert!(refused(&["-Q", "FOO == 1"]).contains("there is no such column"));
    assert!(refused(&["--tree=sideways"]).contains("sideways"));
}
