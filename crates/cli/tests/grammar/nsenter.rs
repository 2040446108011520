//! nsenter(1), by the manual page of 2.38: into the namespaces of one target, which all lines share and none changes.

use std::fs;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::caller::Caller;
use crate::compare::{ENOUGH, Meant, Outcome, Trial, Verdict, face, words};
use crate::line::{Flag, Grammar, Takes, always, flag, long, maybe, switch};
use crate::place::{filled, furnished, gone, namespaces};
use insula_proof as proof;

by_everyone!(lines_get_the_same_verdict, a_flag_that_is_lost_is_seen);

const BAD_FILES: &[&str] = &["{place}/file", "{place}/missing", "{place}/directory", "", "/proc/self/ns/uts"];
const PIDS: Takes = always(&["{target}"], &["{gone}", "0", "-1", "abc", "", "99999999999", "1x", "self"]);
const ID: Takes =
    always(&["0"], &["1", "54321", "root", "nonesuch", "-1", "4294967295", "4294967296", "", "1x"]);
const DIRECTORY: Takes =
    maybe(&["/", "{place}", "/tmp"], &["{place}/directory", "{place}/file", "{place}/missing", ""]);

const FLAGS: &[Flag] = &[
    // Hardly any line says anything without a target.
    flag('t', "target", PIDS),
    flag('t', "target", PIDS),
    flag('t', "target", PIDS),
    flag('t', "target", PIDS),
    flag('t', "target", PIDS),
    switch('a', "all"),
    switch('a', "all"),
    flag('U', "user", maybe(&["/proc/{target}/ns/user"], BAD_FILES)),
    flag('U', "user", maybe(&["/proc/{target}/ns/user"], BAD_FILES)),
    flag('m', "mount", maybe(&["/proc/{target}/ns/mnt"], BAD_FILES)),
    flag('u', "uts", maybe(&["/proc/{target}/ns/uts"], BAD_FILES)),
    flag('i', "ipc", maybe(&["/proc/{target}/ns/ipc"], BAD_FILES)),
    flag('n', "net", maybe(&["/proc/{target}/ns/net"], BAD_FILES)),
    flag('p', "pid", maybe(&["/proc/{target}/ns/pid"], BAD_FILES)),
    flag('C', "cgroup", maybe(&["/proc/{target}/ns/cgroup"], BAD_FILES)),
    flag('T', "time", maybe(&["/proc/{target}/ns/time"], BAD_FILES)),
    flag('S', "setuid", ID),
    flag('G', "setgid", ID),
    long("preserve-credentials", Takes::Nothing),
    flag('r', "root", DIRECTORY),
    flag('w', "wd", DIRECTORY),
    flag('W', "wdns", DIRECTORY),
    switch('F', "no-fork"),
    switch('h', "help"),
    switch('V', "version"),
];

const WORDS: &[&[&str]] = &[
    &["sh", "{place}/probe"],
    &["sh", "{place}/probe"],
    &["sh", "{place}/probe"],
    &["sh", "{place}/probe", "-a", "--mount"],
    &["true"],
    &["sh", "-c", "exit 7"],
    &["sh", "-c", "kill -TERM $$"],
    &[],
];

const BAD_WORDS: &[&[&str]] =
    &[&["false"], &["{place}/nonesuch"], &["nonesuch"], &["{place}/directory"], &[""]];

/// Long names of util-linux from 2.39 on, and ours. `--follow-context` is for SELinux, and only where it was built in.
const BESIDE: &[&str] = &[
    "follow-context",
    "user-parent",
    "net-socket",
    "join-cgroup",
    "env",
    "keep-caps",
    "explain",
    "json",
    "verbose",
];

const GRAMMAR: Grammar = Grammar {
    flags: FLAGS,
    beside: BESIDE,
    words: WORDS,
    bad_words: BAD_WORDS,
    most: 5,
    bare: 12,
    dashes: true,
    permutes: false,
};

const KINDS: &[&str] = &["mount", "uts", "ipc", "net", "pid", "user", "cgroup", "time"];

