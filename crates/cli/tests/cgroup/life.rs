//! The life of a group: made, joined, frozen, killed and removed, the same on every kind of machine.

use std::fs;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use insula_proof::Scratch;

use crate::caller::{Started, ended};
use crate::room::{Room, until};

under_every_look!(
    a_group_is_made_shown_and_removed,
    the_program_takes_the_place_of_insula,
    a_frozen_group_makes_no_progress,
    a_group_is_not_frozen_from_within,
    kill_leaves_nobody_of_those_who_fork_on,
    kill_ends_what_is_frozen,
    a_signal_arrives_at_all,
    a_group_with_processes_is_not_removed,
    groups_below_go_only_if_that_is_asked,
    a_group_that_was_half_made_is_completed_or_removed,
    a_stranger_is_not_killed,
    a_running_process_joins,
);

/// Runs on until it is ended.
const WAIT: &str = "while :; do sleep 0.01; done";

fn a_group_is_made_shown_and_removed(room: &Room) {
    room.make(&[]);
    let shown = room.show();
    assert_eq!((shown["name"].as_str(), shown["state"].as_str()), (Some(&*room.name), Some("empty")));
    assert_eq!(shown["places"].as_array().map(Vec::len), Some(room.directories().len()));
    room.make(&[]);
    assert!(room.says(&["show", &room.name]).contains("state      empty\n"));
    assert_eq!(room.says(&["rm", &room.name]), "");
    assert_eq!(room.directories(), Vec::<std::path::PathBuf>::new());
    for verb in ["show", "freeze", "thaw", "kill", "rm"] {
        let said = room.fails(&[verb, &room.name]);
        assert!(
            said.starts_with(&format!("insula: error: find the group `{}`: there is none\n", room.name)),
            "{said}"
        );
    }
    assert_eq!(room.says(&["rm", "--force", &room.name]), "");
}

fn the_program_takes_the_place_of_insula(room: &Room) {
    room.make(&[]);
    let mut started = Started::new(&mut room.command(&[
        "exec",
        &room.name,
        "sh",
        "-c",
        "echo $$; cat /proc/$$/cgroup; exit 7",
    ]));
    let pid = started.child.id();
    let end = started.ended();
    assert_eq!((end.code(), end.err.as_str()), (7, ""));
    let mut lines = end.out.lines();
    assert_eq!(lines.next(), Some(pid.to_string().as_str()), "the same process");
    assert!(
        lines.filter(|line| line.ends_with(&format!(":{}", room.name))).count() >= room.directories().len()
    );
    assert_eq!(ended(&mut room.sh("kill -TERM $$")).code(), 143, "a signal is its own");
    assert_eq!(room.says(&["exec", &room.name, "--", "echo", "--json", "-h"]), "--json -h");
    for (program, code, words) in
        [("/nowhere", 127, "No such file"), ("/etc/passwd", 126, "Permission denied")]
    {
        let end = room.call(&["exec", &room.name, "--", program]);
        assert_eq!((end.code(), end.out.as_str()), (code, ""));
        let said = format!("insula: error: step 2 (become the program `{program}`): execve: {words}");
        assert!(end.err.starts_with(&said), "{}", end.err);
    }
    let explained = room.says(&["exec", "--explain", &room.name, "true"]);
    assert!(
        explained.contains(&format!("1 child   move into the control group `{}`", room.name)),
        "{explained}"
    );
    assert!(explained.contains("2 child   become the program `true`"), "{explained}");
    let explained = room.says(&["exec", "--explain=json", &room.name, "true"]);
    assert!(explained.contains("\"join-cgroup\""), "{explained}");
    let said = room.fails(&["exec", "/insula-test-nowhere", "true"]);
    assert!(said.contains("find the group `/insula-test-nowhere`"), "{said}");
    assert_eq!(room.says(&["rm", &room.name]), "");
}

