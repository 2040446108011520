//! What is wrong is refused with the code that `ip` has for it, and told in a way that helps.

use crate::room::Room;
use insula_proof as proof;
use std::process::Stdio;

by_everyone!(
    what_is_wrong_has_the_code_of_ip,
    what_ip_reads_over_is_refused,
    what_is_wrong_is_told_with_a_cure,
    other_objects_are_answered,
);

/// Each with nothing but a namespace `a`, and a process in it.
const WRONG: &[&str] = &[
    "netns add",
    "netns add ''",
    "netns add .",
    "netns add ..",
    "netns add a/b",
    "netns add /",
    "netns add a",
    "netns add $(printf %256s x | tr ' ' x)",
    "netns attach",
    "netns attach x",
    "netns attach x 0",
    "netns attach x word",
    "netns attach x -5",
    "netns attach x 2147483648",
    "netns attach x 2147483647",
    "netns attach a $$",
    "netns attach a/b $$",
    "netns delete",
    "netns delete none",
    "netns delete ..",
    "netns delete ''",
    "netns set",
    "netns set a",
    "netns set a word",
    "netns set a -1",
    "netns set a 99999999999",
    "netns set a ''",
    "netns set none 1",
    "netns set none word",
    "netns identify word",
    "netns identify 1 2",
    "netns identify ''",
    "netns identify 2147483647",
    "netns pids",
    "netns pids none",
    "netns pids a b",
    "netns exec",
    "netns exec a",
    "netns exec none true",
    "netns exec .. true",
    "netns exec a ''",
    "netns list-id word",
    "netns list-id nsid",
    "netns list-id nsid word",
    "netns list-id nsid -1",
    "netns list-id nsid 1 nsid 2",
    "netns list-id nsid 99",
    "netns list-id target-nsid",
    "netns list-id target-nsid -2",
    "netns list-id target-nsid 99",
    "netns list-id target-nsid 1 target-nsid 2",
    "netns word",
    "netns help",
    "netns ''",
    "word",
    "''",
    "",
    "-word netns",
    "-n",
    "-n none netns",
    "-n ../x netns",
    "-b",
    "-b missing",
    "-f word netns",
    "-l",
];

fn what_is_wrong_has_the_code_of_ip(room: &Room) {
    let lines: String = WRONG
        .iter()
        .map(|words| format!("ip {words} </dev/null; echo \"$? {}\"\n", words.replace(['$', '"'], "_")))
        .collect();
    let script = format!("ip netns add a\n{lines}ip netns; ls -A /run/netns");
    let ours = room.agree(&script);
    assert!(ours.out.ends_with("a\na\n"), "{}", ours.out);
    let good = ours.out.lines().filter(|line| line.starts_with("0 ")).count();
    assert_eq!(good, 0, "{}", ours.out);
}

/// So that nobody believes that it has been done.
fn what_ip_reads_over_is_refused(room: &Room) {
    let ours = room.ours(
        "ip netns add a; for words in 'add b c' 'list a' 'set a 1 2' 'attach b 1 2' 'monitor x' 'pids a b'; do
             ip netns $words; echo $?; done; ip -all netns delete a; echo $?; ip netns",
    );
    assert_eq!(ours.out, "255\n255\n255\n255\n255\n1\n255\na\n", "{}", ours.err);
}

fn what_is_wrong_is_told_with_a_cure(room: &Room) {
    let table = [
        ("netns exec none true", "`none`: no network namespace has this name", "netns list"),
        ("netns add a/b", "`a/b`: this can be no name", "1 to 255 bytes"),
        ("netns add a", "`a`: there is a network namespace of this name already", "another name"),
        ("netns exec a nope", "execve: No such file or directory", "no directory of PATH has it"),
        ("netns nope", "no verb `nope`", "one of: list, show"),
        ("netns set a word", "`netnsid word`: this is no id", "a number from 0"),
        ("netns attach x 2147483647", "there is no process of this pid", "pid namespace"),
        ("-nope netns", "no option `-nope`", "--help"),
    ];
    for (words, message, hint) in table {
        let ours = room.ours(&format!("ip netns add a; ip {words}"));
        let lines: Vec<&str> = ours.err.lines().collect();
        assert_eq!(lines.len(), 2, "{words}: {}", ours.err);
        assert!(lines[0].starts_with("ip: error: ") && lines[0].contains(message), "{words}: {}", ours.err);
        assert!(lines[1].starts_with("ip: hint: ") && lines[1].contains(hint), "{words}: {}", ours.err);
    }
    let odd = room.ours("ip netns exec $(printf 'a\\033[31m') true");
    assert!(odd.err.contains("a\\u{1b}[31m") && !odd.err.contains('\u{1b}'), "{:?}", odd.err);
}

fn other_objects_are_answered(room: &Room) {
    let ours = room.ours("for o in link address r neigh vrf; do ip $o show; echo $?; done; ip -V; netns -V; ip --help | head -n 1");
    assert_eq!(
        ours.out,
        format!(
            "1\n1\n1\n1\n1\nip from insula {0}\nnetns from insula {0}\n\
             ip(8)'s command line for the object netns: for scripts that call `ip netns`\n",
            env!("CARGO_PKG_VERSION")
        )
    );
    assert_eq!(ours.err.lines().filter(|line| line.contains("`insula link")).count(), 3, "{}", ours.err);
}

/// Without a user namespace: `ip` says "Permission denied", and no more.
#[test]
fn an_ordinary_user_is_told_what_it_wants() {
    let user = proof::Ordinary::new();
    let name = format!("proof-{}", proof::scratch::unique());
    let output =
        user.insula().args(["netns", "add", &name]).stdin(Stdio::null()).output().expect("start insula");
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(err.contains("Operation not permitted") || err.contains("Permission denied"), "{err}");
    assert!(
        err.contains("hint: names of network namespaces are root's") && err.contains("insula unshare -Urn"),
        "{err}"
    );
    assert!(!std::path::Path::new("/run/netns").join(name).exists());
}
