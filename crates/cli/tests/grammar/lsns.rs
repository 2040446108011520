//! lsns(8), by the manual page of 2.38: in a world of few processes, where both tools see the same.

use std::fs;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::caller::Caller;
use crate::compare::{ENOUGH, Meant, Outcome, Trial, Verdict, face, words};
use crate::line::{Flag, Grammar, Takes, always, flag, maybe, switch};
use crate::place::{filled, furnished};
use insula_proof as proof;

by_everyone!(lines_get_the_same_verdict, a_flag_that_is_lost_is_seen);

const COLUMNS: Takes = always(
    &[
        "NS",
        "NS,TYPE",
        "ns,type,nprocs",
        "PID,PPID,COMMAND",
        "TYPE,PATH",
        "NS,UID,USER",
        "+PPID",
        "+path,uid",
        "NS,PNS,ONS",
        "TYPE,NETNSID,NSFS",
        "TYPE,TYPE",
    ],
    &["", "NOPE", "NS,", ",NS", "NS TYPE", "+", "+NOPE", "NS,,TYPE", "N"],
);
const KINDS: Takes = always(
    &["net", "pid", "uts", "user", "mnt", "ipc", "cgroup", "time"],
    &["", "nope", "NET", "mount", "net,pid"],
);
const PIDS: Takes = always(&["1", "2"], &["99999", "0", "-1", "abc", "", "1x", "99999999999"]);
const RELATION: Takes = maybe(&["parent", "owner", "process"], &["", "nope", "par"]);

const FLAGS: &[Flag] = &[
    switch('J', "json"),
    switch('l', "list"),
    switch('n', "noheadings"),
    flag('o', "output", COLUMNS),
    flag('o', "output", COLUMNS),
    flag('p', "task", PIDS),
    switch('r', "raw"),
    switch('u', "notruncate"),
    switch('W', "nowrap"),
    flag('t', "type", KINDS),
    flag('t', "type", KINDS),
    flag('T', "tree", RELATION),
    switch('h', "help"),
    switch('V', "version"),
];

const WORDS: &[&[&str]] = &[&[], &[], &[], &[], &["{net}"], &["{uts}"]];

const BAD_WORDS: &[&[&str]] = &[&["1"], &["abc"], &[""], &["{net}", "{uts}"], &["-1"], &["{net}x"]];

/// Long names of util-linux from 2.39 on, and ours. `--output-all` means other columns there.
const BESIDE: &[&str] = &["output-all", "persistent", "filter", "hyperlink", "list-columns", "explain"];

const GRAMMAR: Grammar = Grammar {
    flags: FLAGS,
    beside: BESIDE,
    words: WORDS,
    bad_words: BAD_WORDS,
    most: 4,
    bare: 12,
    dashes: true,
    permutes: true,
};

/// The newest lsns(8) differs from that of 2.38 so too, but for the last.
const MEANT: &[Meant] = &[
    Meant {
        why: "--type leaves the others out of a tree too: 2.38 shows their owners and parents",
        is: |given, theirs, ours| {
            let fewer = ours.out.lines().count() < theirs.out.lines().count();
            given.has_one_of(&["type"]) && given.has_one_of(&["tree"]) && theirs.code == ours.code && fewer
        },
    },
    Meant {
        why: "a pid is a number from 1 on",
        is: |given, theirs, ours| {
            given.value(&["task"], |pid| pid == "0" || pid.starts_with('-'))
                && !theirs.refuses()
                && ours.refuses()
        },
    },
    Meant {
        why: "a list of columns that is no good is refused with a reason: lsns(8) is silent about some",
        is: |given, theirs, ours| {
            given.has_one_of(&["output"]) && theirs.code == Some(1) && !theirs.complains && ours.refuses()
        },
    },
];

/// The first process of the world, then the others; it lasts until its maker ends.
const INHABITANTS: &str = "unshare --uts --ipc sleep 1000 & unshare --net sleep 1000 & \
     unshare --user --map-root-user sleep 1000 & unshare --pid --fork sleep 1000 & \
     unshare --user --map-root-user unshare --net --cgroup sleep 1000 & wait";

/// A pid namespace with a `/proc` of its own. An ordinary user's is root's of a user namespace.
struct World {
    maker: Child,
    /// Its first process, as we see it.
    first: u32,
}

