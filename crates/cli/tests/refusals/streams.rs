//! Words and standard streams: too many, closed, hostile.

use std::fs;

use crate::caller::{Caller, EXITS, ended};
use crate::clean;

by_everyone!(
    arguments_too_large_for_the_kernel,
    closed_standard_streams,
    what_is_foreign_is_escaped,
    words_that_are_no_command,
);

fn arguments_too_large_for_the_kernel(caller: &Caller) {
    // One string of execve(2) has at most 32 pages; insula's own had a file for it.
    let large = caller.write("large", &format!("A={}\n", "x".repeat(200_000)));
    let end = ended(&mut caller.insula(&["run", "--env-file", &large, "--", "true"]));
    assert!(end.code() == 125 || end.code() == 126, "{}: {}", end.code(), end.err);
    assert!(end.err.contains("Argument list too long"), "{}", end.err);
    let many = vec!["x"; 20_000];
    let end = ended(&mut caller.insula(&[&["run", "--", "true"], &*many].concat()));
    assert_eq!(end.code(), 0, "many arguments are no harm: {}", end.err);
}

fn closed_standard_streams(caller: &Caller) {
    let before = caller.census();
    for closed in ["<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"] {
        for flags in [&[][..], &["-i"], &["--explain"]] {
            let script = format!("\"$@\" {closed}; echo $? > code");
            let words =
                caller.words(&[&["run"], flags, &["--", "sh", "-c", "ls /proc/self/fd; exit 7"]].concat());
            let end = ended(caller.command("sh").args(["-c", &script, "sh"]).args(words));
            let code = fs::read_to_string(caller.home().join("code")).expect("the code");
            fs::remove_file(caller.home().join("code")).expect("remove it");
            let expected = if flags == ["--explain"] { "0" } else { "7" };
            assert_eq!(code.trim(), expected, "{closed} {flags:?}: {}{}", end.out, end.err);
            if flags != ["--explain"] && !closed.contains(" >") && !closed.starts_with('>') {
                assert_eq!(end.out, "0\n1\n2\n3\n", "{closed}: all three are there");
            }
        }
    }
    before.assert_equal_within(EXITS);
}

fn what_is_foreign_is_escaped(caller: &Caller) {
    let hostile = "\u{1b}[2J\n\r\t\u{7f}\u{9b}\u{202e}\u{2028}x";
    let root = format!("/{hostile}");
    let words: &[&[&str]] = &[
        &["run", "--", hostile],
        &["run", "-w", &root, "--", "true"],
        &["run", &root, "--", "true"],
        &["run", "-u", hostile, "--", "true"],
        &["run", "-h", hostile, "--", "true"],
        &["run", "--name", hostile, "--", "true"],
        &["run", "--net", hostile, "--", "true"],
        &["run", "--net", &root, "--", "true"],
        &["run", "-v", &format!("{root}:/x"), "--", "true"],
        &["run", "--tmpfs", &format!("/x:{hostile}"), "--", "true"],
        &["run", "--sysctl", &format!("{hostile}=1"), "--", "true"],
        &["run", "--env-file", &root, "--", "true"],
        &["run", "--device", &root, "--", "true"],
        &["run", "--entrypoint", hostile, "--", "true"],
        &["run", &format!("--{hostile}"), "--", "true"],
        &["run", &format!("-{hostile}"), "--", "true"],
        &["run", "--explain=\u{1b}[2J", "--", "true"],
        &[hostile],
    ];
    for words in words {
        let end = ended(&mut caller.insula(words));
        assert!((125..=127).contains(&end.code()), "{words:?}: {}", end.code());
        clean(&end.err);
        assert!(end.err.starts_with("insula: "), "{words:?}: {}", end.err);
        // Of a cluster of short flags the first unknown one is named.
        assert!(end.err.contains("[2J") || words[1].starts_with("-\u{1b}"), "{words:?}: {}", end.err);
    }
    let end = ended(&mut caller.insula(&["run", "--explain", "-w", &root, "--", hostile]));
    clean(&end.out);
}

fn words_that_are_no_command(caller: &Caller) {
    for words in [&["no-such-command"][..], &[], &["run", "--no-such-flag"], &["run", "--name"]] {
        let end = ended(&mut caller.insula(words));
        assert_eq!((end.code(), end.out.as_str()), (125, ""), "{words:?}");
        assert!(end.err.starts_with("insula: ") && end.err.contains("--help"), "{words:?}: {}", end.err);
    }
}
