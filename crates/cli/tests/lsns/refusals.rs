//! What is refused, in words that name it; and what is told about ourselves.

use std::process::Output;

use insula_proof as proof;

fn ask(words: &[&str]) -> Output {
    proof::insula().arg("lsns").args(words).output().expect("start insula")
}

#[test]
fn what_is_wrong_is_named_in_one_line() {
    let table: &[(&[&str], &str)] = &[
        (&["12"], "not found namespace: 12"),
        (&["-5"], "`-5`"),
        (&["x\x1b[31m"], "invalid namespace argument: 'x\\u{1b}[31m'"),
        (&["4026531837", "-p", "1"], "--task is mutually exclusive with <namespace>"),
        (&["-p", "0"], "invalid PID argument: '0'"),
        (&["-p", "-1"], "invalid PID argument: '-1'"),
        (&["-P", "-p", "1"], "options --persistent and --task cannot be combined"),
        (&["-J", "-r"], "options --json and --raw cannot be combined"),
        (&["-t", "NET"], "unknown namespace type: NET"),
        (&["-o", "NS,FOO"], "unknown column: FOO"),
        (&["-o", ""], "unknown column"),
        (&["-T=x"], "unknown tree type: x"),
        (
            &["-Q", "NS =="],
            "failed to parse \"NS ==\": expected a column, a number, a string, `!` or `(` at character 6",
        ),
        (&["-Q", "FOO == 1"], "failed to initialize filter: unknown column: FOO"),
        (&["-Q", "TYPE > 5"], "failed to apply filter"),
        (&["--output", "NS", "--nothing"], "nothing"),
    ];
    for (words, message) in table {
        let output = ask(words);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{words:?}: {errors}");
        assert!(errors.lines().next().is_some_and(|line| line.contains(message)), "{words:?}: {errors}");
    }
}

#[test]
fn columns_are_listed_with_their_types() {
    let output = ask(&["-H"]);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(text.lines().count(), 16);
    assert!(text.starts_with("     NS <integer> namespace identifier (inode number)\n"), "{text}");
    let output = ask(&["-H", "-J"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(json["lsns-columns"][14]["holder"], "HOLDERS");
}

#[test]
fn help_names_every_flag_of_the_tool() {
    let text = String::from_utf8(ask(&["--help"]).stdout).expect("UTF-8");
    for flag in [
        "--json",
        "--list",
        "--raw",
        "--noheadings",
        "--output",
        "--list-columns",
        "--output-all",
        "--persistent",
        "--task",
        "--filter",
        "--type",
        "--notruncate",
        "--nowrap",
        "--tree",
        "--version",
        "--all-holders",
    ] {
        assert!(text.contains(flag), "{flag} in: {text}");
    }
}
