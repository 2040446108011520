//! What the program finds: which namespaces are new, ids and their maps, capabilities, mounts, directories, names.

use crate::both::{Both, they_have};
use crate::caller::Caller;
use insula_proof as proof;

/// Tells the script below which namespaces there were before.
const OUTSIDE: &str = r#"BEFORE=$(readlink /proc/self/ns/*); export BEFORE; exec "$@""#;

/// All that a program can see of what was made for it. Mounts that others make on the host meanwhile do not count.
const LOOK: &str = r#"exec 2>&1
readlink /proc/self/ns/* | while IFS= read -r now; do
    case "$BEFORE" in *"$now"*) echo "${now%%:*}: as before" ;; *) echo "${now%%:*}: new one" ;; esac
done
cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups; hostname; pwd; readlink /proc/self/root; ls -di / .; umask
[ $PPID = 0 ] && echo from outside || cat /proc/$PPID/comm
grep -E '^(Uid|Gid|Groups|Cap...|NoNewPrivs|SigIgn|SigBlk|Seccomp|NSpid):' /proc/self/status | sed '/^NSpid/s/[0-9][0-9]*[0-9]/N/g'
grep -E '^([^ ]+ ){4}/(proc)? ' /proc/self/mountinfo | sed -E 's/(shared|master):[0-9]+/\1/g; s/ - .*//; s/^[^ ]+ [^ ]+ [^ ]+//'
ls /proc/self/fd; cut -d: -f1-2 /proc/self/cgroup; cat /proc/self/timens_offsets"#;

/// The flags; each line is given to both tools.
const LINES: &[&[&str]] = &[
    &[],
    &["-m"],
    &["-u"],
    &["-i"],
    &["-n"],
    &["-U"],
    &["-C"],
    &["-T"],
    &["-pf"],
    &["-Tf"],
    &["-f"],
    &["-muinUCT"],
    &["-r"],
    &["-c"],
    &["-r", "-c"],
    &["-c", "-r"],
    &["-rf"],
    &["-rmuinpfCT"],
    &["-cmuinpfCT", "--mount-proc"],
    &["-rpf", "--mount-proc"],
    &["-pf", "--mount-proc=/proc"],
    &["--map-root", "--pid", "--fork", "--mount-proc", "--kill-child"],
    &["-r", "--propagation", "unchanged", "-m"],
    &["-r", "--propagation=slave", "-m"],
    &["-r", "--propagation=shared", "-m"],
    &["-m", "--propagation", "shared"],
    &["-m", "--propagation", "slave"],
    &["--map-user=7"],
    &["--map-group=7"],
    &["--map-user=7", "--map-group=8"],
    &["--map-user=root", "--map-group=daemon"],
    &["-r", "--map-user=7"],
    &["--map-user=7", "-c"],
    &["-U", "--setgroups=deny"],
    &["-U", "--setgroups", "allow"],
    &["-c", "--keep-caps"],
    &["-r", "--keep-caps"],
    &["-U", "--keep-caps"],
    &["-rS0", "-w/etc"],
    &["-r", "-S0"],
    &["-r", "-R/", "-w/usr"],
    &["-R/usr", "-w/", "-r"],
    &["-w", "/etc", "-u"],
    &["-S7"],
    &["-G7"],
    &["-uS7", "-G7"],
    &["-rT", "--boottime", "100000000"],
    &["-rTf", "--monotonic=1000", "--boottime=-5"],
    &["-T", "--monotonic=+5"],
    &["-r", "--map-users=0,5,1"],
    &["--map-auto"],
    &["--map-auto", "-muinpfCT"],
    &["--map-users=auto"],
    &["--map-groups=auto"],
    &["--map-users=5432100,0,100", "--map-groups=5432100,0,100"],
    &["--map-users=5432100,0,100", "--map-groups=5432100,0,100", "-r"],
    &["--map-users=5432100,1,100", "--map-groups=5432100,7,100", "-r"],
    &["--map-users=5432100,0,1000", "--map-groups=5432100,0,9", "--map-user=7", "--map-group=3"],
    &["--map-users=5432100,0,65536", "--map-groups=5432100,0,65536", "-c"],
];

/// An own id and a range from 0 on: before the flag --map-subids came, the range lost an id there.
const NEWER: &[&[&str]] = &[
    &["-r", "--map-auto"],
    &["-c", "--map-auto"],
    &["--map-auto", "--setgroups=allow", "-r"],
    &["-r", "--map-auto", "-S1", "-G1"],
    &["--map-users=auto", "--map-groups=auto", "-r", "-f"],
    &["--map-subids"],
];

/// Both tools with each line.
fn every_line(caller: &Caller) {
    let both = Both::new(caller);
    let newer = if they_have("--map-subids") { NEWER } else { &[] };
    for line in LINES.iter().chain(newer) {
        // Theirs calls newuidmap(1) as root too, which knows root's own ranges alone.
        if caller.is_root() && line.iter().any(|word| word.contains("5432100")) {
            continue;
        }
        let words = [*line, &["sh", "-c", LOOK]].concat();
        both.same_by(&["sh", "-c", OUTSIDE, "sh"], &words);
    }
}

#[test]
fn by_root() {
    proof::need!(program "unshare");
    let caller = proof::or_skip!(Caller::root());
    every_line(&caller);
    // Without a fork the program stays where it was; its first child would be pid 1, and no other could be forked after.
    let both = Both::new(&caller);
    both.same(&["-p", "readlink", "/proc/self/ns/pid"]);
    both.same(&["-p", "sh", "-c", "(echo $PPID >/dev/null; exit 3); echo $?; (:); echo unreachable"]);
}

#[test]
fn by_a_user() {
    proof::need!(program "unshare");
    every_line(&proof::or_skip!(Caller::user()));
}

#[test]
fn by_a_user_with_subuids() {
    proof::need!(program "unshare");
    every_line(&proof::or_skip!(Caller::user_with_subuids()));
}

/// So that the comparison above compares something: the lines that must succeed do, and see what they made.
#[test]
fn what_is_compared_is_there() {
    let caller = proof::or_skip!(Caller::user());
    let both = Both::new(&caller);
    let words = ["-rmuinpfCT", "--mount-proc", "sh", "-c", LOOK];
    let end = both.same_by(&["sh", "-c", OUTSIDE, "sh"], &words);
    assert_eq!(end.code(), 0, "{}", end.err);
    for kind in ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"] {
        assert!(end.out.contains(&format!("{kind}: new one\n")), "{kind} in: {}", end.out);
    }
    let one = format!("         0 {:>10}          1\n", caller.uid());
    assert!(
        end.out.contains(&one) && end.out.contains("deny\n") && end.out.contains("from outside"),
        "{}",
        end.out
    );
    assert!(end.out.contains("CapEff:\t000001ffffffffff"), "{}", end.out);
}
