//! unshare(1), by the manual page of 2.38.

use crate::caller::Caller;
use crate::compare::{ENOUGH, Meant, Outcome, Trial, Verdict, face, words};
use crate::line::{Flag, Grammar, Takes, always, flag, long, maybe, plain, switch};
use crate::place::{filled, furnished, namespaces, swept};
use insula_proof as proof;

by_everyone!(lines_get_the_same_verdict, a_flag_that_is_lost_is_seen);

const FILE: Takes = maybe(&["{place}/file"], &["{place}/missing", "{place}/directory", ""]);
const ID: Takes = always(
    &["0", "0", "root", "1"],
    &["54321", "nonesuch", "-1", "4294967295", "4294967296", "", "1x", " 1"],
);
const RANGE: Takes = always(
    &["auto", "5432100,0,65536", "5432100,1,100"],
    &["100000,0,1000", "0,0,1", "54321,0,1", "1,2", "a,b,c", "", "0,0,0", "1,1,4294967295", "-1,0,1"],
);
const DIRECTORY: Takes =
    always(&["/", "/", "directory"], &["{place}/directory", "{place}/file", "{place}/missing", ""]);
const OFFSET: Takes = always(&["0", "5", "-5", "1000"], &["", "1x", "99999999999999999999", "1.5"]);
const SIGNAL: Takes =
    maybe(&["KILL", "TERM", "SIGTERM", "sigusr1", "9", "RTMIN"], &["0", "999", "NOPE", "", "RTMIN+99", "-9"]);
const PROC: Takes = maybe(&["/proc", "{place}/directory"], &["{place}/missing", "{place}/file", ""]);
const PROPAGATION: Takes = always(&["private", "shared", "slave", "unchanged"], &["bogus", "priv", ""]);
const SETGROUPS: Takes = always(&["allow", "deny"], &["bogus", ""]);

const FLAGS: &[Flag] = &[
    plain('m', "mount", FILE),
    plain('u', "uts", FILE),
    plain('i', "ipc", FILE),
    plain('n', "net", FILE),
    plain('p', "pid", FILE),
    plain('U', "user", FILE),
    plain('C', "cgroup", FILE),
    plain('T', "time", FILE),
    switch('f', "fork"),
    switch('f', "fork"),
    long("map-user", ID),
    long("map-group", ID),
    // Nothing works for a user without one of these.
    switch('r', "map-root-user"),
    switch('r', "map-root-user"),
    switch('r', "map-root-user"),
    switch('r', "map-root-user"),
    plain('u', "uts", FILE),
    switch('c', "map-current-user"),
    switch('c', "map-current-user"),
    long("map-auto", Takes::Nothing),
    long("map-users", RANGE),
    long("map-groups", RANGE),
    long("kill-child", SIGNAL),
    long("mount-proc", PROC),
    long("propagation", PROPAGATION),
    long("setgroups", SETGROUPS),
    long("keep-caps", Takes::Nothing),
    flag('R', "root", DIRECTORY),
    flag('w', "wd", DIRECTORY),
    flag('S', "setuid", ID),
    flag('G', "setgid", ID),
    long("monotonic", OFFSET),
    long("boottime", OFFSET),
    switch('h', "help"),
    switch('V', "version"),
];

const WORDS: &[&[&str]] = &[
    &["sh", "{place}/probe"],
    &["sh", "{place}/probe"],
    &["sh", "{place}/probe"],
    &["sh", "{place}/probe", "-f", "--mount"],
    &["true"],
    &["sh", "-c", "exit 7"],
    &["sh", "-c", "kill -TERM $$"],
    &[],
];

const BAD_WORDS: &[&[&str]] =
    &[&["false"], &["{place}/nonesuch"], &["nonesuch"], &["{place}/directory"], &["{place}/file"], &[""]];

/// Long names of util-linux from 2.39 on, and ours.
const BESIDE: &[&str] = &[
    "forward-signals",
    "mount-binfmt",
    "map-subids",
    "owner",
    "load-interp",
    "clear-env",
    "whitelist-env",
    "hostname",
    "domainname",
    "all",
    "json",
    "explain",
    "try-mount",
    "try-user",
];

const GRAMMAR: Grammar = Grammar {
    flags: FLAGS,
    beside: BESIDE,
    words: WORDS,
    bad_words: BAD_WORDS,
    most: 4,
    bare: 12,
    dashes: true,
    permutes: false,
};

/// The flags of namespaces, which may have a FILE.
const KINDS: &[&str] = &["mount", "uts", "ipc", "net", "pid", "user", "cgroup", "time"];

const RANGES: &[&str] = &["map-users", "map-groups", "map-auto"];