/// A script that writes down how far it is.
fn counting(scratch: &Scratch) -> String {
    format!("i=0; while :; do i=$((i+1)); echo $i > {}/now; done", scratch.display())
}

fn a_frozen_group_makes_no_progress(room: &Room) {
    let scratch = Scratch::new();
    let now = || fs::read_to_string(scratch.join("now")).ok().filter(|text| text.ends_with('\n'));
    room.make(&[]);
    let mut started = room.start(&counting(&scratch));
    until("it counts", || now().is_some());
    for _ in 0..3 {
        assert_eq!(room.says(&["freeze", &room.name]), "");
        assert_eq!(room.show()["state"], "frozen");
        let before = fs::read_to_string(scratch.join("now")).expect("what it wrote");
        sleep(Duration::from_millis(100));
        assert_eq!(fs::read_to_string(scratch.join("now")).expect("what it wrote"), before, "it went on");
        assert_eq!(room.says(&["thaw", &room.name]), "");
        assert_eq!(room.show()["state"], "running");
        until("it goes on", || now().is_some_and(|now| now != before));
    }
    assert_eq!(room.says(&["kill", &room.name]), "");
    assert_eq!(started.ended().code(), 137);
    assert_eq!(room.says(&["rm", &room.name]), "");
}

fn a_group_is_not_frozen_from_within(room: &Room) {
    room.make(&[]);
    let insula = crate::binary();
    let insula = insula.to_str().expect("a path in UTF-8");
    let end = room.call(&["exec", &room.name, "--", insula, "cgroup", "freeze", &room.name]);
    assert_eq!(end.code(), 125);
    assert!(end.err.contains("this process is in it itself"), "{}", end.err);
    assert_eq!(room.show()["state"], "empty");
    assert_eq!(room.says(&["rm", &room.name]), "");
}

fn kill_leaves_nobody_of_those_who_fork_on(room: &Room) {
    room.make(&[]);
    // Each of them forks without end, and what it forks is gone before a slow list of pids is worked off.
    let mut bombs: Vec<Started> = (0..4)
        .map(|_| room.start("trap '' TERM HUP INT; while :; do (sleep 0.005 &) ; (setsid true &); done"))
        .collect();
    sleep(Duration::from_millis(200));
    assert_eq!(room.says(&["kill", &room.name]), "");
    assert_eq!(room.members(), Vec::<u64>::new());
    for bomb in &mut bombs {
        assert_eq!(bomb.ended().code(), 137);
    }
    assert_eq!(room.says(&["rm", &room.name]), "");
}

fn kill_ends_what_is_frozen(room: &Room) {
    room.make(&[]);
    let mut started = room.start(WAIT);
    room.says(&["freeze", &room.name]);
    assert_eq!(room.says(&["kill", &room.name]), "");
    assert_eq!(started.ended().code(), 137);
    assert_eq!(room.says(&["rm", &room.name]), "");
}

fn a_signal_arrives_at_all(room: &Room) {
    room.make(&[]);
    let trap = "trap 'exit 42' USR1; echo ready; while :; do sleep 0.01; done";
    let mut all: Vec<Started> = (0..3).map(|_| room.start(trap)).collect();
    // The trap is set before the shell has a child.
    until("they wait", || room.members().len() >= 6);
    assert_eq!(room.says(&["kill", "--signal", "USR1", &room.name]), "");
    for started in &mut all {
        assert_eq!(started.ended().code(), 42);
    }
    let said = room.fails(&["kill", "-s", "NOSUCH", &room.name]);
    assert!(said.contains("`--signal NOSUCH`: `NOSUCH` is no signal"), "{said}");
    assert_eq!(room.says(&["rm", "--force", &room.name]), "");
}

