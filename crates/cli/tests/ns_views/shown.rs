//! `insula ns show`: what it says is what the kernel's own files say, seen by entering each namespace.

use crate::room::rooms;
use insula_proof as proof;
use serde_json::Value;

/// The one namespace of an answer.
#[track_caller]
fn one(answer: &Value) -> &Value {
    assert_eq!(answer["namespaces"].as_array().map(Vec::len), Some(1), "{answer}");
    &answer["namespaces"][0]
}

/// Numbers of a file of the kernel's, as it prints them.
fn words(text: &str) -> Vec<i64> {
    text.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

#[test]
fn a_uts_namespace_tells_its_names_also_when_only_a_file_holds_it() {
    let script = r#"
touch "$OUT/pin"
unshare --uts="$OUT/pin" sh -c 'hostname blue.example; echo a.domain > /proc/sys/kernel/domainname || true' 2> /dev/null
"$INSULA" ns show --json "$OUT/pin"
stat -L -c %i "$OUT/pin" >&2
umount "$OUT/pin"
"#;
    for room in rooms!() {
        let output = room.run(script);
        let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let shown = one(&answer);
        assert_eq!(shown["uts"]["hostname"], "blue.example", "{answer}");
        // The file is the host's root's, whoever made the namespace.
        let domainname: Value = if room.is_root() { "a.domain".into() } else { Value::Null };
        assert_eq!(shown["uts"]["domainname"], domainname);
        assert_eq!((&shown["kind"], &shown["own"]), (&"uts".into(), &false.into()));
        let inode = String::from_utf8_lossy(&output.stderr).trim().parse::<u64>().expect("an inode");
        assert_eq!(shown["inode"], inode);
        assert_eq!(shown["mount_points"], serde_json::json!([format!("{}/pin", room.directory.display())]));
        assert_eq!(shown["pids"], serde_json::json!([]));
        assert_eq!(shown["hidden"], serde_json::json!([]));
    }
}

#[test]
fn a_user_namespace_tells_its_maps_level_and_creator() {
    let script = r#"
unshare --user --map-root-user sleep 60 & is $! sleep
"$INSULA" ns show --kind user --json $! > "$OUT/answer"
cat /proc/$!/uid_map > "$OUT/uid_map"; cat /proc/$!/gid_map > "$OUT/gid_map"; cat /proc/$!/setgroups > "$OUT/setgroups"
ns self user > "$OUT/parent"
"#;
    for room in rooms!() {
        room.text(script);
        let read = |name: &str| std::fs::read_to_string(room.directory.join(name)).expect("written");
        let answer: Value = serde_json::from_str(&read("answer")).expect("JSON");
        let shown = one(&answer);
        for map in ["uid_map", "gid_map"] {
            let range = &shown["user"][map][0];
            let ours: Vec<i64> =
                ["inside", "outside", "length"].iter().filter_map(|key| range[key].as_i64()).collect();
            assert_eq!(ours, words(&read(map)), "{answer}");
        }
        assert_eq!(shown["user"]["setgroups"], read("setgroups").trim());
        assert_eq!(shown["user"]["creator"], 0);
        assert_eq!(shown["parent"].to_string(), read("parent").trim());
        assert_eq!(shown["owner"]["inode"].to_string(), read("parent").trim());
        assert!(shown["user"]["level"]["depth"].as_u64() >= Some(1), "{answer}");
    }
}

#[test]
fn a_time_namespace_tells_its_offsets() {
    if proof::need::namespace("time").is_err() {
        proof::skip!("no time namespaces here");
    }
    let script = r#"
unshare --time --monotonic 86400 --boottime 1000 --fork --kill-child sleep 60 & PID=$(child $!)
"$INSULA" ns show --kind time --json $PID > "$OUT/by-pid"
touch "$OUT/pin"; mount --bind /proc/$PID/ns/time "$OUT/pin"; kill $PID $!; wait
"$INSULA" ns show --json "$OUT/pin"; umount "$OUT/pin"
"#;
    for room in rooms!() {
        let by_file = room.json(script);
        let by_pid = std::fs::read(room.directory.join("by-pid")).expect("written");
        let by_pid: Value = serde_json::from_slice(&by_pid).expect("JSON");
        for answer in [by_pid, by_file] {
            let expected = serde_json::json!({ "monotonic_ns": 86_400_000_000_000_i64, "boottime_ns": 1_000_000_000_000_i64 });
            assert_eq!(one(&answer)["time"], expected, "{answer}");
        }
    }
}

#[test]
fn a_pid_namespace_tells_its_init_and_its_processes() {
    let script = r#"
unshare --pid --fork --kill-child sh -c 'sleep 60 & wait' & INIT=$(child $!)
child $INIT > /dev/null
"$INSULA" ns show --kind pid --json $INIT > "$OUT/answer"
echo $INIT $(cat /proc/$INIT/task/*/children)
"#;
    for room in rooms!() {
        let said = room.text(script);
        let pids = words(&said);
        let answer = std::fs::read(room.directory.join("answer")).expect("written");
        let answer: Value = serde_json::from_slice(&answer).expect("JSON");
        let shown = one(&answer);
        assert_eq!(shown["pid"]["init"], pids[0], "{answer}");
        assert_eq!(shown["pids"], serde_json::json!(pids));
        assert_eq!(shown["pid"]["level"]["depth"], 1, "one below that which /proc shows");
    }
}

#[test]
fn a_network_namespace_tells_what_ip_tells_from_inside() {
    if proof::need::program("ip").is_err() {
        proof::skip!("no ip(8)");
    }
    let script = r#"
ip netns add blue; ip netns add red
ip link add v0 netns blue type veth peer name v1 netns red
ip -n blue address add 10.9.8.7/24 dev v0; ip -n blue link set v0 up; ip -n blue address add fd00::7/64 nodad dev v0
ip netns set blue 42
ip -n blue -j address > "$OUT/theirs"
"$INSULA" ns show --json /run/netns/blue
"#;
    for room in rooms!() {
        let answer = room.json(script);
        let theirs = std::fs::read(room.directory.join("theirs")).expect("written");
        let theirs: Value = serde_json::from_slice(&theirs).expect("JSON");
        let net = &one(&answer)["net"];
        assert_eq!(net["nsid"], 42, "{answer}");
        let mut ours = Vec::new();
        for device in net["devices"].as_array().expect("devices") {
            let mut addresses: Vec<String> = device["addresses"]
                .as_array()
                .expect("addresses")
                .iter()
                .map(|address| format!("{}/{}", address["address"].as_str().unwrap_or(""), address["prefix"]))
                .collect();
            addresses.sort();
            ours.push((device["index"].clone(), device["name"].clone(), device["mtu"].clone(), addresses));
        }
        let mut expected = Vec::new();
        for device in
            theirs.as_array().expect("an array").iter().filter(|device| device["ifname"].is_string())
        {
            let mut addresses: Vec<String> = device["addr_info"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|address| address["local"].is_string())
                .map(|address| {
                    format!("{}/{}", address["local"].as_str().unwrap_or(""), address["prefixlen"])
                })
                .collect();
            addresses.sort();
            expected.push((
                device["ifindex"].clone(),
                device["ifname"].clone(),
                device["mtu"].clone(),
                addresses,
            ));
        }
        // Link-local ones come when the other end is up; neither end has one here.
        assert_eq!(ours, expected, "{answer}");
        assert_eq!(one(&answer)["names"], serde_json::json!(["blue"]));
    }
}

#[test]
fn a_process_has_the_name_that_ip_netns_identifies() {
    if proof::need::program("ip").is_err() {
        proof::skip!("no ip(8)");
    }
    let script = r#"
ip netns add blue; ip netns add red
ip netns exec red sleep 60 & is $! sleep
ip netns identify $! > "$OUT/theirs"
"$INSULA" ns show --kind net --json $!
"#;
    for room in rooms!() {
        let answer = room.json(script);
        let theirs = std::fs::read_to_string(room.directory.join("theirs")).expect("written");
        assert_eq!(theirs.trim(), "red");
        assert_eq!(one(&answer)["names"], serde_json::json!(["red"]), "{answer}");
    }
}

#[test]
fn a_mount_namespace_is_counted_as_from_inside() {
    let script = r#"
unshare --mount --propagation slave sh -c 'mount -t tmpfs x /mnt; mount --make-shared /mnt; exec sleep 60' &
soon "grep -q ' /mnt .*shared:' /proc/$!/mountinfo"
cat /proc/$!/mountinfo > "$OUT/table"
"$INSULA" ns show --kind mnt --json $!
"#;
    for room in rooms!() {
        let answer = room.json(script);
        let table = std::fs::read_to_string(room.directory.join("table")).expect("written");
        let mnt = &one(&answer)["mnt"];
        let shared = table.lines().filter(|line| line.contains(" shared:")).count();
        let slaves = table.lines().filter(|line| line.contains(" master:")).count();
        assert_eq!(mnt["mounts"], table.lines().count(), "{answer}");
        assert_eq!((&mnt["shared"], &mnt["slaves"]), (&shared.into(), &slaves.into()));
        let root = table.lines().find(|line| line.split(' ').nth(4) == Some("/")).expect("a root");
        let kind = root.split(" - ").nth(1).and_then(|rest| rest.split(' ').next());
        assert_eq!(mnt["root"]["type"].as_str(), kind);
        assert_eq!(mnt["through"], Value::Null, "seen as a whole");
    }
}

#[test]
fn an_ipc_namespace_counts_what_ipcmk_makes() {
    if proof::need::program("ipcmk").is_err() {
        proof::skip!("no ipcmk(1)");
    }
    let script = r#"
unshare --ipc sh -c 'ipcmk -Q; ipcmk -Q; ipcmk -S 3; ipcmk -M 4096; echo > "$OUT/ready"; exec sleep 60' > /dev/null &
soon "test -e \"$OUT/ready\""
"$INSULA" ns show --kind ipc --json $!
"#;
    for room in rooms!() {
        let answer = room.json(script);
        let expected = serde_json::json!({ "queues": 2, "semaphores": 1, "segments": 1 });
        assert_eq!(one(&answer)["ipc"], expected, "{answer}");
    }
}

#[test]
fn a_cgroup_namespace_tells_its_root_as_it_is_seen_from_here() {
    let script = r#"
unshare --cgroup sleep 60 & is $! sleep
cat /proc/$!/cgroup > "$OUT/theirs"
"$INSULA" ns show --kind cgroup --json $!
"#;
    for room in rooms!() {
        let answer = room.json(script);
        let theirs = std::fs::read_to_string(room.directory.join("theirs")).expect("written");
        // A new one has its root where its first process is.
        let mut expected: Vec<(String, String)> = Vec::new();
        for line in theirs.lines() {
            let mut parts = line.splitn(3, ':').skip(1).map(str::to_owned);
            expected.extend(parts.next().zip(parts.next()));
        }
        let mut ours: Vec<(String, String)> = Vec::new();
        for root in one(&answer)["cgroup"]["roots"].as_array().expect("roots") {
            let text = |key: &str| root[key].as_str().unwrap_or("?").to_owned();
            ours.push((text("hierarchy"), text("path")));
        }
        assert_eq!(ours, expected, "{answer}");
    }
}

#[test]
fn a_process_is_shown_with_all_its_namespaces_and_people_get_lines() {
    let script = r#"
unshare --uts sh -c 'hostname green; exec sleep 60' & is $! sleep
"$INSULA" ns show $!
echo "uts:[$(ns $! uts)]"
"#;
    for room in rooms!() {
        let said = room.text(script);
        let lines: Vec<&str> = said.lines().collect();
        let uts = lines.last().expect("the inode");
        assert!(lines[0].starts_with("process ") && lines[0].ends_with(": sleep 60"), "{said}");
        assert_eq!(
            lines.iter().filter(|line| line.ends_with(']') && !line.starts_with(' ')).count() - 1,
            8,
            "{said}"
        );
        let at = lines.iter().position(|line| line == uts).expect("a block of its own");
        assert!(lines[at..].iter().any(|line| line.trim() == "hostname     green"), "{said}");
    }
}

#[test]
fn what_may_not_be_seen_is_said_with_who_may() {
    proof::need!(root, program "unshare", program "ip");
    let user = Ordinary::new();
    // The caller's own process in a network namespace that root has made: it may look at the process, not into that.
    let uid = user.uid().to_string();
    let mut holder = std::process::Command::new("unshare");
    holder.args([
        "--net",
        "--uts",
        "setpriv",
        "--reuid",
        &uid,
        "--regid",
        &uid,
        "--clear-groups",
        "sleep",
        "60",
    ]);
    let mut holder = Ends(holder.spawn().expect("start unshare(1)"));
    let comm = format!("/proc/{}/comm", holder.0.id());
    for _ in 0..500 {
        if std::fs::read_to_string(&comm).is_ok_and(|comm| comm.trim() == "sleep") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let words = ["ns", "show", "--json", "--kind", "net,uts", &holder.0.id().to_string()];
    let output = user.insula().args(words).output().expect("start insula");
    let answer: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let [net, uts] = [&answer["namespaces"][0], &answer["namespaces"][1]];
    assert_eq!((&net["kind"], &uts["kind"]), (&"net".into(), &"uts".into()), "{answer}");
    assert_eq!((&net["net"]["devices"], &uts["uts"]), (&Value::Null, &Value::Null));
    for (shown, what) in [(net, "its devices"), (uts, "its hostname")] {
        assert_eq!(shown["hidden"][0]["what"], what);
        let why = shown["hidden"][0]["why"].as_str().unwrap_or("");
        assert!(why.starts_with("to enter it wants CAP_SYS_ADMIN in the user namespace"), "{why}");
    }
    drop(holder.0.kill());
}

use insula_proof::Ordinary;

/// A process that ends with the test.
struct Ends(std::process::Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}