/// The probe's lines, those of maps without how many ids they are for.
fn lines(out: &str) -> Vec<&str> {
    let is_map = |line: &str| line.starts_with(' ') && line.split_whitespace().count() == 3;
    let short = |line: &str| line.trim_end().rfind(' ').unwrap_or_default();
    out.lines().map(|line| if is_map(line) { &line[..short(line)] } else { line }).collect()
}

/// The newest unshare(1) differs from that of 2.38 so too, but for the first two.
const MEANT: &[Meant] = &[
    Meant {
        why: "--setgroups=deny says once more what a mapped gid implies: unshare(1) writes it twice, which is refused",
        is: |given, theirs, ours| {
            let implied = given.has_one_of(&["map-root-user", "map-current-user", "map-group"]);
            implied
                && given.value(&["setgroups"], |word| word == "deny")
                && theirs.refuses()
                && !ours.refuses()
        },
    },
    Meant {
        why: "RTMIN is the name of a signal: unshare(1) knows RTMIN+N alone",
        is: |given, theirs, ours| {
            given.value(&["kill-child"], |signal| signal == "RTMIN") && theirs.refuses() && !ours.refuses()
        },
    },
    Meant {
        why: "an id that is mapped apart costs an automatic range none of its ids: in 2.38 the last one",
        is: |given, theirs, ours| {
            given.has_one_of(RANGES) && theirs.code == ours.code && lines(&theirs.out) == lines(&ours.out)
        },
    },
    Meant {
        why: "ranges add up, and must not overlap: in 2.38 the last one takes the place of the others",
        is: |given, theirs, ours| {
            RANGES.iter().map(|range| given.times(range)).sum::<usize>() > 1
                && !theirs.refuses()
                && ours.refuses()
        },
    },
    Meant {
        why: "root writes any range of ids itself; 2.38 asks newuidmap(1), which knows those of /etc/subuid alone",
        is: |given, theirs, ours| given.has_one_of(RANGES) && theirs.refuses() && !ours.refuses(),
    },
    Meant {
        why: "FILE can be kept beside a new user namespace: 2.38 binds it when the rights to do so are gone",
        is: |given, theirs, ours| {
            given.value(KINDS, |file| !file.is_empty()) && theirs.refuses() && !ours.refuses()
        },
    },
    Meant {
        why: "an id ends at 4294967294, the next stands for none: 2.38 cuts any number to 32 bits",
        is: |given, theirs, ours| {
            given.value(&["map-user", "map-group"], |id| ["4294967295", "4294967296", "-1"].contains(&id))
                && !theirs.refuses()
                && ours.refuses()
        },
    },
];

/// Runs each line in a mount namespace that ends with it, where that takes root: what it keeps in files is gone then.
/// Who is not root can keep nothing.
fn trial(caller: &Caller, theirs: &[String], ours: &[String], rounds: u64, enough: usize) -> Outcome {
    let place = furnished(caller);
    let outer = namespaces("self");
    let call = |tool: &[String], line: &[String]| -> Verdict {
        let line = filled(line, &[("{place}", &place)]);
        let around = r#"OUTER="$OUTER $(readlink /proc/self/ns/mnt)" exec "$@""#;
        let mut command = if caller.is_root() {
            let mut command = caller.command("unshare");
            command.args(["--mount", "--propagation", "private", "sh", "-c", around, "sh"]).args(tool);
            command
        } else {
            let mut command = caller.command(&tool[0]);
            command.args(&tool[1..]);
            command
        };
        command
            .args(line)
            .current_dir(&place)
            .env("OUTER", &outer)
            .env("SHELL", "/bin/sh")
            .env("LC_ALL", "C");
        // Where no program is named, a shell reads this.
        Verdict::of(&mut command, "exit 9\n")
    };
    let outcome = Trial { grammar: &GRAMMAR, call: &call, meant: MEANT, enough }.run(theirs, ours, rounds);
    swept(caller);
    outcome
}

fn lines_get_the_same_verdict(caller: &Caller) {
    proof::need!(program "unshare");
    let ours = proof::or_skip!(face(&caller.words(&[])[0], "unshare"));
    trial(caller, &words(&["unshare"]), &ours, 100, ENOUGH).assert_none();
}

/// The lines are good enough to see it, and the installed tool has one verdict for each.
fn a_flag_that_is_lost_is_seen(caller: &Caller) {
    proof::need!(program "unshare");
    let theirs = words(&["unshare"]);
    trial(caller, &theirs, &theirs, 30, ENOUGH).assert_none();
    let lost = r#"for word in "$@"; do shift; [ "$word" = --map-root-user ] || [ "$word" = -r ] || set -- "$@" "$word"; done; exec unshare "$@""#;
    let lossy = words(&["sh", "-c", lost, "unshare"]);
    let outcome = trial(caller, &theirs, &lossy, 120, 1);
    assert!(!outcome.differences.is_empty(), "of {} lines none needs -r", outcome.lines);
}
