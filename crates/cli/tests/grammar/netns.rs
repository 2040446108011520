//! ip-netns(8), by the manual page of iproute2 6.1: as root, with a /run/netns of each line's own.

use crate::caller::Caller;
use crate::compare::{ENOUGH, Meant, Outcome, Trial, Verdict, face, words};
use crate::given::Given;
use crate::line::{Flag, Grammar, Takes, long};
use crate::place::{filled, furnished, gone, namespaces};
use insula_proof as proof;

/// ip's own flags, in front of the object; it takes them with one dash or two, and cut short.
const FLAGS: &[Flag] =
    &[long("json", Takes::Nothing), long("all", Takes::Nothing), long("pretty", Takes::Nothing)];

const WORDS: &[&[&str]] = &[
    &[],
    &["list"],
    &["l"],
    &["sh"],
    &["show"],
    &["add", "new"],
    &["a", "new"],
    &["add", "with.dots-and_more"],
    &["attach", "new", "{self}"],
    &["at", "new", "1"],
    &["delete", "one"],
    &["del", "two"],
    &["d", "one"],
    &["del"],
    &["set", "one", "5"],
    &["set", "one", "auto"],
    &["s", "two", "0"],
    &["identify"],
    &["identify", "{self}"],
    &["id", "1"],
    &["pids", "one"],
    &["p", "two"],
    &["exec", "one", "sh", "{place}/probe"],
    &["exec", "two", "sh", "-c", "exit 7"],
    &["e", "one", "true"],
    &["ex", "one", "sh", "-c", "kill -TERM $$"],
    &["exec", "true"],
    &["exec", "sh", "-c", "exit 7"],
    &["list-id"],
    &["list-id", "nsid", "7"],
    &["list-id", "target-nsid", "7"],
    &["list-id", "target-nsid", "7", "nsid", "7"],
    &["help"],
];

const BAD_WORDS: &[&[&str]] = &[
    &["nonesuch"],
    &["add"],
    &["add", ""],
    &["add", "one"],
    &["add", "a/b"],
    &["add", "."],
    &["add", ".."],
    &["add", "new", "more"],
    &["add", "-x"],
    &["attach"],
    &["attach", "new"],
    &["attach", "new", "{gone}"],
    &["attach", "new", "abc"],
    &["attach", "one", "1"],
    &["delete", "missing"],
    &["delete", "a/b"],
    &["delete", "one", "missing"],
    &["delete", ""],
    &["set"],
    &["set", "one"],
    &["set", "one", "abc"],
    &["set", "one", "-1"],
    &["set", "one", "-5"],
    &["set", "missing", "5"],
    &["set", "two", "9"],
    &["identify", "{gone}"],
    &["identify", "abc"],
    &["identify", "-1"],
    &["identify", "0"],
    &["identify", "1", "2"],
    &["pids"],
    &["pids", "missing"],
    &["pids", ""],
    &["pids", "one", "two"],
    &["exec"],
    &["exec", "one"],
    &["exec", "missing", "true"],
    &["exec", "", "true"],
    &["exec", "one", "nonesuch"],
    &["exec", "one", "{place}/directory"],
    &["exec", "one", ""],
    &["list-id", "nsid"],
    &["list-id", "nsid", "abc"],
    &["list-id", "nsid", "-1"],
    &["list-id", "nsid", "6"],
    &["list-id", "target-nsid", "6"],
    &["list-id", "nonesuch", "7"],
    &["list", "one"],
];

/// Flags of ip that are no concern of its netns.
const BESIDE: &[&str] = &[
    "details",
    "jiffies",
    "prettyprint",
    "detailed",
    "ascii",
    "addr",
    "dump",
    "batch",
    "netns",
    "explain",
    "help",
    "version",
];

const GRAMMAR: Grammar = Grammar {
    flags: FLAGS,
    beside: BESIDE,
    words: WORDS,
    bad_words: BAD_WORDS,
    most: 1,
    bare: 2,
    dashes: false,
    permutes: false,
};

const MEANT: &[Meant] = &[
    Meant {
        why: "a word without a meaning is refused: ip drops it, and so deletes all for `ip -all netns delete one`",
        is: |given, _, ours| too_many(given) && ours.complains && ours.code != Some(0),
    },
    Meant {
        why: "it says that it could not look at all processes",
        is: |given, theirs, ours| {
            let looks =
                given.words.first().is_some_and(|verb| verb.starts_with('p') || verb.starts_with('i'));
            looks && theirs.code == ours.code && theirs.out == ours.out && ours.complains
        },
    },
    Meant {
        why: "an empty name is none: ip takes the directory of the names for it",
        is: |given, theirs, ours| {
            given.words.iter().any(String::is_empty) && theirs.code == Some(0) && ours.complains
        },
    },
];