fn a_group_with_processes_is_not_removed(room: &Room) {
    room.make(&[]);
    let mut started = room.start(WAIT);
    let said = room.fails(&["rm", &room.name]);
    assert!(said.contains("Device or resource busy\n"), "{said}");
    assert!(said.contains("cause: processes or groups are in it\n"), "{said}");
    assert!(said.contains("hint: `insula cgroup kill` ends what is in it"), "{said}");
    assert!(started.child.try_wait().expect("look at it").is_none(), "it was left alone");
    assert_eq!(room.says(&["rm", "--force", &room.name]), "");
    assert_eq!(started.ended().code(), 137);
}

fn groups_below_go_only_if_that_is_asked(room: &Room) {
    let below = format!("{}/one/two", room.name);
    assert_eq!(room.says(&["new", &below]), "");
    let groups = room.show()["groups"].clone();
    assert_eq!(groups, serde_json::json!(["one", "one/two"]));
    room.fails(&["rm", &room.name]);
    let mut inside = Started::new(room.command(&["exec", &below, "sleep", "60"]).stderr(Stdio::null()));
    until("it is inside", || !room.members().is_empty());
    assert_eq!(room.show()["members"][0]["group"], "/one/two");
    room.fails(&["rm", "-r", &room.name]);
    room.says(&["kill", &room.name]);
    assert_eq!(inside.ended().code(), 137);
    assert_eq!(room.says(&["rm", "-r", &room.name]), "");
}

fn a_group_that_was_half_made_is_completed_or_removed(room: &Room) {
    room.make(&[]);
    let all = room.directories();
    let mut started = room.start(WAIT);
    // What a maker leaves that was killed half way: some directories are there, others are not.
    if let Some(last) = all.get(1..).and_then(<[_]>::last) {
        let procs = last.parent().expect("its hierarchy").join("cgroup.procs");
        // Not one that is gone meanwhile, as the shell's sleep.
        until("the directory is empty", || {
            let text = fs::read_to_string(last.join("cgroup.procs")).expect("its processes");
            text.lines().for_each(|pid| drop(fs::write(&procs, pid)));
            fs::remove_dir(last).is_ok()
        });
        assert_eq!(room.says(&["show", &room.name]).matches("/insula-test-").count(), all.len());
        room.make(&[]);
        assert_eq!(room.directories(), all);
        let pid = started.child.id().to_string();
        let inside = fs::read_to_string(last.join("cgroup.procs")).expect("its processes");
        assert!(
            inside.lines().any(|line| line == pid),
            "its process has not joined the new directory: {inside}"
        );
    }
    assert_eq!(room.says(&["rm", "--force", &room.name]), "");
    assert_eq!(started.ended().code(), 137);
    if let Some(first) = all.first() {
        fs::create_dir(first).expect("make one directory");
        assert_eq!(room.says(&["rm", &room.name]), "");
    }
}

fn a_stranger_is_not_killed(room: &Room) {
    let other = Room::new(room.look);
    other.make(&[]);
    room.make(&[]);
    let mut stranger = other.start(WAIT);
    let mut started = room.start(WAIT);
    room.says(&["kill", &room.name]);
    assert_eq!(started.ended().code(), 137);
    assert!(stranger.child.try_wait().expect("look at it").is_none());
    other.says(&["rm", "--force", &other.name]);
    assert_eq!(stranger.ended().code(), 137);
    assert_eq!(room.says(&["rm", &room.name]), "");
}

fn a_running_process_joins(room: &Room) {
    room.make(&[]);
    let mut sleeper = Started::new(std::process::Command::new("sleep").arg("60"));
    let pid = sleeper.child.id();
    assert_eq!(room.says(&["join", &room.name, &pid.to_string()]), "");
    assert_eq!(room.members(), [u64::from(pid)]);
    room.says(&["kill", &room.name]);
    assert_eq!(sleeper.ended().code(), 137);
    let said = room.fails(&["join", &room.name, "4194304"]);
    assert!(said.contains("No such process"), "{said}");
    assert_eq!(room.says(&["rm", &room.name]), "");
}