impl World {
    fn new(caller: &Caller) -> Result<World, String> {
        let mut maker = caller.command("unshare");
        if !caller.is_root() {
            maker.args(["--user", "--map-root-user"]);
        }
        maker.args(["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", INHABITANTS]);
        let maker = maker.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let maker = maker.map_err(|error| format!("start unshare: {error}"))?;
        let mut world = World { maker, first: 0 };
        let deadline = Instant::now() + insula_proof::patience(Duration::from_secs(10));
        while Instant::now() < deadline && world.maker.try_wait().is_ok_and(|status| status.is_none()) {
            let descendants = descendants(world.maker.id());
            let sleepers = descendants.iter().filter(|pid| comm(**pid) == "sleep\n").count();
            if let (5, Some(first)) =
                (sleepers, descendants.iter().find(|pid| comm(**pid) == "sh\n" && is_first(**pid)))
            {
                world.first = *first;
                return Ok(world);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Err("unshare makes no world of its own here".into())
    }
}

impl World {
    /// The number of a namespace in which the tool itself is not: of one that it is in it would list itself.
    fn other(&self, kind: &str) -> String {
        let name = |pid: u32| fs::read_link(format!("/proc/{pid}/ns/{kind}")).unwrap_or_default();
        let others = descendants(self.first).into_iter().map(name);
        let other =
            others.into_iter().find(|other| *other != name(self.first)).expect("a namespace of the world");
        other.to_string_lossy().chars().filter(char::is_ascii_digit).collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        drop(self.maker.kill());
        drop(self.maker.wait());
    }
}

fn comm(pid: u32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default()
}

/// Whether it is the first process of the outermost pid namespace below ours.
fn is_first(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("NSpid:")).unwrap_or_default();
    line.split_whitespace().nth(2) == Some("1")
}

fn descendants(of: u32) -> Vec<u32> {
    let children = fs::read_to_string(format!("/proc/{of}/task/{of}/children")).unwrap_or_default();
    let children = children.split_whitespace().filter_map(|pid| pid.parse().ok());
    children.flat_map(|pid: u32| [vec![pid], descendants(pid)].concat()).collect()
}

fn trial(
    caller: &Caller,
    world: &World,
    theirs: &[String],
    ours: &[String],
    rounds: u64,
    enough: usize,
) -> Outcome {
    let place = furnished(caller);
    let target = world.first.to_string();
    let (net, uts) = (world.other("net"), world.other("uts"));
    let call = |tool: &[String], line: &[String]| -> Verdict {
        let line = filled(line, &[("{net}", &net), ("{uts}", &uts)]);
        let mut command = caller.command("nsenter");
        if !caller.is_root() {
            command.args(["--user", "--preserve-credentials"]);
        }
        command.args(["--target", &target, "--mount", "--pid", "--"]).args(tool).args(line);
        command.current_dir(&place).env("LC_ALL", "C").env("TZ", "UTC");
        Verdict::of(&mut command, "")
    };
    Trial { grammar: &GRAMMAR, call: &call, meant: MEANT, enough }.run(theirs, ours, rounds)
}

fn lines_get_the_same_verdict(caller: &Caller) {
    proof::need!(program "lsns", program "nsenter", program "unshare");
    let ours = proof::or_skip!(face(&caller.words(&[])[0], "lsns"));
    let world = proof::or_skip!(World::new(caller));
    trial(caller, &world, &words(&["lsns"]), &ours, 60, ENOUGH).assert_none();
}

/// The lines are good enough to see it, and the installed tool has one verdict for each.
fn a_flag_that_is_lost_is_seen(caller: &Caller) {
    proof::need!(program "lsns", program "nsenter", program "unshare");
    let world = proof::or_skip!(World::new(caller));
    let theirs = words(&["lsns"]);
    let outcome = trial(caller, &world, &theirs, &theirs, 20, ENOUGH);
    outcome.assert_none();
    let lost = r#"for word in "$@"; do shift; [ "$word" = -J ] || set -- "$@" "$word"; done; exec lsns "$@""#;
    let lossy = words(&["sh", "-c", lost, "lsns"]);
    let outcome = trial(caller, &world, &theirs, &lossy, 120, 1);
    assert!(!outcome.differences.is_empty(), "of {} lines none needs -J", outcome.lines);
}