/// Whether there are more words than the verb has a use for.
fn too_many(given: &Given) -> bool {
    let Some((verb, rest)) = given.words.split_first() else { return false };
    // In ip's order, which decides what an abbreviation means.
    let verbs = [
        ("list", 0),
        ("show", 0),
        ("add", 1),
        ("set", 2),
        ("delete", 1),
        ("identify", 1),
        ("pids", 1),
        ("attach", 2),
    ];
    let known = verbs.iter().find(|(name, _)| name.starts_with(verb.as_str()));
    let deletes_all = verb.starts_with('d') && given.has_one_of(&["all"]);
    known.is_some_and(|(_, words)| rest.len() > if deletes_all { 0 } else { *words })
}

/// Two names, the first of which has a number; then the tool. `/run` is gone with the mount namespace.
const WORLD: &str = r#"mount -t tmpfs tmpfs /run && ip netns add one && ip netns add two && ip netns set two 7 || exit 99
OUTER="$OUTER $(readlink /proc/self/ns/mnt)" TARGET=$(readlink /proc/self/ns/net)
export OUTER TARGET; exec "$@""#;

/// Where the flags of a line go among the words of a tool: ip's stand in front of the word netns.
const HERE: &str = "{flags}";

fn placed(tool: &[String], line: &[String]) -> Vec<String> {
    let flags = line.iter().take_while(|word| word.starts_with("--") && word.len() > 2).count();
    let (flags, rest) = line.split_at(flags);
    let place = |word: &String| if word == HERE { flags.to_vec() } else { vec![word.clone()] };
    tool.iter().flat_map(place).chain(rest.iter().cloned()).collect()
}

fn trial(caller: &Caller, theirs: &[String], ours: &[String], rounds: u64, enough: usize) -> Outcome {
    let place = furnished(caller);
    let outer = namespaces("self");
    let own = std::process::id().to_string();
    let gone = gone();
    let call = |tool: &[String], line: &[String]| -> Verdict {
        let places = [("{place}", place.as_str()), ("{self}", &own), ("{gone}", &gone)];
        let line = filled(&placed(tool, line), &places);
        let mut command = caller.command("unshare");
        command.args(["--mount", "--net", "--propagation", "private", "sh", "-c", WORLD, "sh"]).args(line);
        command.current_dir(&place).env("OUTER", &outer).env("LC_ALL", "C");
        let mut verdict = Verdict::of(&mut command, "");
        assert_ne!(verdict.code, Some(99), "the world could not be made");
        // The order of names is the directory's.
        let mut lines: Vec<&str> = verdict.out.lines().collect();
        lines.sort_unstable();
        verdict.out = lines.join("\n");
        verdict
    };
    Trial { grammar: &GRAMMAR, call: &call, meant: MEANT, enough }.run(theirs, ours, rounds)
}

#[test]
fn lines_get_the_same_verdict() {
    proof::need!(root, program "ip", program "unshare");
    let caller = proof::or_skip!(Caller::root());
    let ours = proof::or_skip!(face(&caller.words(&[])[0], "netns"));
    let ours = [ours, words(&[HERE])].concat();
    trial(&caller, &words(&["ip", HERE, "netns"]), &ours, 50, ENOUGH).assert_none();
}

/// The lines are good enough to see it, and the installed tool has one verdict for each.
#[test]
fn a_flag_that_is_lost_is_seen() {
    proof::need!(root, program "ip", program "unshare");
    let caller = proof::or_skip!(Caller::root());
    let theirs = words(&["ip", HERE, "netns"]);
    trial(&caller, &theirs, &theirs, 20, ENOUGH).assert_none();
    let lost =
        r#"for word in "$@"; do shift; [ "$word" = --json ] || set -- "$@" "$word"; done; exec ip "$@""#;
    let lossy = words(&["sh", "-c", lost, "ip", HERE, "netns"]);
    let outcome = trial(&caller, &theirs, &lossy, 120, 1);
    assert!(!outcome.differences.is_empty(), "of {} lines none needs --json", outcome.lines);
}