/// The newest nsenter(1) differs from that of 2.38 so too.
const MEANT: &[Meant] = &[
    Meant {
        why: "where no namespace is named there is nothing to enter: 2.38 starts the program all the same",
        is: |given, theirs, ours| {
            !given.has_one_of(KINDS) && !given.has_one_of(&["all"]) && !theirs.refuses() && ours.refuses()
        },
    },
    Meant {
        why: "there is one target: 2.38 takes the last",
        is: |given, theirs, ours| given.times("target") > 1 && !theirs.refuses() && ours.refuses(),
    },
    Meant {
        why: "what is named twice is where the last says: 2.38 looks at the first as well",
        is: |given, _, ours| {
            let places = KINDS.iter().chain(&["root", "wd", "wdns"]);
            places.into_iter().any(|place| given.times(place) > 1) && !ours.refuses()
        },
    },
    Meant {
        why: "--wdns without a directory is the target's: 2.38 wants one, against its manual page",
        is: |given, theirs, ours| given.has_one_of(&["wdns"]) && theirs.refuses() && !ours.refuses(),
    },
    Meant {
        why: "a pid is a number from 1 on",
        is: |given, theirs, ours| {
            given.value(&["target"], |pid| pid == "0" || pid.starts_with('-'))
                && !theirs.refuses()
                && ours.refuses()
        },
    },
];

/// A process in new namespaces of all kinds: of a user namespace too, which its maker owns.
struct Target {
    maker: Child,
    pid: u32,
}

impl Target {
    fn new(caller: &Caller) -> Result<Target, String> {
        let mut maker = caller.command("unshare");
        maker.args(["-Ur", "-muinpCT", "--mount-proc", "--fork", "--kill-child", "sleep", "infinity"]);
        let maker = maker.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let maker = maker.map_err(|error| format!("start unshare: {error}"))?;
        // Dropped, and with it the maker, on each way out.
        let mut target = Target { maker, pid: 0 };
        let deadline = Instant::now() + insula_proof::patience(Duration::from_secs(10));
        while Instant::now() < deadline {
            if target.maker.try_wait().is_ok_and(|status| status.is_some()) {
                return Err("unshare makes no namespaces of all kinds here".into());
            }
            if let Some(pid) = sleeper(target.maker.id()) {
                target.pid = pid;
                return Ok(target);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Err("the target of nsenter did not come up".into())
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        drop(self.maker.kill());
        drop(self.maker.wait());
    }
}

/// The descendant that executes sleep(1): it is where it was to go.
fn sleeper(of: u32) -> Option<u32> {
    let read = |pid: u32, name: &str| fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default();
    if read(of, "comm") == "sleep\n" {
        return Some(of);
    }
    let children = read(of, &format!("task/{of}/children"));
    children.split_whitespace().filter_map(|pid| pid.parse().ok()).find_map(sleeper)
}

fn trial(
    caller: &Caller,
    target: &Target,
    theirs: &[String],
    ours: &[String],
    rounds: u64,
    enough: usize,
) -> Outcome {
    let place = furnished(caller);
    let pid = target.pid.to_string();
    let (outer, inner, gone) = (namespaces("self"), namespaces(&pid), gone());
    let call = |tool: &[String], line: &[String]| -> Verdict {
        let line = filled(line, &[("{place}", &place), ("{target}", &pid), ("{gone}", &gone)]);
        let mut command = caller.command(&tool[0]);
        command.args(&tool[1..]).args(line).current_dir(&place).env("LC_ALL", "C").env("SHELL", "/bin/sh");
        command.env("OUTER", &outer).env("TARGET", &inner);
        Verdict::of(&mut command, "exit 9\n")
    };
    Trial { grammar: &GRAMMAR, call: &call, meant: MEANT, enough }.run(theirs, ours, rounds)
}

fn lines_get_the_same_verdict(caller: &Caller) {
    proof::need!(program "nsenter", program "unshare");
    let ours = proof::or_skip!(face(&caller.words(&[])[0], "nsenter"));
    let target = proof::or_skip!(Target::new(caller));
    trial(caller, &target, &words(&["nsenter"]), &ours, 100, ENOUGH).assert_none();
}

/// The lines are good enough to see it, and the installed tool has one verdict for each.
fn a_flag_that_is_lost_is_seen(caller: &Caller) {
    proof::need!(program "nsenter", program "unshare");
    let target = proof::or_skip!(Target::new(caller));
    let theirs = words(&["nsenter"]);
    trial(caller, &target, &theirs, &theirs, 30, ENOUGH).assert_none();
    let lost = r#"for word in "$@"; do shift; [ "$word" = --user ] || [ "$word" = -U ] || set -- "$@" "$word"; done; exec nsenter "$@""#;
    let lossy = words(&["sh", "-c", lost, "nsenter"]);
    let outcome = trial(caller, &target, &theirs, &lossy, 120, 1);
    assert!(!outcome.differences.is_empty(), "of {} lines none needs -U", outcome.lines);
}
