//! `insula ns pids`: who is in a namespace.

use crate::room::rooms;
use insula_proof as proof;

#[test]
fn pids_are_those_that_ip_netns_pids_lists() {
    if proof::need::program("ip").is_err() {
        proof::skip!("no ip(8)");
    }
    let script = r#"
ip netns add blue
ip netns exec blue sleep 60 & soon 'test -n "$(ip netns pids blue)"'
ip netns exec blue sleep 60 & soon '[ "$(ip netns pids blue | wc -l)" = 2 ]'
ip netns pids blue; echo; "$INSULA" ns pids /run/netns/blue; echo; "$INSULA" ns pids "net:[$(ns $! net)]"
echo; "$INSULA" ns pids --kind net $!
"#;
    for room in rooms!() {
        let said = room.text(script);
        let lists: Vec<&str> = said.split("\n\n").map(str::trim).collect();
        assert_eq!(lists[0].lines().count(), 2, "{said}");
        assert_eq!(lists[1..], [lists[0]; 3]);
    }
}

#[test]
fn a_process_has_those_beside_it_that_share_what_is_not_ours() {
    let script = r#"
unshare --uts sh -c 'sleep 60 & exec sleep 60' & is $! sleep; is $(child $!) sleep
"$INSULA" ns pids $!; "$INSULA" ns pids --long $!; "$INSULA" ns pids --json $!
"#;
    for room in rooms!() {
        let said = room.text(script);
        let (text, json) = said.split_at(said.find('{').expect("JSON at the end"));
        let lines: Vec<&str> = text.lines().collect();
        let pids: Vec<u32> = lines[..2].iter().map(|pid| pid.parse().expect("a pid a line")).collect();
        assert_eq!(lines[2].split_whitespace().collect::<Vec<_>>(), ["PID", "KINDS", "COMMAND"]);
        for (line, pid) in lines[3..].iter().zip(&pids) {
            let expected = [pid.to_string().as_str(), "uts", "sleep", "60"].join(" ");
            assert_eq!(line.split_whitespace().collect::<Vec<_>>().join(" "), expected);
        }
        let json: serde_json::Value = serde_json::from_str(json).expect("JSON");
        assert_eq!(json["namespaces"][0]["pids"], serde_json::json!(pids));
        assert_eq!(
            json["namespaces"].as_array().map(Vec::len),
            Some(1),
            "those that insula shares are left out"
        );
    }
}

#[test]
fn threads_are_listed_where_they_are() {
    proof::need!(root);
    let (told, tell) = (std::sync::mpsc::channel(), std::sync::mpsc::channel::<()>());
    let held = std::thread::spawn(move || {
        insula_sys::birth::unshare(insula_launch::plan::Kind::Uts.flag()).expect("root makes namespaces");
        let link = std::fs::read_link("/proc/thread-self/ns/uts").expect("our own");
        let tid = rustix::thread::gettid().as_raw_nonzero().get();
        told.0.send((link.to_string_lossy().into_owned(), tid)).expect("the test listens");
        let _ = tell.1.recv();
    });
    let (uts, tid) = told.1.recv().expect("the thread has a namespace");
    let list = |words: &[&str]| {
        let output = proof::insula().args(["ns", "pids", &uts]).args(words).output().expect("start insula");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert_eq!(list(&[]), "", "no process is in it");
    assert_eq!(list(&["--threads"]), format!("{tid}\n"));
    let json: serde_json::Value = serde_json::from_str(&list(&["--threads", "--json"])).expect("JSON");
    assert_eq!(json["threads"][0]["pid"], std::process::id());
    assert_eq!(json["threads"][0]["tid"], tid);
    drop(tell.0);
    held.join().expect("the thread has ended");
}
