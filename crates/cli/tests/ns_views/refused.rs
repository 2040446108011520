//! Words that mean nothing, and things that would hold up whoever looks.

use insula_proof as proof;
use std::time::{Duration, Instant};

/// What it says on standard error, and its exit code.
fn refused(words: &[&str]) -> (String, Option<i32>) {
    let before = Instant::now();
    let output = proof::insula().arg("ns").args(words).output().expect("start insula");
    assert!(before.elapsed() < Duration::from_secs(5), "{words:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{words:?}");
    (String::from_utf8_lossy(&output.stderr).into_owned(), output.status.code())
}

#[test]
fn what_is_nothing_is_refused_with_what_to_do() {
    for verb in ["show", "pids", "holders"] {
        let (said, code) = refused(&[verb, "no-such-name"]);
        assert_eq!(code, Some(125));
        assert!(said.starts_with("insula: error: `no-such-name`: this is no name"), "{said}");
        assert!(said.lines().nth(1).is_some_and(|line| line.starts_with("insula: hint: ")), "{said}");
        let (said, _) = refused(&[verb, "a\nb\u{1b}[1m"]);
        assert!(said.contains("`a\\u{a}b\\u{1b}[1m`"), "{said}");
        assert_eq!(refused(&[verb]).1, Some(125), "a word is missing");
        assert_eq!(refused(&[verb, "--kind", "nonsense", "1"]).1, Some(125));
    }
}

#[test]
fn a_process_that_has_gone_is_told() {
    let mut child = std::process::Command::new("true").spawn().expect("start true(1)");
    let pid = child.id().to_string();
    child.wait().expect("it ends");
    let (said, code) = refused(&["show", &pid]);
    assert_eq!(code, Some(125));
    assert!(said.contains("there is no process of this pid, and no namespace of this id"), "{said}");
}

#[test]
fn a_fifo_holds_nobody_up() {
    let scratch = proof::Scratch::new();
    let fifo = scratch.join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().is_ok_and(|status| status.success()));
    for path in [
        fifo.as_path(),
        std::path::Path::new("/dev/null"),
        &scratch,
        std::path::Path::new("/proc/self/status"),
    ] {
        let (said, code) = refused(&["show", path.to_str().expect("UTF-8")]);
        assert_eq!(code, Some(125), "{said}");
        assert!(said.contains("this file is no namespace"), "{said}");
    }
}

#[test]
fn an_inode_that_nothing_has_is_told() {
    for word in ["4294967295", "net:[4294967295]", ":18446744073709551615", "user:[1]"] {
        let (said, code) = refused(&["show", word]);
        assert_eq!(code, Some(125), "{said}");
        assert!(said.contains("no namespace that we may see has this number"), "{word}: {said}");
    }
}

#[test]
fn a_name_that_was_left_half_made_is_told_as_that() {
    let script = r#"
: > /run/netns/left; mkfifo /run/netns/fifo
for name in left fifo; do "$INSULA" ns show $name 2>&1 | head -1; done
"$INSULA" ns ls -n -o name,state 2> /dev/null
"#;
    for room in crate::room::rooms!() {
        let said = room.text(script);
        let lines: Vec<&str> = said.lines().collect();
        for (line, name) in lines.iter().zip(["left", "fifo"]) {
            assert!(
                line.starts_with(&format!("insula: error: the name `{name}` was left half made")),
                "{said}"
            );
        }
        assert_eq!(lines[2..], ["fifo half made", "left half made"], "{said}");
    }
}
