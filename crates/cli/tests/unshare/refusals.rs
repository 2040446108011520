//! Bad command lines: the same exit code as there, in one line that names what is wrong, with what to do about it.

use crate::both::{Both, Tool};
use crate::caller::{Caller, Ended, ended};
use insula_proof as proof;

/// Each line, and what our error or hint has to name.
const LINES: &[(&[&str], &str)] = &[
    (&["-x"], "invalid option"),
    (&["--nothing"], "unrecognized option"),
    (&["--m"], "ambiguous"),
    (&["--map-root-user=1"], "takes no argument"),
    (&["--fork=1"], "takes no argument"),
    (&["--map-user=nobody-here"], "there is no such user in /etc/passwd"),
    (&["--map-user="], "--map-user"),
    (&["--map-group=nobody-here"], "there is no such group in /etc/group"),
    (&["--map-users="], "no range of ids"),
    (&["--map-users=1"], "write INNER:OUTER:COUNT"),
    (&["--map-users=1,2"], "no range of ids"),
    (&["--map-users=a,b,c"], "no range of ids"),
    (&["--map-users=0,0,4294967296"], "no range of ids"),
    (&["--map-groups=1,2,x"], "no range of ids"),
    (&["--map-users=0,0,0", "--map-groups=0,0,0"], "at least one id"),
    (&["--setgroups=maybe"], "write `allow` or `deny`"),
    (&["--setgroups", ""], "write `allow` or `deny`"),
    (&["-r", "--setgroups=allow"], "--map-auto"),
    (&["--propagation=all"], "write `private`, `shared`, `slave` or `unchanged`"),
    (&["--propagation="], "this is no propagation"),
    (&["--kill-child=NOPE"], "there is no such signal"),
    (&["--kill-child=9"], "there is no such signal"),
    (&["-S", "root"], "this is no id"),
    (&["-S", "-1"], "this is no id"),
    (&["-S", "4294967296"], "this is no id"),
    (&["-G", "x"], "this is no id"),
    (&["-G", ""], "this is no id"),
    (&["-rT", "--monotonic=x"], "this is no number of seconds"),
    (&["-rT", "--boottime="], "this is no number of seconds"),
    (&["-rT", "--boottime=99999999999999999999"], "this is no number of seconds"),
    (&["-r", "--monotonic=5"], "add `--time`"),
    (&["-rT", "--boottime=9223372036854775"], "half of what the kernel can count"),
    (&["-rT", "--monotonic=-999999999"], "may not become negative"),
    (&["-w/no/such"], "`/no` is not there"),
    (&["-w/etc/passwd"], "`/etc/passwd` is no directory"),
    (&["-r", "-R/no/such"], "`/no` is not there"),
    (&["-rm", "--mount-proc=/no/such", "-pf"], "`/no` is not there"),
    (&["-rS7"], "user 7 is not mapped"),
    (&["-rG7"], "setgroups"),
    (&["-ru", "--uts=/no/such"], "touch /no/such"),
    (&["-rm", "--mount=/etc/passwd/x"], "is no directory"),
];

/// A word that is missing stands at the end.
const CUT: &[(&[&str], &str)] = &[
    (&["-S"], "requires an argument"),
    (&["-R"], "requires an argument"),
    (&["--map-users"], "requires an argument"),
    (&["-r", "--propagation"], "requires an argument"),
];

fn told(words: &[&str], end: &Ended, names: &str) -> Result<(), String> {
    let errors = end.err.lines().filter(|line| line.starts_with("unshare: error: ")).count();
    let hints = end.err.lines().filter(|line| line.starts_with("unshare: hint: ")).count();
    let causes = end.err.lines().filter(|line| line.starts_with("unshare: cause: ")).count();
    let right = errors == 1
        && causes <= hints
        && hints <= 1
        && errors + causes + hints == end.err.lines().count()
        && end.err.contains(names);
    if right && end.code() == 1 && end.out.is_empty() {
        return Ok(());
    }
    Err(format!("{words:?}: code {}, no `{names}` in: {}{}", end.code(), end.out, end.err))
}

fn every_line(caller: &Caller) {
    let both = Both::new(caller);
    let mut wrong = Vec::new();
    let lines = LINES.iter().map(|(line, names)| ([*line, &["true"]].concat(), names));
    for (words, names) in lines.chain(CUT.iter().map(|(line, names)| (line.to_vec(), names))) {
        let ours = both.ours(&words);
        wrong.extend(told(&words, &ours, names).err());
        let theirs = ended(&mut both.command(Tool::Theirs, &words));
        if theirs.code() != 1 {
            wrong.push(format!("{words:?}: theirs ends with {}, {}", theirs.code(), theirs.err));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_bad_line_by_a_user_is_told_in_one_line() {
    proof::need!(program "unshare");
    every_line(&proof::or_skip!(Caller::user()));
}

/// What only ours refuses, or has: a later flag, or an earlier word.
#[test]
fn what_only_ours_has_is_refused_in_one_line_too() {
    let caller = proof::or_skip!(Caller::user());
    let both = Both::new(&caller);
    let long = format!("--hostname={}", "x".repeat(65));
    let table: &[(&[&str], &str)] = &[
        (&["--map-group=4294967296"], "ids are 0 to 4294967294"),
        (&["--map-user=4294967296"], "ids are 0 to 4294967294"),
        (&["--map-user=-1"], "ids are 0 to 4294967294"),
        (&["--map-users=0:0:1", "--map-users=0:5:1"], "both map 0 inside"),
        (&["--map-users=0:7:1", "--map-users=5:7:1"], "both map 7 outside"),
        (&["--map-users=0:1:4294967295"], "ids end at 4294967294"),
        (&["-r", "--map-users=5:4294967290:10"], "ids end at 4294967294"),
        (&["--owner=1000"], "write UID:GID"),
        (&["--owner=0:0"], "CAP_SETGID"),
        (&["--json=x"], "this is no descriptor"),
        (&["--explain=yaml"], "this is no format"),
        (&[&long], "at most 64 bytes"),
        (&["-rp", "--pid=/etc/passwd"], "add `--fork`"),
        (&["--try-user=1"], "takes no argument"),
        (&["-n"], "or make a user namespace as well"),
    ];
    let wrong: Vec<String> = table
        .iter()
        .filter_map(|(line, names)| {
            let words = [*line, &["true"]].concat();
            told(&words, &both.ours(&words), names).err()
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The kernel allows 33 levels below the first user namespace: each call goes one down, and the last is refused.
#[test]
fn too_deep_a_nesting_of_user_namespaces_is_explained() {
    let caller = proof::or_skip!(Caller::user());
    let both = Both::new(&caller);
    let unshare = both.words(Tool::Ours, &["-r"]).join(" ");
    let script = format!("[ $1 = 0 ] || exec {unshare} sh -c \"$0\" \"$0\" $(($1 - 1))");
    let mut command = caller.command("sh");
    let end = ended(command.args(["-c", &script, &script, "40"]));
    assert!(told(&["-r"], &end, "33 are within one another").is_ok(), "{end:?}");
    assert!(
        end.err.contains("No space left on device") && end.err.contains("user.max_user_namespaces"),
        "{end:?}"
    );
}

#[test]
fn what_is_quoted_has_no_control_characters() {
    let caller = proof::or_skip!(Caller::user());
    let end = Both::new(&caller).ours(&["-w/no\n/\u{1b}[31m\u{202e}x", "true"]);
    let raw = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(told(&["-w"], &end, "is not there").is_ok() && !end.err.contains(raw), "{:?}", end.err);
}
